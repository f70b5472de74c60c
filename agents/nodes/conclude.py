"""Ends the work: an answer with its citations, or an abstention with its reason."""

from collections.abc import Mapping
from typing import Any

from langgraph.runtime import Runtime
from pydantic_core import to_jsonable_python

from agents.citing import cite, marked
from agents.confidence import threshold
from agents.dated import dated_gap, dates_of
from agents.operators import older_than_asked
from agents.state import Draft, State, Tools, Verification
from app.core.timespan import TimeSpan
from app.core.types import Answer, AnswerReason, NoteId

_WITHDRAWN = ("unsupported", "contradicted")


def conclude(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return the answer; its text and citations are told before it is complete."""
    answer = answer_of(state, runtime.context)
    if answer.status in ("answered", "partial"):
        tell_answer(answer, runtime.context)
    return {"answer": answer}


def answer_of(state: State, tools: Tools, *, exhausted: str = "") -> Answer:
    """Return what the state amounts to: also when the budget ran out in the middle, and `exhausted` says how.

    A draft whose confidence is below what the odds of the settings ask for is withheld; conflicting evidence, which
    tells no one answer, never is.
    """
    draft, verification = state.get("draft"), state.get("verification")
    if draft is None or verification is None or verification.verdict in _WITHDRAWN:
        return _abstained(state, *_why_not(state), exhausted=exhausted)
    confidence = None if draft.has_conflict else tools.confidence.probability(state["signs"])
    least = threshold(tools.agent.odds)
    if confidence is not None and confidence < least:
        against = [why for why in (tools.confidence.against(state["signs"]), _missing(state)) if why]
        told = f"the drafted answer was withheld: its confidence is {confidence:.2f}, {least:.2f} is asked for"
        return _abstained(state, "insufficient_evidence", "; ".join([told, *against]), exhausted=exhausted)
    return _told(state, draft, verification, confidence=confidence, exhausted=exhausted)


def tell_answer(answer: Answer, tools: Tools) -> None:
    """Emit the text and the citations of an answer."""
    tools.emit("answer.delta", {"text": answer.text})
    for citation in answer.citations:
        tools.emit("citation", _jsonable(citation))


def _told(
    state: State, draft: Draft, verification: Verification, *, confidence: float | None, exhausted: str
) -> Answer:
    notes = state.get("notes", ())
    passages = {passage.passage_id: passage for passage in state["passages"]}
    reason: AnswerReason | None = None
    if exhausted:
        reason = "budget_exhausted"
    elif draft.has_conflict:
        reason = "conflicting_evidence"
    return Answer(
        query_id=state["question"].query_id,
        text=marked(draft),
        short=draft.short,
        confidence=confidence,
        status="partial" if reason else "answered",
        reason=reason,
        detail=exhausted or draft.warning or _too_old(state, draft),
        citations=cite(draft.cited, notes, passages, verdict=verification.verdict, dates=_dates(state)),
        notes=notes,
    )


def _abstained(state: State, why: AnswerReason, detail: str, *, exhausted: str) -> Answer:
    if exhausted:
        why, detail = "budget_exhausted", "; ".join(part for part in (exhausted, _missing(state)) if part)
    return Answer(
        query_id=state["question"].query_id,
        text="",
        status="abstained",
        reason=why,
        detail=detail,
        notes=state.get("notes", ()),
    )


def _too_old(state: State, draft: Draft) -> str:
    """Return the warning that all that is cited is older than what is asked; empty without a time."""
    time = state.get("time")
    if time is None:
        return ""
    cited = {state["notes"][number - 1].passage_id for number in draft.cited}
    dates = [one for passage in state["passages"] if passage.passage_id in cited for one in dates_of(passage)]
    return older_than_asked(dates, time, asked_on=state["question"].asked_on)


def _dates(state: State) -> dict[NoteId, tuple[TimeSpan, ...]]:
    """Return the times that each note tells its value for."""
    found: dict[NoteId, tuple[TimeSpan, ...]] = {}
    for one in state.get("statements", ()):
        if one.when is not None:
            found[one.note_id] = (*found.get(one.note_id, ()), one.when)
    return found


def _why_not(state: State) -> tuple[AnswerReason, str]:
    hits = [hit.passage for found in state.get("hits", {}).values() for hit in found]
    if not hits and not state.get("notes"):
        return "out_of_collection", "no passage of the collection matches the question"
    if names := state.get("unknown_names"):
        return "out_of_collection", f"no passage that was found speaks of {', '.join(names)}"
    if gap := state.get("time_gap"):
        return "time_gap", gap
    missing = [part for part in (_missing(state),) if part]
    verification = state.get("verification")
    if verification is not None:
        findings = "; ".join(c.finding for c in verification.checks if c.finding)
        return "insufficient_evidence", "; ".join([f"the drafted answer was withdrawn: {findings}", *missing])
    if gap := dated_gap(state.get("time"), hits):
        return "time_gap", "; ".join([gap, *missing])
    return "insufficient_evidence", "; ".join(["the passages that were read do not tell the answer", *missing])


def _missing(state: State) -> str:
    """Return the first fact that was not established, the hop that is missing; empty where none is."""
    lacking = [goal for goal in state.get("goals", ()) if goal.status in ("open", "unsatisfied")]
    return f"missing: {lacking[0].missing or lacking[0].text or lacking[0].pattern}" if lacking else ""


def _jsonable(record: object) -> Mapping[str, Any]:
    content: Mapping[str, Any] = to_jsonable_python(record)
    return content
