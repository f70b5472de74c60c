"""Answers a question that is bound to a time: reads all versions of the fact and lets code choose among them."""

from collections.abc import Sequence
from typing import Any

from langgraph.runtime import Runtime

from agents.notes import numbered
from agents.operators import VersionedAnswer, answer_by_version
from agents.reading import choose_sentences
from agents.state import Draft, Sentence, State, Tools
from agents.stating import statements_in
from agents.telling import gap, tell
from agents.timeline import Statement, Timeline, build_timeline
from app.core.timespan import TimeConstraint
from app.core.types import EvidenceNote, Passage

_CHARACTERS = 1500  # of sentences beside those of the notes: the model writes a value for each
_COUNTED = frozenset({"first", "last", "nth"})


def is_decidable(time: TimeConstraint | None) -> bool:
    """Tell whether code can choose by a constraint: it has days, or asks for today.

    'The first' without a window is left to the model: mostly a document says itself who was, and in a question of
    several hops the word may belong to any of them.
    """
    return time is not None and (time.span is not None or time.relation == "current")


def version(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return the notes that tell a value, and a draft made by code; no draft where no value or only others are told."""
    tools, time = runtime.context, state["time"]
    if time is None:
        return {}
    with tools.tracer.step("version") as step:
        tools.run.check()
        sentences = _sentences(state, tools, time)
        statements, read = statements_in(tools, sentences, question=time.rest or state["question"].text)
        known = {note.note_id for note in state["notes"]}
        fresh = tuple(note for note in read if note.note_id not in known)
        timeline = build_timeline(statements, lasting=time.relation not in _COUNTED)
        answer = answer_by_version(timeline, time, asked_on=state["question"].asked_on)
        draft = _draft(answer, timeline, [*state["notes"], *fresh])
        step.tell(
            draft.claims[0].text
            if draft
            else gap(answer)
            if answer.reason == "time_gap"
            else "no value is told with a time",
            statements=[_row(one) for one in timeline.statements],
            decision=answer.reason or "answered",
            warning=answer.warning,
        )
    return {
        "notes": fresh,
        "passages": _passages(sentences, fresh),
        "statements": tuple(statements),
        "time_gap": gap(answer) if answer.reason == "time_gap" else "",
        "draft": draft,
    }


def _draft(answer: VersionedAnswer, timeline: Timeline, notes: Sequence[EvidenceNote]) -> Draft | None:
    if not answer.versions:
        return None
    conflict = answer.reason == "conflict"
    dates = tuple(one.when for one in timeline.statements if one.when is not None)
    short = "" if conflict else answer.versions[0].value
    claims = tell(answer, timeline, numbered(notes))
    return Draft(short=short, claims=claims, dates=dates, warning=answer.warning, has_conflict=conflict)


def _sentences(state: State, tools: Tools, time: TimeConstraint) -> list[Sentence]:
    """Return the sentences of the notes, then those of the hits that are nearest to the question without its time."""
    passages = {passage.passage_id: passage for passage in state["passages"]}
    noted = [Sentence(passage=passages[one.passage_id], start=one.start, end=one.end) for one in state["notes"]]
    hits = [hit for found in state["hits"].values() for hit in found]
    near = choose_sentences(hits, time.rest, characters=_CHARACTERS, embedder=tools.embedder, run=tools.run)
    return list({one.span: one for one in [*noted, *near]}.values())


def _passages(sentences: Sequence[Sentence], notes: Sequence[EvidenceNote]) -> tuple[Passage, ...]:
    wanted = {note.passage_id for note in notes}
    by_id = {one.passage.passage_id: one.passage for one in sentences}
    return tuple(passage for key, passage in by_id.items() if key in wanted)


def _row(one: Statement) -> dict[str, str]:
    return {"value": one.value, "when": str(one.when or ""), "told": one.told, "note_id": one.note_id}
