"""Reads what was found for each goal: the model picks the sentences that tell, code makes notes of them and judges."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from langgraph.runtime import Runtime
from pydantic import BaseModel

from agents.answer_kind import kind_asked
from agents.asking import ask_all
from agents.citing import needed
from agents.composing import full_date
from agents.nodes.search import time_of
from agents.notes import grounded, note_id_of, notes_from_picks
from agents.planning import ready, references
from agents.reading import choose_sentences, one_line, show
from agents.state import Goal, Sentence, State, Tools
from agents.sufficiency import is_unknown, judged, rewritten
from app.core.prompts import load_prompt
from app.core.trace import OpenStep
from app.core.types import EvidenceNote, Hit, Passage, Prompt

PICKS = 3


class Reading(BaseModel):
    """What the model reads out of the sentences; they come first, so that the claim and the answer follow from them."""

    sentences: list[int]
    claim: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """One goal after its reading, with the notes it brought and what it read."""

    goal: Goal
    notes: tuple[EvidenceNote, ...] = ()
    passages: tuple[Passage, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    rejected: int = 0


def note(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return the goals as they stand now, with new notes; all goals that have hits are read in one batch of calls."""
    tools = runtime.context
    goals = ready(state["goals"])
    with tools.tracer.step("note") as step:
        tools.run.check()
        unread = [_unread(state, tools, goal) for goal in goals]
        offered = [_offered(state, tools, goal, hits) for goal, hits in zip(goals, unread, strict=True)]
        read_now = [
            _judged(state, tools, goal, sentences, reading)
            for goal, sentences, reading in zip(goals, offered, _read_all(tools, goals, offered), strict=True)
        ]
        _tell(step, tools, read_now)
    by_number = {one.goal.number: one.goal for one in read_now}
    known = {note.note_id for note in state.get("notes", ()) if note.stance != "background"}
    return {
        "goals": tuple(by_number.get(goal.number, goal) for goal in state["goals"]),
        "notes": tuple(note for one in read_now for note in one.notes if note.note_id not in known),
        "passages": tuple(passage for one in read_now for passage in one.passages),
        "read": tuple(
            (goal.number, hit.passage.passage_id) for goal, hits in zip(goals, unread, strict=True) for hit in hits
        ),
    }


def _unread(state: State, tools: Tools, goal: Goal) -> list[Hit]:
    """Return the best hits that were not read for a goal before."""
    known = {passage for number, passage in state.get("read", ()) if number == goal.number}
    rest = [hit for hit in state["hits"].get(goal.number, ()) if hit.passage.passage_id not in known]
    return rest[: tools.agent.passages]


def _offered(state: State, tools: Tools, goal: Goal, hits: Sequence[Hit]) -> list[Sentence]:
    """Return the sentences that are shown for a goal: none that the asker does not want to see used again.

    One that is bound to a time is shown half as much: hits were ranked by time, and what follows tells of other times.
    """
    is_timed = time_of(goal, state, tools) is not None
    characters = tools.agent.characters // 2 if is_timed else tools.agent.characters
    chosen = choose_sentences(hits, goal.text, characters=characters, embedder=tools.embedder, run=tools.run)
    rejected = state["question"].rejected_notes
    return [one for one in chosen if note_id_of(one.passage, one.start, one.end) not in rejected]


def _read_all(
    tools: Tools, goals: Sequence[Goal], offered: Sequence[list[Sentence]]
) -> list[tuple[Reading, float | None] | None]:
    """Return what the model reads for each goal, None where there is nothing to read."""
    prompts = [_prompt(tools, goal, shown) for goal, shown in zip(goals, offered, strict=True) if shown]
    readings = iter(ask_all(tools, prompts, shape=Reading, field="answer", max_tokens=160))
    return [next(readings) if shown else None for shown in offered]


def _prompt(tools: Tools, goal: Goal, offered: list[Sentence]) -> Prompt:
    return load_prompt("agents", "note").render(
        schema=_schema(len(offered)),
        nonce=tools.run.nonce,
        sentences=show(offered),
        question=one_line(goal.text),
        kind=kind_asked(goal.text),
    )


def _schema(sentences: int) -> dict[str, Any]:
    number = {"type": "integer", "minimum": 1, "maximum": sentences}
    return {
        "type": "object",
        "properties": {
            "sentences": {"type": "array", "items": number, "minItems": 1, "maxItems": PICKS},
            "claim": {"type": "string", "maxLength": 240},
            "answer": {"type": "string", "maxLength": 80},
        },
        "required": ["sentences", "claim", "answer"],
        "additionalProperties": False,
    }


def _judged(
    state: State, tools: Tools, goal: Goal, offered: Sequence[Sentence], reading: tuple[Reading, float | None] | None
) -> _Read:
    """Return the goal with what was read for it: established, or with its next query, or given up."""
    if reading is None:
        return _Read(goal=_given_up(goal))
    reply, confidence = reading
    said = "" if is_unknown(reply.answer) else reply.answer
    picks = grounded(reply.sentences[:PICKS], offered, answer=said, question=goal.text)
    notes, rejected = notes_from_picks(picks, offered, claim=reply.claim)
    passages = _passages_of(notes, offered)
    titles = [passage.title for passage in passages]
    answer = full_date(reply.answer.strip().rstrip("."), reply.claim, question=goal.text)
    goal = replace(goal, answer=answer, claim=reply.claim, confidence=confidence, tries=goal.tries + 1)
    rests_on = [one.answer for one in state["goals"] if one.number in references(goal.pattern)]
    goal = judged(goal, notes, titles, rests_on=rests_on)
    if goal.status == "unsatisfied":
        query = rewritten(goal, state["question"].text, notes, titles) or goal.query
        notes = [replace(note, stance="background", claim="") for note in notes]
        goal = replace(goal, status="open", query=query) if goal.tries <= tools.agent.rewrites else _given_up(goal)
    told = {passage.passage_id: passage.title for passage in passages}
    each = [told[note.passage_id] for note in notes]
    cited = needed(range(1, len(notes) + 1), notes, each, short=goal.answer, question=goal.text)
    goal = replace(goal, note_ids=tuple(notes[number - 1].note_id for number in cited))
    return _Read(goal=goal, notes=tuple(notes), passages=tuple(passages), sentences=tuple(offered), rejected=rejected)


def _given_up(goal: Goal) -> Goal:
    said = "" if is_unknown(goal.answer) else f" ('{goal.answer}' is in no quote)"
    return replace(goal, status="unsatisfied", answer="", claim="", missing=f"{goal.text}{said}")


def _passages_of(notes: Sequence[EvidenceNote], offered: Sequence[Sentence]) -> list[Passage]:
    by_id = {s.passage.passage_id: s.passage for s in offered}
    return [by_id[key] for key in dict.fromkeys(note.passage_id for note in notes)]


def _tell(step: OpenStep, tools: Tools, read_now: Sequence[_Read]) -> None:
    step.tell(
        "; ".join(_summary(one) for one in read_now),
        goals=[
            {
                "number": one.goal.number,
                "text": one.goal.text,
                "status": one.goal.status,
                "answer": one.goal.answer,
                "next_query": one.goal.query,
                "read": len(one.sentences),
                "noted": [note.quote for note in one.notes],
                "rejected_picks": one.rejected,
            }
            for one in read_now
        ],
    )
    for one in read_now:
        titles = {passage.passage_id: passage.title for passage in one.passages}
        for note in one.notes:
            tools.emit("note.added", _row(note, titles[note.passage_id]))
        if one.rejected:
            tools.emit("note.rejected", {"count": one.rejected, "reason": "a pick named no sentence, or one twice"})


def _summary(one: _Read) -> str:
    if not one.sentences:
        return f"'{one.goal.text}': nothing new to read"
    told = {"open": "not told, searched again", "unsatisfied": "not told"}.get(one.goal.status, one.goal.answer)
    return f"'{one.goal.text}': {told} ({len(one.sentences)} sentences read, {len(one.notes)} noted)"


def _row(note: EvidenceNote, title: str) -> dict[str, Any]:
    return {
        "note_id": note.note_id,
        "claim": note.claim,
        "quote": note.quote,
        "doc_id": note.doc_id,
        "passage_id": note.passage_id,
        "title": title,
        "published": str(note.published or ""),
    }
