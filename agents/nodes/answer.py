"""Answers from what the goals established, and where that does not do, from the notes alone."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from langgraph.runtime import Runtime
from pydantic import BaseModel

from agents.asking import ask_with_confidence
from agents.citing import bind_markers, needed, without_markers
from agents.composing import compose, full_date
from agents.notes import numbered
from agents.reading import headed, one_line
from agents.state import Claim, Draft, State, Tools
from agents.sufficiency import is_unknown
from app.core.prompts import load_prompt
from app.core.types import EvidenceNote

_YEAR = re.compile(r"\b\d{4}\b")
_PRESENT = re.compile(r"\b(?:is|are|has|have|holds?|heads?|leads?|runs?|now|currently|today)\b", re.IGNORECASE)


class Reply(BaseModel):
    """What the model answers; the sentence is written first, so that the short answer follows from it."""

    facts: list[int]
    sentence: str
    answer: str


def answer(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return a draft: made by code of what the goals established, else written by the model from the notes.

    No draft where the notes do not tell.
    """
    tools = runtime.context
    with tools.tracer.step("answer") as step:
        tools.run.check()
        draft = compose(state["question"].text, state.get("goals", ()), numbered(state["notes"]))
        by = "code from the goals"
        if draft is None and any(note.stance == "supports" for note in state["notes"]):
            draft, by = _written(tools, state), "the model from the notes"
        step.tell(f"drafted by {by}" if draft else "the notes do not tell", cited=list(draft.cited) if draft else [])
    return {"draft": draft}


def _written(tools: Tools, state: State) -> Draft | None:
    notes = state["notes"]
    order = order_of_facts(state["question"].text, notes)
    titles = _titles(state)
    reply, confidence = _ask(tools, state, order, titles)
    _, picked, _ = bind_markers(reply.sentence, reply.facts, notes=len(notes))
    cited = tuple(order[number - 1] + 1 for number in picked)
    if is_unknown(reply.answer) or not cited:
        return None
    cited = needed(cited, notes, titles, short=reply.answer, question=state["question"].text)
    claim = Claim(text=without_markers(reply.sentence or reply.answer), cited=cited)
    short = full_date(reply.answer.strip().rstrip("."), claim.text, question=state["question"].text)
    return Draft(short=short, claims=(claim,), confidence=confidence, by="model")


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
