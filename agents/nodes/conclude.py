"""Ends the work: an answer with its citations, or an abstention with its reason."""

from collections.abc import Mapping
from typing import Any

from langgraph.runtime import Runtime
from pydantic_core import to_jsonable_python

from agents.citing import cite
from agents.state import State, Tools
from app.core.types import Answer, AnswerReason, AnswerStatus


def conclude(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return the answer; its text and citations are told before it is complete."""
    answer = answer_of(state)
    if answer.status == "answered":
        tell_answer(answer, runtime.context)
    return {"answer": answer}


def answer_of(state: State, *, exhausted: str = "") -> Answer:
    """Return what the state amounts to: also when the budget ran out in the middle, and `exhausted` says how."""
    question = state["question"]
    draft, verification = state.get("draft"), state.get("verification")
    notes = state.get("notes", ())
    if draft is None or verification is None or verification.verdict in ("unsupported", "contradicted"):
        reason, detail = _why_not(state)
        return Answer(
            query_id=question.query_id,
            text="",
            status="abstained",
            reason="budget_exhausted" if exhausted else reason,
            detail=exhausted or detail,
            notes=notes,
        )
    passages = {passage.passage_id: passage for passage in state["passages"]}
    status: AnswerStatus = "partial" if exhausted else "answered"
    return Answer(
        query_id=question.query_id,
        text=draft.text,
        short=draft.short,
        confidence=draft.confidence,
        status=status,
        reason="budget_exhausted" if exhausted else None,
        detail=exhausted,
        citations=cite(draft.cited, notes, passages, verdict=verification.verdict),
        notes=notes,
    )


def tell_answer(answer: Answer, tools: Tools) -> None:
    """Emit the text and the citations of an answer."""
    tools.emit("answer.delta", {"text": answer.text})
    for citation in answer.citations:
        tools.emit("citation", _jsonable(citation))


def _why_not(state: State) -> tuple[AnswerReason, str]:
    if not state.get("hits"):
        return "out_of_collection", "no passage of the collection matches the question"
    if names := state.get("unknown_names"):
        return "out_of_collection", f"no passage that was found speaks of {', '.join(names)}"
    if not state.get("notes"):
        return "insufficient_evidence", "no passage that was read tells something needed for the answer"
    verification = state.get("verification")
    if verification is not None:
        findings = "; ".join(c.finding for c in verification.checks if c.finding)
        return "insufficient_evidence", f"the drafted answer was withdrawn: {findings}"
    return "insufficient_evidence", "the passages that were found do not tell the answer"


def _jsonable(record: object) -> Mapping[str, Any]:
    content: Mapping[str, Any] = to_jsonable_python(record)
    return content
