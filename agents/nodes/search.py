"""Searches the collection for the query in hand."""

from collections.abc import Sequence
from typing import Any

from langgraph.runtime import Runtime

from agents.names import numbered_names_in, speaks_of
from agents.state import State, Tools
from app.core.timespan import TimeSpan
from app.core.types import Filter, Hit, Query, QueryId, Question


def search(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return the best hits of the query, reranked; what was published after `as_of` is left out."""
    tools = runtime.context
    text = state["query"]
    number = len(state.get("queries", ())) + 1
    with tools.tracer.step("search") as step:
        tools.run.check()
        query = Query(
            query_id=QueryId(f"{state['question'].query_id}.{number}"),
            text=text,
            purpose="original" if number == 1 else "sub_question",
            time=state.get("time"),
        )
        found = tools.retriever.retrieve(
            query, top_k=tools.search.depth, run=tools.run, allowed=published_until(state["question"])
        )
        reranking = tools.reranker.rerank(query, found, top_k=tools.agent.passages, run=tools.run)
        step.tell(
            f"'{text}': {len(found)} found, {len(reranking.hits)} read",
            query=text,
            found=_documents(found),
            hits=_rows(reranking.hits),
        )
        if reranking.degraded:
            degraded = {"reason": reranking.degraded.reason, "coverage": reranking.degraded.coverage}
            step.tell(step.summary + f", reranking degraded ({reranking.degraded.reason})", degraded=degraded)
        tools.emit("search.results", {"query": text, "hits": _rows(reranking.hits)})
    return {"hits": reranking.hits, "queries": (text,), "unknown_names": unknown_names(state["question"].text, found)}


def unknown_names(question: str, found: Sequence[Hit]) -> tuple[str, ...]:
    """Return the numbered names of the question that no passage found speaks of, however far down."""
    texts = [f"{hit.passage.title}. {hit.passage.text}" for hit in found]
    return tuple(name for name in numbered_names_in(question) if not any(speaks_of(name, text) for text in texts))


def published_until(question: Question) -> Filter | None:
    """Return the filter of a question that is asked as of an earlier day; undated passages pass."""
    if question.as_of is None:
        return None
    return Filter(published=TimeSpan(start=None, end=question.as_of))


def _documents(hits: Sequence[Hit]) -> list[str]:
    """Return the documents found, best first, each once."""
    return list(dict.fromkeys(hit.passage.doc_id for hit in hits))


def _rows(hits: tuple[Hit, ...]) -> list[dict[str, Any]]:
    return [
        {
            "rank": hit.rank,
            "passage_id": hit.passage.passage_id,
            "doc_id": hit.passage.doc_id,
            "title": hit.passage.title,
            "published": str(hit.passage.published or ""),
            "stages": [{"name": s.name, "rank": s.rank, "score": round(s.score, 6)} for s in hit.stages],
        }
        for hit in hits
    ]
