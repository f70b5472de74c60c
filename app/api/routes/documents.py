"""Documents of a collection: sent in, worked on later, listed with their states."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from app.api.deps import ServicesDep
from app.api.problems import Refusal
from app.api.schemas import DocumentBody, DocumentList, DocumentRequest, DocumentState, JobBody
from app.api.uploads import keep_files, keep_text
from app.store.documents import DocumentRow, Documents

router = APIRouter(prefix="/v1/collections/{collection_id}/documents", tags=["documents"])

_FILES = {
    "type": "object",
    "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
    "required": ["files"],
}
_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {"schema": _FILES},
        "application/json": {"schema": DocumentRequest.model_json_schema()},
    },
}


@router.post("", status_code=HTTPStatus.ACCEPTED, openapi_extra={"requestBody": _BODY})
async def upload(collection_id: str, request: Request, services: ServicesDep) -> JobBody:
    """Take files, or one document as text, and work on them later; the job tells how far each one is."""
    await to_thread.run_sync(services.collections.get, collection_id)
    services.jobs.check_room()
    folder = services.engine.settings.data_dir / "collections" / collection_id / "uploads"
    paths = await _keep(request, folder)
    return await to_thread.run_sync(services.jobs.submit, collection_id, paths)


@router.get("")
def list_documents(collection_id: str, services: ServicesDep, state: DocumentState | None = None) -> DocumentList:
    """Return the documents of a collection with their states and errors."""
    services.collections.get(collection_id)
    rows = Documents(services.engine.database, collection_id).list()
    return DocumentList(collection=collection_id, documents=[_body(row) for row in rows if state in (None, row.state)])


async def _keep(request: Request, folder: Path) -> list[Path]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        document = _document(await request.body())
        return [await to_thread.run_sync(keep_text, folder, document)]
    if kind != "multipart/form-data":
        detail = f"cannot read a body of type '{kind}'; send multipart/form-data or application/json"
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    async with request.form() as form:
        files = [part for _, part in form.multi_items() if isinstance(part, UploadFile)]
        if not files:
            raise RequestValidationError(
                [{"loc": ("body", "files"), "msg": "send one file or more", "type": "missing"}]
            )
        named = [(file.filename or "", file.file) for file in files]
        return await to_thread.run_sync(keep_files, folder, named)


def _document(body: bytes) -> DocumentRequest:
    try:
        return DocumentRequest.model_validate_json(body)
    except ValidationError as error:
        problems: list[Any] = [{**problem, "loc": ("body", *problem["loc"])} for problem in error.errors()]
        raise RequestValidationError(problems) from error


def _body(row: DocumentRow) -> DocumentBody:
    return DocumentBody(
        doc_id=row.doc_id,
        title=row.title,
        uri=row.uri,
        state=row.state,
        error=row.error,
        published=row.published,
        passages=row.passages,
        ingested_at=row.ingested_at,
    )
