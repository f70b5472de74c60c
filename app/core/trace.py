"""How an answer came about: steps, model calls and scores, enough to run it again."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

from pydantic_core import to_jsonable_python

from app.core.asked_time import time_json
from app.core.events import Emit, EventName, ignore
from app.core.ledger import Ledger, ModelCall, Spent
from app.core.run import Run
from app.core.types import Answer, Question, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One node's work; `start` and `seconds` count from the start of the answer."""

    node: str
    start: float
    seconds: float
    summary: str
    details: Mapping[str, Any] = field(default_factory=dict)
    calls: tuple[ModelCall, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The whole way from a question to its answer."""

    trace_id: str
    question: Question
    steps: tuple[Step, ...]
    settings_digest: str
    index_digest: str
    seed: int
    nonce: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Where a run stands, enough for another process to go on: `told` counts its events, `seconds` its time so far."""

    nonce: str
    seconds: float
    steps: tuple[Step, ...]
    spent: Spent
    told: int


class OpenStep:
    """A step while it is worked on: its node sets what it did."""

    def __init__(self) -> None:
        self.summary = ""
        self.details: dict[str, Any] = {}

    def tell(self, summary: str, **details: Any) -> None:
        """Set the one-line summary and the figures behind it."""
        self.summary = summary
        self.details.update(details)


class Tracer:
    """Times the steps of one run, books its model calls to them and tells when each begins and ends."""

    def __init__(self, run: Run, emit: Emit = ignore, *, before: Books | None = None) -> None:
        """Begin, or go on from the books of an earlier process; `run` then has its ledger and nonce, see `resumed`."""
        self._run = run
        self._emit = emit
        self._started = run.clock() - (before.seconds if before else 0.0)
        self._told = before.told if before else 0
        self.steps: list[Step] = list(before.steps) if before else []

    def emit(self, name: EventName, data: Mapping[str, Any]) -> None:
        """Tell an event, and count it."""
        self._emit(name, data)
        self._told += 1

    def books(self) -> Books:
        """Return where the run stands."""
        return Books(
            nonce=self._run.nonce,
            seconds=self._run.clock() - self._started,
            steps=tuple(self.steps),
            spent=self._run.ledger.spent(),
            told=self._told,
        )

    def branch(self, run: Run, emit: Emit) -> "Tracer":
        """Return a tracer of work that goes on beside other work, on the same clock; its steps are its own."""
        tracer = Tracer(run, emit)
        tracer._started = self._started
        return tracer

    @contextmanager
    def step(self, node: str) -> Iterator[OpenStep]:
        """Open a step; it is kept when the block ends, by an exception too."""
        start, seen = self._run.clock(), len(self._run.ledger.calls())
        opened = OpenStep()
        self.emit("step.started", {"node": node})
        try:
            yield opened
        finally:
            step = Step(
                node=node,
                start=start - self._started,
                seconds=self._run.clock() - start,
                summary=opened.summary,
                details=opened.details,
                calls=self._run.ledger.calls(since=seen),
            )
            self.steps.append(step)
            self.emit("step.finished", _finished(step))


def resumed(run: Run, before: Books) -> Run:
    """Return the run with the nonce and the ledger of an earlier one: what was spent counts, the deadline is new."""
    return replace(run, nonce=before.nonce, ledger=Ledger.of(before.spent))


def _finished(step: Step) -> Mapping[str, Any]:
    spent = sum((call.usage for call in step.calls), Usage())
    return {
        "node": step.node,
        "summary": step.summary,
        "seconds": round(step.seconds, 3),
        "calls": spent.calls,
        "prompt_tokens": spent.prompt_tokens,
        "completion_tokens": spent.completion_tokens,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An answer with the way that led to it."""

    answer: Answer
    trace: Trace

    def body(self, *, answer_id: str, collection: str, conversation_id: str | None = None) -> dict[str, Any]:
        """Return the JSON of the finished answer, the same on every surface."""
        content = cast("dict[str, Any]", to_jsonable_python(self.answer))
        return {
            "answer_id": answer_id,
            "conversation_id": conversation_id,
            "collection": collection,
            "question": self.trace.question.typed,
            "understood_as": self.trace.question.understood_as,
            "asked_on": self.trace.question.asked_on.isoformat(),
            "time": time_json(self.trace.question.time),
            **content,
            "trace": to_jsonable_python(self.trace),
        }
