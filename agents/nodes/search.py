"""Searches the collection for every goal whose question is known."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from langgraph.runtime import Runtime

from agents.names import numbered_names_in, speaks_of
from agents.planning import ready
from agents.state import Goal, State, Tools
from app.core.errors import InvalidQuestion
from app.core.timespan import TimeConstraint, TimeSpan
from app.core.types import Filter, Hit, Query, QueryId, Question, Reranking


def search(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return the best hits of each goal, reranked, all found in one batch; nothing published after `as_of` is used.

    A goal that was searched with its query before keeps its hits: they are read further down.
    """
    tools = runtime.context
    tools.run.check()
    goals = {goal.number: replace(goal, query=goal.query or goal.text) for goal in ready(state["goals"])}
    new = [goal for goal in goals.values() if goal.query not in goal.queries]
    done = len(state.get("queries", ()))
    queries = [_query(state, tools, goal, done + place) for place, goal in enumerate(new, start=1)]
    found = tools.retriever.retrieve_many(
        queries, top_k=tools.search.depth, run=tools.run, allowed=published_until(state["question"])
    )
    hits = dict(state.get("hits", {}))
    for goal, query, given in zip(new, queries, found, strict=True):
        hits[goal.number] = _reranked(tools, query, given).hits
        goals[goal.number] = replace(goal, queries=(*goal.queries, goal.query))
    everything = [hit for given in (*found, *hits.values()) for hit in given]
    first_asked = " ".join(goal.text for goal in new if not goal.queries)
    return {
        "goals": tuple(goals.get(goal.number, goal) for goal in state["goals"]),
        "hits": hits,
        "queries": tuple(query.text for query in queries),
        "unknown_names": unknown_names(state["question"].text, first_asked, everything),
    }


def _query(state: State, tools: Tools, goal: Goal, number: int) -> Query:
    return Query(
        query_id=QueryId(f"{state['question'].query_id}.{number}"),
        text=goal.query,
        purpose="original" if goal.query == state["question"].text else "refined" if goal.queries else "sub_question",
        time=time_of(goal, state, tools),
    )


def time_of(goal: Goal, state: State, tools: Tools) -> TimeConstraint | None:
    """Return the time that binds a goal: the question's for the whole and where the asker set it, else its own words'.

    So a date that an earlier goal found binds the search for what was so then.
    """
    question, time = state["question"], state.get("time")
    if goal.is_whole or (time is not None and not time.surface):
        return time
    if not question.reads_time:
        return None
    try:
        return tools.time_reader.read(goal.text, asked_on=question.asked_on, run=tools.run)
    except InvalidQuestion:  # an answer may make a time that no day satisfies
        return None


def _reranked(tools: Tools, query: Query, found: Sequence[Hit]) -> Reranking:
    with tools.tracer.step("search") as step:
        kept = tools.agent.passages * (1 + tools.agent.rewrites)
        reranking = tools.reranker.rerank(query, found, top_k=kept, run=tools.run)
        shown = rows(reranking.hits[: tools.agent.passages])
        step.tell(f"'{query.text}': {len(found)} found", query=query.text, found=_documents(found), hits=shown)
        if reranking.degraded:
            degraded = {"reason": reranking.degraded.reason, "coverage": reranking.degraded.coverage}
            step.tell(step.summary + f", reranking degraded ({reranking.degraded.reason})", degraded=degraded)
        tools.emit("search.results", {"query": query.text, "hits": shown})
    return reranking


def unknown_names(question: str, asked: str, found: Sequence[Hit]) -> tuple[str, ...]:
    """Return the numbered names of the question that were asked for and that no passage found speaks of."""
    names = [name for name in numbered_names_in(question) if speaks_of(name, asked)]
    texts = [f"{hit.passage.title}. {hit.passage.text}" for hit in found]
    return tuple(name for name in names if not any(speaks_of(name, text) for text in texts))


def published_until(question: Question) -> Filter | None:
    """Return the filter of a question that is asked as of an earlier day; undated passages pass."""
    if question.as_of is None:
        return None
    return Filter(published=TimeSpan(start=None, end=question.as_of))


def _documents(hits: Sequence[Hit]) -> list[str]:
    """Return the documents found, best first, each once."""
    return list(dict.fromkeys(hit.passage.doc_id for hit in hits))


def rows(hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Return the hits as traces and events tell them, in order."""
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
