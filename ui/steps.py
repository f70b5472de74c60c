"""What an answer's events say of the way it came about, as lines to read while it is worked on."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from pydantic import TypeAdapter

from app.core.asked_time import time_words
from app.core.timespan import TimeConstraint
from ui.client import Event

_DOING = {
    "follow_up": "Reading the question in its conversation",
    "understand": "Understanding the question",
    "plan": "Splitting the question",
    "search": "Searching the collection",
    "rerank": "Ordering what was found",
    "note": "Reading the passages",
    "version": "Putting what they tell in order of time",
    "reformulate": "Writing another query",
    "tree": "Weighing the answers",
    "turn": "Thinking",
    "answer": "Writing the answer",
    "verify": "Checking each sentence",
    "done": "Finishing",
}
_NEXT = {
    "plan.created": "Searching the collection",
    "search.results": "Reading the passages",
    "note.added": "Writing the answer",
    "verification": "Finishing",
}
_CONSTRAINT = TypeAdapter(TimeConstraint)
_TOLD_OTHERWISE = frozenset({"follow_up", "search", "done"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was done: `text` in plain words, `seconds` when it is known."""

    kind: Literal["plan", "search", "step"]
    text: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundNote:
    """A piece of evidence while the answer is not there yet."""

    quote: str
    title: str
    published: str


def lines_of(events: Sequence[Event]) -> list[Line]:
    """Return what was done so far, a search with what came of it."""
    noted = _noted(events)
    lines: list[Line] = []
    for event in events:
        name = event["event"]
        if name == "question.understood":
            lines.append(Line(kind="plan", text=f"Understood as: {event['understood_as']}"))
        elif name == "plan.created" and len(event["parts"]) > 1:
            lines.append(Line(kind="plan", text="Looking for: " + " \u00b7 ".join(event["parts"])))
        elif name == "time.resolved":
            lines.append(Line(kind="plan", text=f"Time: {time_words(_CONSTRAINT.validate_python(_fields(event)))}"))
        elif name == "search.results":
            lines.append(Line(kind="search", text=_search(event, noted[event["seq"]])))
        elif name == "step.finished" and event["node"] not in _TOLD_OTHERWISE:
            text = doing(event["node"]) + (f": {event['summary']}" if event["summary"] else "")
            lines.append(Line(kind="step", text=text, seconds=event["seconds"]))
    return lines


def doing(node: str) -> str:
    """Return what a step does, in plain words."""
    return _DOING.get(node, node.replace("_", " ").capitalize())


def current(events: Sequence[Event]) -> str:
    """Return what is being done now: the step that began last, or what follows the last event."""
    if not events:
        return "Waiting for a free worker"
    for event in reversed(events):
        if event["event"] == "step.started":
            return doing(event["node"])
        if event["event"] in _NEXT:
            return _NEXT[event["event"]]
    return "Understanding the question"


def notes_of(events: Iterable[Event]) -> list[FoundNote]:
    """Return the evidence so far."""
    return [
        FoundNote(quote=event["quote"], title=event["title"], published=event["published"])
        for event in events
        if event["event"] == "note.added"
    ]


def text_of(events: Iterable[Event]) -> str:
    """Return the answer's text so far."""
    return "".join(event["text"] for event in events if event["event"] == "answer.delta")


def _fields(event: Event) -> dict[str, Any]:
    return {field.name: event[field.name] for field in fields(TimeConstraint)}


def _search(event: Event, noted: int) -> str:
    found = len(event["hits"])
    passages = "1 passage" if found == 1 else f"{found} passages"
    return f"Searching \u2018{event['query']}\u2019: {passages}, {noted} noted"


def _noted(events: Iterable[Event]) -> Counter[int]:
    """Return how many notes came of each search, by its `seq`: of the last one that found the note's passage."""
    finder: dict[str, int] = {}
    noted: Counter[int] = Counter()
    for event in events:
        if event["event"] == "search.results":
            finder |= {hit["passage_id"]: event["seq"] for hit in event["hits"]}
        elif event["event"] == "note.added" and event["passage_id"] in finder:
            noted[finder[event["passage_id"]]] += 1
    return noted
