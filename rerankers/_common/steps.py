"""Rerankers that ask again after each answer: several questions side by side, their next prompts in one call."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from app.core.errors import AppError, ModelError
from app.core.types import DegradedReason, Hit, Prompt, RerankDegraded, Reranking
from rerankers._common.cache import Remembered
from rerankers._common.ordering import FORGIVEN, by_order, by_score, or_as_they_came

REMEMBERED = 256
_TOGETHER = 8  # questions in one call; more of them would be lost when a run ends in the middle

A = TypeVar("A")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a model said of a question's first hits, by their places (from 0), so that it serves again with other hits.

    `order` may be partial: places not in it follow as they came. `scores`, where there are any, make the order instead.
    `reason` says why this is not all that was asked of the model.
    """

    order: tuple[int, ...] = ()
    scores: tuple[float, ...] | None = None
    coverage: float = 1.0
    reason: DegradedReason | None = None


Steps = Generator[Sequence[Prompt], Sequence[A], Verdict]
"""One question's work: yields prompts, is sent one answer for each, returns what came of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[A]):
    """One question: its hits, the key its verdict is remembered by, and what begins its work."""

    hits: Sequence[Hit]
    key: str
    begin: Callable[[], Steps[A]]


def rerank_in_step(
    asked: Sequence[Asked[A]],
    ask: Callable[[Sequence[Prompt]], Sequence[A]],
    *,
    memory: Remembered[Verdict],
    name: str,
    top_k: int,
) -> list[Reranking]:
    """Return one reranking per question; what the model cannot do for one of them leaves that one as it came.

    Cost: for each 8 questions one call of `ask` for each step of the longest; when it fails, one for each question.

    Raises:
        Cancelled: the caller stopped the work.
    """
    questions: list[_UnderWay[A]] = []
    for start in range(0, len(asked), _TOGETHER):
        batch = [_UnderWay(one, memory.get(one.key)) for one in asked[start : start + _TOGETHER]]
        while waiting := [question for question in batch if question.end is None]:
            _answer(waiting, ask)
        for question in batch:
            if isinstance(question.end, Verdict) and question.asked.hits:
                memory.put(question.asked.key, question.end)
        questions += batch
    return [question.reranking(name, top_k) for question in questions]


class _UnderWay(Generic[A]):
    """A question as far as it has come: the prompts that it waits for, or its end."""

    def __init__(self, asked: Asked[A], known: Verdict | None) -> None:
        self.asked = asked
        self.prompts: Sequence[Prompt] = ()
        self.end: Verdict | AppError | None = known if asked.hits else Verdict()
        if self.end is None:
            self._steps = asked.begin()
            self._go_on(lambda: next(self._steps))

    def take(self, answers: Sequence[A]) -> None:
        """Go on to the next prompts, or to the end."""
        self._go_on(lambda: self._steps.send(answers))

    def _go_on(self, advance: Callable[[], Sequence[Prompt]]) -> None:
        try:
            self.prompts = advance()
        except StopIteration as end:
            self.end = end.value
        except FORGIVEN as error:
            self.end = error

    def reranking(self, name: str, top_k: int) -> Reranking:
        """Return what came of the question once it has ended."""
        return or_as_they_came(lambda: self._ordered(name, top_k), self.asked.hits, name=name, top_k=top_k)

    def _ordered(self, name: str, top_k: int) -> Reranking:
        if not isinstance(self.end, Verdict):
            raise self.end or ModelError("the question has not ended")
        hits, verdict = self.asked.hits, self.end
        if verdict.scores is not None:
            made = by_score(hits, verdict.scores, name=name, top_k=top_k, coverage=verdict.coverage)
        else:
            made = by_order(hits, verdict.order, name=name, top_k=top_k, coverage=verdict.coverage)
        if verdict.reason is None:
            return made
        return replace(made, degraded=RerankDegraded(reason=verdict.reason, coverage=verdict.coverage))


def _answer(waiting: Sequence[_UnderWay[A]], ask: Callable[[Sequence[Prompt]], Sequence[A]]) -> None:
    """Answer all in one call; if the model cannot, each alone, so that a question fails for its own prompts only."""
    try:
        answers = ask([prompt for question in waiting for prompt in question.prompts])
    except FORGIVEN as error:
        if len(waiting) == 1:
            waiting[0].end = error
            return
        for question in waiting:
            _answer([question], ask)
        return
    start = 0
    for question in waiting:
        end = start + len(question.prompts)
        question.take(answers[start:end])
        start = end
