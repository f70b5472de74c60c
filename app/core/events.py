"""What an answer log holds: one record per event, numbered without gaps, the last one final."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.core.types import AnswerId

EventName = Literal[
    "answer.started",
    "question.understood",
    "plan.created",
    "time.resolved",
    "step.started",
    "step.finished",
    "search.results",
    "note.added",
    "note.rejected",
    "draft.delta",
    "answer.delta",
    "citation",
    "verification",
    "answer.completed",
    "error",
    "done",
]

Emit = Callable[[EventName, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of an answer's log; `seq` counts from 1, `done` is always last."""

    answer_id: AnswerId
    seq: int
    name: EventName
    data: Mapping[str, Any]


def ignore(name: EventName, data: Mapping[str, Any]) -> None:
    """Emit to nobody."""
