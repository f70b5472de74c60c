"""Answers from the notes alone."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from langgraph.runtime import Runtime
from pydantic import BaseModel

from agents.asking import ask_with_confidence
from agents.citing import bind_markers, needed, without_markers
from agents.nodes.note import is_unknown
from agents.reading import headed, one_line
from agents.state import Draft, State, Tools
from app.core.prompts import load_prompt
from app.core.types import EvidenceNote

_YEAR = re.compile(r"\b\d{4}\b")
_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DAY = re.compile(rf"\b(?:\d{{1,2}} {_MONTH},? \d{{4}}|{_MONTH} \d{{1,2}},? \d{{4}}|\d{{4}}-\d{{2}}-\d{{2}})\b")
_PRESENT = re.compile(r"\b(?:is|are|has|have|holds?|heads?|leads?|runs?|now|currently|today)\b", re.IGNORECASE)


class Reply(BaseModel):
    """What the model answers; the sentence is written first, so that the short answer follows from it."""

    facts: list[int]
    sentence: str
    answer: str


def answer(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return a draft bound to the notes it cites, or no draft when the notes do not tell."""
    tools = runtime.context
    if not state.get("notes"):
        return {"draft": None}
    with tools.tracer.step("answer") as step:
        tools.run.check()
        notes = state["notes"]
        order = order_of_facts(state["question"].text, notes)
        titles = _titles(state)
        reply, confidence = _ask(tools, state, order, titles)
        _, picked, dropped = bind_markers(reply.sentence, reply.facts, notes=len(notes))
        cited = tuple(order[number - 1] + 1 for number in picked)
        if is_unknown(reply.answer) or not cited:
            step.tell("the notes do not tell", reply=reply.answer, dropped_markers=dropped)
            return {"draft": None}
        cited = needed(cited, notes, titles, short=reply.answer, question=state["question"].text)
        text, cited, _ = bind_markers(without_markers(reply.sentence or reply.answer), cited, notes=len(notes))
        step.tell(f"drafted from {len(cited)} of {len(notes)} notes", cited=list(cited), dropped_markers=dropped)
    short = full_date(reply.answer.strip().rstrip("."), text, question=state["question"].text)
    return {"draft": Draft(short=short, text=text, cited=cited, confidence=confidence, dropped_markers=dropped)}


def full_date(short: str, sentence: str, *, question: str) -> str:
    """Return the day that the sentence gives when the short answer is its bare year and no year was asked for."""
    if not _YEAR.fullmatch(short) or "year" in question.lower():
        return short
    days = dict.fromkeys(match[0] for match in _DAY.finditer(sentence) if short in match[0])
    return next(iter(days)) if len(days) == 1 else short


def order_of_facts(question: str, notes: Sequence[EvidenceNote]) -> list[int]:
    """Return the positions of the notes as they are shown: as they were found, but for a question about now.

    There the latest published come first, since a model believes what it reads first and an old fact may have been
    superseded; undated notes come last.
    """
    order = list(range(len(notes)))
    if _YEAR.search(question) or not _PRESENT.search(question):
        return order
    dates = [note.published.start if note.published and note.published.start else date.min for note in notes]
    return sorted(order, key=lambda position: dates[position], reverse=True)


def _titles(state: State) -> list[str]:
    """Return the title of each note's document."""
    titles = {passage.passage_id: passage.title for passage in state["passages"]}
    return [titles[note.passage_id] for note in state["notes"]]


def _ask(tools: Tools, state: State, order: Sequence[int], titles: Sequence[str]) -> tuple[Reply, float | None]:
    shown = [(titles[position], state["notes"][position]) for position in order]
    facts = [f"{number}. {headed(title, n.published, n.quote)}" for number, (title, n) in enumerate(shown, start=1)]
    prompt = load_prompt("agents", "answer").render(
        schema=_schema(len(facts)),
        nonce=tools.run.nonce,
        facts="\n".join(facts),
        question=one_line(state["question"].text),
    )
    return ask_with_confidence(tools, prompt, shape=Reply, field="answer", max_tokens=140)


def _schema(facts: int) -> dict[str, Any]:
    number = {"type": "integer", "minimum": 1, "maximum": facts}
    return {
        "type": "object",
        "properties": {
            "facts": {"type": "array", "items": number, "minItems": 1, "maxItems": 4},
            "sentence": {"type": "string", "maxLength": 300},
            "answer": {"type": "string", "maxLength": 80},
        },
        "required": ["facts", "sentence", "answer"],
        "additionalProperties": False,
    }
