"""Adds up what several rerankers, and the first stage if wished, say of the same candidates.

Attention and likelihood are different signals: where measured, their sum ranked better than either. Scores are made
comparable per question: z-scores, a range from 0 to 1, or ranks (Cormack et al., SIGIR 2009).

Cost: the sum of its signals, which are asked in turn; by default one prompt of attention over all candidates and one
prompt of likelihood a candidate.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from app.core.fusion import RRF_K
from app.core.protocols import Reranker
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from app.core.types import Hit, Query, RerankDegraded, Reranking
from rerankers._common.inner import ask, inner
from rerankers._common.ordering import as_they_came, by_score
from rerankers._common.read_models import ReadModel, models_read
from rerankers._common.scoring import Pair
from rerankers._common.standardised import standardised
from rerankers._common.weight_files import Method, WeightFile, weights_in

__all__ = [
    "COMPARABLE",
    "FusedReranker",
    "Method",
    "Options",
    "ReadModel",
    "Signal",
    "WeightFile",
    "build",
    "first_stage_scores",
    "fused_scores",
    "in_unit_range",
    "reciprocal_ranks",
]

Scores = NDArray[np.float64]


class Signal(BaseModel):
    """A reranker by its module name, its own options, and how much it counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    weight: float = Field(default=1.0, gt=0.0, le=1000.0)
    options: dict[str, Any] = Field(default_factory=dict)


SIGNALS = (Signal(name="attention"), Signal(name="likelihood"))
"""What is added up when nothing else is said."""


class Options(ComponentOptions):
    """Which signals are added up, and how."""

    depth: int = Field(default=20, ge=1, le=1000, description="candidates that are reranked; the rest follow in order")
    signals: tuple[Signal, ...] = Field(
        default=SIGNALS, min_length=1, description="rerankers that are asked: name, weight, options"
    )
    first_stage: float = Field(
        default=0.5, ge=0.0, le=1000.0, description="weight of the order in which the hits came; 0 leaves it out"
    )
    method: Method = Field(
        default="zscore",
        description="how scores are made comparable: zscore; convex, from 0 to 1; rrf, by rank alone",
    )
    weights: Path | None = Field(
        default=None,
        description="file of weights that take the place of the signals' own, first_stage and method, made by "
        "`rerankers fit-weights`",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Voice:
    """A reranker and its weight."""

    name: str
    weight: float
    reranker: Reranker


class FusedReranker:
    """Asks each signal for the same candidates and orders by the weighted sum."""

    def __init__(
        self, voices: Sequence[_Voice], options: Options, *, models: Callable[[], tuple[ReadModel, ...]]
    ) -> None:
        """Take the signals with their weights; `models` tells what they read."""
        self._voices = voices
        self._options = options
        self.models = models

    def rerank(self, query: Query, hits: Sequence[Hit], *, top_k: int, run: Run) -> Reranking:
        """Return the best `top_k` hits; each keeps the stages of the signals that were added up for it.

        A signal that degrades is left out and told; when all do, the order stays.
        """
        return self.rerank_many([(query, hits)], top_k=top_k, run=run)[0]

    def rerank_many(self, pairs: Sequence[Pair], *, top_k: int, run: Run) -> list[Reranking]:
        """Return one reranking per pair, each as `rerank` would give it."""
        heads = [(query, hits[: self._options.depth]) for query, hits in pairs]
        told = [ask(voice.reranker, voice.name, heads, run) for voice in self._voices]
        return [self._fused(hits, [one[place] for one in told], top_k) for place, (_, hits) in enumerate(pairs)]

    def _fused(self, hits: Sequence[Hit], told: Sequence[Reranking], top_k: int) -> Reranking:
        if not hits:
            return Reranking(hits=())
        heard = [(v, one) for v, one in zip(self._voices, told, strict=True) if one.degraded is None]
        coverage = sum(v.weight * one.coverage for v, one in heard) / sum(v.weight for v in self._voices)
        reasons = [one.degraded.reason for one in told if one.degraded is not None]
        if not heard:
            return as_they_came(hits, name="fused", top_k=top_k, reason=reasons[0])
        head = hits[: self._options.depth]
        merged, columns = _aligned(head, [one for _, one in heard])
        weighted = [(v.weight, column) for (v, _), column in zip(heard, columns, strict=True)]
        if self._options.first_stage:
            weighted.append((self._options.first_stage, first_stage_scores(head)))
        total = fused_scores(weighted, method=self._options.method)
        made = by_score([*merged, *hits[len(head) :]], total.tolist(), name="fused", top_k=top_k, coverage=coverage)
        return replace(made, degraded=RerankDegraded(reason=reasons[0], coverage=coverage)) if reasons else made


def fused_scores(weighted: Sequence[tuple[float, Scores]], *, method: Method) -> Scores:
    """Return the weighted sum of signals made comparable, one number per candidate, candidates in first-stage order.

    `zscore`: (score - mean) / standard deviation; `convex`: (score - min) / (max - min), weights adding up to 1;
    `rrf`: 1 / (60 + rank), ranks from 1, ties as they came. A signal that is the same for all adds 0 by the first two.
    """
    parts = [weight * COMPARABLE[method](scores) for weight, scores in weighted]
    whole = sum(weight for weight, _ in weighted) if method == "convex" else 1.0
    return np.asarray(np.sum(parts, axis=0) / whole)


def in_unit_range(scores: Scores) -> Scores:
    """Return the scores moved and stretched to reach from 0 to 1; zeros when they are all the same."""
    width = float(np.ptp(scores))
    return (scores - scores.min()) / width if width > 0.0 else np.zeros_like(scores)


def reciprocal_ranks(scores: Scores) -> Scores:
    """Return 1 / (60 + rank) of each score, the highest first, ties as they came."""
    ranks = np.empty(len(scores))
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return 1.0 / (RRF_K + ranks)


COMPARABLE: Mapping[Method, Callable[[Scores], Scores]] = {
    "zscore": standardised,
    "convex": in_unit_range,
    "rrf": reciprocal_ranks,
}


def first_stage_scores(hits: Sequence[Hit]) -> Scores:
    """Return the scores that the hits came with; minus their places where they come from several sources."""
    if len({hit.source for hit in hits}) == 1:
        return np.array([hit.score for hit in hits], dtype=np.float64)
    return -np.arange(1.0, len(hits) + 1.0)


def _aligned(hits: Sequence[Hit], told: Sequence[Reranking]) -> tuple[list[Hit], list[Scores]]:
    """Return the hits with the stages that each reranking added, and its scores in the hits' own order."""
    found = [{hit.passage.passage_id: hit for hit in one.hits} for one in told]
    columns = [np.array([by_id[hit.passage.passage_id].score for hit in hits]) for by_id in found]
    merged = []
    for hit in hits:
        added = [by_id[hit.passage.passage_id].stages[len(hit.stages) :] for by_id in found]
        merged.append(Hit(passage=hit.passage, stages=(*hit.stages, *(stage for stages in added for stage in stages))))
    return merged, columns


def _voices(signals: Sequence[Signal], resources: Resources) -> list[_Voice]:
    return [
        _Voice(name=signal.name, weight=signal.weight, reranker=inner(signal.name, signal.options, resources))
        for signal in signals
    ]


def _as_fitted(options: Options, path: Path, models: Sequence[ReadModel]) -> Options:
    """Return the options with the weights of a file; a signal that has none there is not asked."""
    fitted = weights_in(path, signals=[signal.name for signal in options.signals], models=models)
    signals = tuple(
        signal.model_copy(update={"weight": fitted.weights[signal.name]})
        for signal in options.signals
        if fitted.weights[signal.name]
    )
    return options.model_copy(update={"signals": signals, "first_stage": fitted.first_stage, "method": fitted.method})


def build(options: Options, resources: Resources) -> FusedReranker:
    """Return the reranker.

    Raises:
        UnknownComponent: a signal is no reranker.
        ConfigError: the file of weights cannot be read, or is for other signals or models.
    """
    models = partial(models_read, partial(_voices, options.signals), resources)
    if options.weights is not None:
        options = _as_fitted(options, options.weights, models())
    return FusedReranker(_voices(options.signals, resources), options, models=models)
