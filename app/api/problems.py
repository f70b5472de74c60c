"""Every error of the API as problem details (RFC 9457): one shape, a stable code, the id of the request."""

import json
import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from app.core.errors import AppError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 10

_STATUS = {
    "invalid_question": HTTPStatus.UNPROCESSABLE_ENTITY,
    "config_error": HTTPStatus.UNPROCESSABLE_ENTITY,
    "missing_capability": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unreadable_document": HTTPStatus.UNPROCESSABLE_ENTITY,
    "invalid_dataset": HTTPStatus.UNPROCESSABLE_ENTITY,
    "not_found": HTTPStatus.NOT_FOUND,
    "stale_index": HTTPStatus.CONFLICT,
    "cancelled": HTTPStatus.CONFLICT,
    "busy": HTTPStatus.TOO_MANY_REQUESTS,
    "storage_error": HTTPStatus.SERVICE_UNAVAILABLE,
    "model_error": HTTPStatus.SERVICE_UNAVAILABLE,
    "missing_model": HTTPStatus.SERVICE_UNAVAILABLE,
    "missing_extra": HTTPStatus.SERVICE_UNAVAILABLE,
    "budget_exhausted": HTTPStatus.SERVICE_UNAVAILABLE,
}
_log = logging.getLogger(__name__)


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str
    message: str


class Problem(BaseModel):
    """Why a request was refused; `code` is stable, `detail` is one line for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldError] | None = None


class Refusal(HTTPException):
    """A request that the API refuses on grounds of its own."""

    def __init__(self, status: HTTPStatus, code: str, detail: str, **extra: Any) -> None:
        super().__init__(status_code=status, detail=detail)
        self.code = code
        self.extra = extra


def problem_response(request_id: str, status: int, code: str, detail: str, **extra: Any) -> JSONResponse:
    """Return the response of a problem; `extra` are further members of it."""
    content = {
        "type": f"urn:gnomon:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        "code": code,
        "request_id": request_id,
        **extra,
    }
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == HTTPStatus.TOO_MANY_REQUESTS else None
    return _ProblemResponse(content, status_code=int(status), media_type=MEDIA_TYPE, headers=headers)


class _ProblemResponse(JSONResponse):
    """Can repeat a request's halves of characters, which UTF-8 cannot."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")


def install(app: FastAPI) -> None:
    """Make the app answer every exception with a problem."""
    app.add_exception_handler(AppError, _foreseen)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _unexpected)


def _foreseen(request: Request, error: Exception) -> JSONResponse:
    code = getattr(error, "code", AppError.code)
    status = next((_STATUS[kind] for kind in _codes(type(error)) if kind in _STATUS), HTTPStatus.INTERNAL_SERVER_ERROR)
    return problem_response(_request_id(request), status, code, str(error))


def _codes(kind: type) -> list[str]:
    """Return the codes of an error class and of its parents, its own first."""
    return [parent.code for parent in kind.__mro__ if issubclass(parent, AppError)]


def _invalid(request: Request, error: Exception) -> JSONResponse:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [_field_error(problem) for problem in found]
    detail = "; ".join(f"{problem['field']}: {problem['message']}" for problem in errors)
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return problem_response(_request_id(request), status, "invalid_request", detail, errors=errors)


def _field_error(problem: Any) -> dict[str, str]:
    """Return one problem of pydantic's in the words of somebody who sends requests."""
    kind, field = problem["type"], _field(problem["loc"])
    if kind == "json_invalid":
        return {"field": "body", "message": f"is not JSON: {problem['ctx']['error']}"}
    if field == "body" and kind in ("model_attributes_type", "missing"):
        return {"field": field, "message": "send a JSON object, with Content-Type: application/json"}
    words = "there is no such field" if kind == "extra_forbidden" else problem["msg"].removeprefix("Value error, ")
    return {"field": field, "message": words}


def _field(location: tuple[Any, ...]) -> str:
    """Return the field's path without the part of the request it is in."""
    return ".".join(str(part) for part in location[1:]) or str(location[0])


def _refused(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, Refusal):
        return problem_response(_request_id(request), error.status_code, error.code, str(error.detail), **error.extra)
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    code = HTTPStatus(status).name.lower()
    known, said = HTTPStatus(status), str(getattr(error, "detail", ""))
    reason = said if said != known.phrase else known.description or known.phrase
    detail = f"{request.method} {request.url.path}: {reason}"
    response = problem_response(_request_id(request), status, code, detail)
    response.headers.update(getattr(error, "headers", None) or {})
    return response


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _log.error("request %s of %s failed", _request_id(request), request.url.path, exc_info=error)
    detail = "an unexpected error; the server's log holds its traceback under this request_id"
    return problem_response(_request_id(request), HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", detail)


def _request_id(request: Request) -> str:
    return str(getattr(request.state, "request_id", ""))
