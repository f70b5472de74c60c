"""What an answer log holds: one record per event, numbered without gaps, the last one final."""

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
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
    "tree.node",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer that outlives its process: its id names its checkpoints, `told` are the events it has told so far."""

    answer_id: AnswerId
    told: Sequence[Event] = ()


def untold(emit: Emit, told: Sequence[Event]) -> Emit:
    """Return an emit that passes over the events `told` before, as long as they come again in their order.

    What was told after the last checkpoint is told anew by the step that begins again; its times may differ.
    """
    left = deque((event.name, _timeless(event.data)) for event in told)

    def emit_untold(name: EventName, data: Mapping[str, Any]) -> None:
        if left and left.popleft() == (name, _timeless(data)):
            return
        left.clear()
        emit(name, data)

    return emit_untold


def _timeless(data: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps({key: value for key, value in data.items() if key not in ("ts", "seconds")}))


def ignore(name: EventName, data: Mapping[str, Any]) -> None:
    """Emit to nobody."""
