"""Passages for a query, without an answer."""

from datetime import UTC, date, datetime

from fastapi import APIRouter

from app.api.deps import ServicesDep
from app.api.schemas import HitBody, SearchBody, SearchRequest
from app.core.timespan import TimeSpan
from app.core.types import Filter, Hit
from app.engine import make_question

router = APIRouter(prefix="/v1/search", tags=["search"])


@router.post("")
def search(request: SearchRequest, services: ServicesDep) -> SearchBody:
    """Return the best passages of a collection, with the scores of each stage."""
    engine = services.engine
    today = datetime.now(UTC).date()
    query = make_question(request.query, asked_on=today, settings=engine.settings).text
    services.collections.get(request.collection)
    hits = engine.search(
        query,
        collection=request.collection,
        run=engine.new_run(),
        top_k=request.top_k,
        mode=request.mode,
        allowed=_filter(request.published_from, request.published_to, undated=request.undated),
    )
    return SearchBody(query=query, collection=request.collection, hits=[_body(hit) for hit in hits])


def _filter(first: date | None, last: date | None, *, undated: bool) -> Filter | None:
    if first is None and last is None:
        return None if undated else Filter(undated=False)
    return Filter(published=TimeSpan(start=first, end=last), undated=undated)


def _body(hit: Hit) -> HitBody:
    return HitBody(rank=hit.rank, score=hit.score, source=hit.source, passage=hit.passage, stages=hit.stages)
