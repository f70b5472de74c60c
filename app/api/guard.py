"""What every request passes before a route sees it: an id, the right host, the token, a limit on its size."""

import hmac
import uuid
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import Refusal, problem_response
from app.core.settings import Server, is_loopback

OPEN_PATHS = frozenset({"/healthz"})
_MEGABYTE = 1024 * 1024
_UPLOADS = "/documents"
_JSON_LIMIT_MB = 1


class Guard:
    """ASGI middleware; without a token it serves this machine alone, so that no web page can reach it by DNS."""

    def __init__(self, app: ASGIApp, *, server: Server) -> None:
        self._app = app
        self._token = server.token.get_secret_value().encode() if server.token else None
        self._upload_mb = server.max_upload_mb

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex[:16]
        scope.setdefault("state", {})["request_id"] = request_id
        headers = Headers(scope=scope)
        tagged = _tagging(send, request_id)
        limit_mb = self._upload_mb if scope["path"].endswith(_UPLOADS) else _JSON_LIMIT_MB
        refused = self._refuse(request_id, scope["path"], headers) or _too_long(request_id, headers, limit_mb)
        if refused is not None:
            await refused(scope, receive, tagged)
            return
        await self._app(scope, _counting(receive, limit_mb), tagged)

    def _refuse(self, request_id: str, path: str, headers: Headers) -> Response | None:
        if self._token is None:
            if not is_loopback(_host(f"//{headers.get('host', '')}")):
                detail = f"host '{headers.get('host', '')}' is not this machine; set a token to serve others"
                return problem_response(request_id, HTTPStatus.MISDIRECTED_REQUEST, "wrong_host", detail)
            if "origin" in headers and not is_loopback(_host(headers["origin"])):
                detail = "requests of web pages from elsewhere are refused"
                return problem_response(request_id, HTTPStatus.FORBIDDEN, "wrong_origin", detail)
        elif path not in OPEN_PATHS and not self._is_authorised(headers.get("authorization", "")):
            detail = "send the server's token as 'Authorization: Bearer TOKEN'"
            response = problem_response(request_id, HTTPStatus.UNAUTHORIZED, "unauthorized", detail)
            response.headers["WWW-Authenticate"] = "Bearer"
            return response
        return None

    def _is_authorised(self, header: str) -> bool:
        scheme, _, given = header.partition(" ")
        expected = self._token or b""
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), expected)


def _too_long(request_id: str, headers: Headers, limit_mb: int) -> Response | None:
    length = headers.get("content-length", "")
    if not length.isdecimal() or int(length) <= limit_mb * _MEGABYTE:
        return None
    return problem_response(request_id, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, **_too_large(limit_mb))


def _counting(receive: Receive, limit_mb: int) -> Receive:
    """Return a `receive` that stops at the limit, for bodies that do not tell their length."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit_mb * _MEGABYTE:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, **_too_large(limit_mb))
        return message

    return counted


def _too_large(limit_mb: int) -> dict[str, Any]:
    detail = f"the request is larger than {limit_mb} MB; send less, or raise server.max_upload_mb for uploads"
    return {"code": "too_large", "detail": detail, "limit_mb": limit_mb}


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _tagging(send: Send, request_id: str) -> Send:
    async def tagged(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["X-Request-ID"] = request_id
        await send(message)

    return tagged
