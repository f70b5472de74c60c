"""Passages for a query, without an answer."""

from datetime import UTC, date, datetime

from fastapi import APIRouter

from app.api.deps import ServicesDep
from app.api.schemas import HitBody, SearchBody, SearchRequest
from app.api.times import asked_time, time_body
from app.core.timespan import TimeSpan
from app.core.types import Filter, Hit
from app.questions import make_question

router = APIRouter(prefix="/v1/search", tags=["search"])


@router.post("")
def search(request: SearchRequest, services: ServicesDep) -> SearchBody:
    """Return the best passages of a collection, with the scores of each stage."""
    engine = services.engine
    asked_on = request.asked_on or datetime.now(UTC).date()
    asked = make_question(request.query, asked_on=asked_on, settings=engine.settings, time=asked_time(request.time))
    services.collections.get(request.collection)
    found = engine.search(
        asked.text,
        collection=request.collection,
        run=engine.new_run(),
        top_k=request.top_k,
        mode=request.mode,
        allowed=_filter(request.published_from, request.last_published, undated=request.undated),
        reranker=request.reranker,
        time=asked.time,
    )
    return SearchBody(
        query=asked.text,
        collection=request.collection,
        time=time_body(asked.time),
        hits=[_body(hit) for hit in found.hits],
        degraded=found.degraded,
    )


def _filter(first: date | None, last: date | None, *, undated: bool) -> Filter | None:
    if first is None and last is None:
        return None if undated else Filter(undated=False)
    return Filter(published=TimeSpan(start=first, end=last), undated=undated)


def _body(hit: Hit) -> HitBody:
    return HitBody(rank=hit.rank, score=hit.score, source=hit.source, passage=hit.passage, stages=hit.stages)
