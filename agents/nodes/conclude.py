"""Ends the work: an answer with its citations, or an abstention with its reason."""

from collections.abc import Mapping
from typing import Any

from langgraph.runtime import Runtime
from pydantic_core import to_jsonable_python

from agents.citing import cite, marked
from agents.state import State, Tools
from app.core.timespan import TimeSpan
from app.core.types import Answer, AnswerReason, AnswerStatus, NoteId


def conclude(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return the answer; its text and citations are told before it is complete."""
    answer = answer_of(state)
    if answer.status in ("answered", "partial"):
        tell_answer(answer, runtime.context)
    return {"answer": answer}


def answer_of(state: State, *, exhausted: str = "") -> Answer:
    """Return what the state amounts to: also when the budget ran out in the middle, and `exhausted` says how."""
    question = state["question"]
    draft, verification = state.get("draft"), state.get("verification")
    notes = state.get("notes", ())
    if draft is None or verification is None or verification.verdict in ("unsupported", "contradicted"):
        why, detail = _why_not(state)
        return Answer(
            query_id=question.query_id,
            text="",
            status="abstained",
            reason="budget_exhausted" if exhausted else why,
            detail=exhausted or detail,
            notes=notes,
        )
    passages = {passage.passage_id: passage for passage in state["passages"]}
    reason: AnswerReason | None = None
    if exhausted:
        reason = "budget_exhausted"
    elif draft.has_conflict:
        reason = "conflicting_evidence"
    status: AnswerStatus = "partial" if reason else "answered"
    return Answer(
        query_id=question.query_id,
        text=marked(draft),
        short=draft.short,
        confidence=draft.confidence,
        status=status,
        reason=reason,
        detail=exhausted or draft.warning,
        citations=cite(draft.cited, notes, passages, verdict=verification.verdict, dates=_dates(state)),
        notes=notes,
    )


def tell_answer(answer: Answer, tools: Tools) -> None:
    """Emit the text and the citations of an answer."""
    tools.emit("answer.delta", {"text": answer.text})
    for citation in answer.citations:
        tools.emit("citation", _jsonable(citation))


def _dates(state: State) -> dict[NoteId, tuple[TimeSpan, ...]]:
    """Return the times that each note tells its value for."""
    found: dict[NoteId, tuple[TimeSpan, ...]] = {}
    for one in state.get("statements", ()):
        if one.when is not None:
            found[one.note_id] = (*found.get(one.note_id, ()), one.when)
    return found


def _why_not(state: State) -> tuple[AnswerReason, str]:
    if not any(state.get("hits", {}).values()):
        return "out_of_collection", "no passage of the collection matches the question"
    if names := state.get("unknown_names"):
        return "out_of_collection", f"no passage that was found speaks of {', '.join(names)}"
    if gap := state.get("time_gap"):
        return "time_gap", gap
    verification = state.get("verification")
    if verification is not None:
        findings = "; ".join(c.finding for c in verification.checks if c.finding)
        return "insufficient_evidence", f"the drafted answer was withdrawn: {findings}"
    missing = [goal.missing for goal in state.get("goals", ()) if goal.missing]
    return "insufficient_evidence", "; ".join(["the passages that were read do not tell the answer", *missing[:1]])


def _jsonable(record: object) -> Mapping[str, Any]:
    content: Mapping[str, Any] = to_jsonable_python(record)
    return content
