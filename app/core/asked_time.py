"""How the time that a question asks for is told: the same words and the same JSON on every surface."""

from typing import Any, Literal

from pydantic_core import to_jsonable_python

from app.core.timespan import TimeConstraint

Source = Literal["question", "user"]

_COUNTED = frozenset({"first", "last", "nth"})


def source_of(time: TimeConstraint) -> Source:
    """Return where a constraint comes from: words of the question, or the user, whose has no surface."""
    return "question" if time.surface else "user"


def time_words(time: TimeConstraint) -> str:
    """Return a constraint in words: `during 2004, read from 'in 2004'`, `since 2004-03, as you set it`."""
    origin = f"read from '{time.surface}'" if time.surface else "as you set it"
    return f"{_demanded(time)}, {origin}"


def time_json(time: TimeConstraint | None) -> dict[str, Any] | None:
    """Return a constraint's own fields and its `source`; None for none."""
    return None if time is None else {**to_jsonable_python(time), "source": source_of(time)}


def _demanded(time: TimeConstraint) -> str:
    relation = time.relation.replace("_", " ") if time.ordinal is None else f"number {time.ordinal}"
    if time.span is None:
        return f"{relation} '{time.anchor}'" if time.anchor else relation
    days = str(time.span).replace(" to ", "–")
    is_open = time.span.start is None or time.span.end is None
    if time.relation in _COUNTED:
        return f"{relation} {days}" if is_open else f"{relation} in {days}"
    return days if is_open else f"{relation} {days}"
