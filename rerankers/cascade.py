"""Reranks in steps, cheap to dear: each step orders the first few of what the step before has left.

A step that cannot be made leaves the order as it stands, so that a deadline costs the last steps and never the first.

Cost: the sum of its steps, each for its own `depth`; by default 50 prompts of likelihood and one of attention over 20
passages.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from app.core.protocols import Reranker
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from app.core.types import DegradedReason, Hit, Query, RerankDegraded, Reranking
from rerankers._common.inner import ask, inner
from rerankers._common.ordering import as_they_came, by_order
from rerankers._common.scoring import Pair
from rerankers._common.standardised import standardised


class Step(BaseModel):
    """A reranker by its module name, its own options, and how many candidates it orders."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    depth: int = Field(ge=1, le=1000)
    options: dict[str, Any] = Field(default_factory=dict)


STEPS = (
    Step(name="fused", depth=30, options={"signals": [{"name": "likelihood"}], "first_stage": 0.5}),
    Step(name="fused", depth=10, options={"signals": [{"name": "attention"}], "first_stage": 1.0}),
)
"""The steps when nothing else is said: likelihood and half a voice of the order before; then attention and all that."""


class Options(ComponentOptions):
    """Which steps are made, and when one is enough."""

    depth: int = Field(
        default=50, ge=1, le=1000, description="candidates that are reranked; no step orders more, the rest follow"
    )
    steps: tuple[Step, ...] = Field(
        default=STEPS, min_length=1, description="rerankers from cheap to dear: name, depth, options"
    )
    margin: float | None = Field(
        default=None,
        gt=0.0,
        description="lead of the best candidate over the second, in standard deviations of a step's scores, that makes "
        "the steps after it needless; unset: all are made",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """How one question stands: the order so far, whether it is settled, how many candidates a model has ordered."""

    query: Query
    hits: tuple[Hit, ...]
    is_settled: bool = False
    ordered: float = 0.0
    reason: DegradedReason | None = None


class CascadeReranker:
    """Makes the steps in turn, each for all questions that are not settled."""

    def __init__(self, steps: Sequence[tuple[Step, Reranker]], options: Options) -> None:
        self._steps = [(_at_most(step, options.depth), reranker) for step, reranker in steps]
        self._margin = options.margin

    def rerank(self, query: Query, hits: Sequence[Hit], *, top_k: int, run: Run) -> Reranking:
        """Return the best `top_k` hits; each keeps the stages of the steps that ordered it.

        A step that degrades is told; what the others made of the order stays.
        """
        return self.rerank_many([(query, hits)], top_k=top_k, run=run)[0]

    def rerank_many(self, pairs: Sequence[Pair], *, top_k: int, run: Run) -> list[Reranking]:
        """Return one reranking per pair, each as `rerank` would give it."""
        standings = [_Standing(query=query, hits=tuple(hits), is_settled=not hits) for query, hits in pairs]
        for step, reranker in self._steps:
            open_ones = [one for one in standings if not one.is_settled]
            made = iter(ask(reranker, step.name, [(one.query, one.hits[: step.depth]) for one in open_ones], run))
            standings = [one if one.is_settled else self._after(one, step, next(made)) for one in standings]
        return [self._told(one, top_k) for one in standings]

    def _after(self, standing: _Standing, step: Step, made: Reranking) -> _Standing:
        reason = standing.reason or (made.degraded.reason if made.degraded else None)
        if made.coverage == 0.0:
            return replace(standing, reason=reason)
        return replace(
            standing,
            hits=(*made.hits, *standing.hits[step.depth :]),
            is_settled=made.degraded is None and self._margin is not None and lead(made.hits) > self._margin,
            ordered=max(standing.ordered, made.coverage * len(made.hits)),
            reason=reason,
        )

    def _told(self, standing: _Standing, top_k: int) -> Reranking:
        if not standing.hits:
            return Reranking(hits=())
        if standing.reason is not None and standing.ordered == 0.0:
            return as_they_came(standing.hits, name="cascade", top_k=top_k, reason=standing.reason)
        most = min(len(standing.hits), max(step.depth for step, _ in self._steps))
        coverage = min(1.0, standing.ordered / most)
        made = by_order(standing.hits, (), name="cascade", top_k=top_k, coverage=coverage)
        if standing.reason is None:
            return made
        return replace(made, degraded=RerankDegraded(reason=standing.reason, coverage=coverage))


def lead(hits: Sequence[Hit]) -> float:
    """Return how far the first hit's score lies above the second's, in standard deviations of all; 0 below two."""
    if len(hits) < 2:  # noqa: PLR2004  # nobody to lead
        return 0.0
    scores = standardised(np.array([hit.score for hit in hits], dtype=np.float64))
    return float(scores[0] - scores[1])


def _at_most(step: Step, most: int) -> Step:
    """Return the step, ordering at most that many candidates."""
    return step.model_copy(update={"depth": min(step.depth, most)})


def build(options: Options, resources: Resources) -> Reranker:
    """Return the reranker.

    Raises:
        UnknownComponent: a step is no reranker.
    """
    return CascadeReranker([(step, inner(step.name, step.options, resources)) for step in options.steps], options)
