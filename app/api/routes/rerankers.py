"""What can order the hits of a question."""

from fastapi import APIRouter

from app.api.deps import ServicesDep
from app.api.schemas import RerankerList
from app.core import registry

router = APIRouter(prefix="/v1/rerankers", tags=["search"])


@router.get("")
def names(services: ServicesDep) -> RerankerList:
    """Return the rerankers by name; whether the server's models can do what one needs shows when it is named."""
    default = services.engine.settings.search.reranker.name
    return RerankerList(rerankers=list(registry.names("rerankers")), default=default)
