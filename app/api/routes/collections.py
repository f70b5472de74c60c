"""Collections: listed, made and looked at, with the passages they hold."""

from http import HTTPStatus

from fastapi import APIRouter

from app.api.deps import ServicesDep
from app.api.problems import Refusal
from app.api.schemas import CollectionBody, CollectionList, CollectionRequest
from app.core.types import Passage, PassageId
from app.store.collections import Collection
from app.store.passages import Passages

router = APIRouter(prefix="/v1/collections", tags=["collections"])


@router.get("")
def list_collections(services: ServicesDep) -> CollectionList:
    """Return all collections."""
    return CollectionList(collections=[_body(row) for row in services.collections.list()])


@router.post("", status_code=HTTPStatus.CREATED)
def create(request: CollectionRequest, services: ServicesDep) -> CollectionBody:
    """Make an empty collection."""
    if any(row.collection_id == request.collection_id for row in services.collections.list()):
        detail = f"collection '{request.collection_id}' exists already"
        raise Refusal(HTTPStatus.CONFLICT, "collection_exists", detail)
    return _body(services.collections.create(request.collection_id))


@router.get("/{collection_id}")
def read(collection_id: str, services: ServicesDep) -> CollectionBody:
    """Return one collection."""
    return _body(services.collections.get(collection_id))


@router.get("/{collection_id}/passages/{passage_id:path}")
def read_passage(collection_id: str, passage_id: PassageId, services: ServicesDep) -> Passage:
    """Return a passage by its id, percent-encoded in the path; one whose document was changed is not found."""
    services.collections.get(collection_id)
    return Passages(services.engine.database, collection_id).get([passage_id])[0]


def _body(row: Collection) -> CollectionBody:
    return CollectionBody(
        collection_id=row.collection_id,
        created_at=row.created_at,
        documents=row.documents,
        passages=row.passages,
        generation=row.generation,
    )
