"""Scores → a Reranking: the one place where an order is made, cut and kept when the model could not make it."""

from collections.abc import Callable, Sequence

from app.core.errors import AppError, BudgetExhausted, MissingCapability, ModelError, UnparsableOutput
from app.core.types import DegradedReason, Hit, RerankDegraded, Reranking, StageScore

FORGIVEN = (BudgetExhausted, MissingCapability, ModelError, UnparsableOutput)
"""What a model may end with so that the order stands and says why; `Cancelled` is not among them."""


def by_score(
    hits: Sequence[Hit], scores: Sequence[float], *, name: str, top_k: int, coverage: float = 1.0
) -> Reranking:
    """Return the best `top_k` hits: the first `len(scores)` by score, highest first, ties as they came, then the rest.

    A hit beyond those that were scored gets the lowest score minus its distance, so scores fall along the order.
    """
    scored = sorted(range(len(scores)), key=lambda place: -scores[place])
    floor = min(scores, default=0.0)
    order = [(hits[place], float(scores[place])) for place in scored]
    order += [(hit, floor - distance) for distance, hit in enumerate(hits[len(scores) :], start=1)]
    return Reranking(hits=_staged(order[:top_k], name), coverage=coverage)


def by_order(hits: Sequence[Hit], order: Sequence[int], *, name: str, top_k: int, coverage: float = 1.0) -> Reranking:
    """Return the best `top_k` hits in an order of places that may be partial: places not in it follow as they came.

    The score is minus the rank, for an order has no other.
    """
    told = list(dict.fromkeys(order))
    whole = [*told, *(place for place in range(len(hits)) if place not in set(told))]
    ranked = [(hits[place], -float(rank)) for rank, place in enumerate(whole, start=1)]
    return Reranking(hits=_staged(ranked[:top_k], name), coverage=coverage)


def as_they_came(
    hits: Sequence[Hit], *, name: str, top_k: int, reason: DegradedReason, coverage: float = 0.0
) -> Reranking:
    """Return the first `top_k` hits in their order, degraded for that reason."""
    kept = by_order(hits, (), name=name, top_k=top_k)
    return Reranking(hits=kept.hits, coverage=coverage, degraded=RerankDegraded(reason=reason, coverage=coverage))


def or_as_they_came(work: Callable[[], Reranking], hits: Sequence[Hit], *, name: str, top_k: int) -> Reranking:
    """Return what `work` makes of the hits; when the model cannot, their own order, degraded, never an exception.

    Raises:
        Cancelled: the caller stopped the work.
    """
    if not hits:
        return Reranking(hits=())
    try:
        return work()
    except FORGIVEN as error:
        return as_they_came(hits, name=name, top_k=top_k, reason=_reason_of(error))


def _reason_of(error: AppError) -> DegradedReason:
    if isinstance(error, BudgetExhausted):
        return "deadline" if "deadline" in str(error) else "budget"
    if isinstance(error, MissingCapability):  # what shows only when it is asked: no probabilities
        return "missing_capability"
    return "unparsable" if isinstance(error, UnparsableOutput) else "model_error"


def _staged(ranked: Sequence[tuple[Hit, float]], name: str) -> tuple[Hit, ...]:
    return tuple(
        hit.then(StageScore(name=name, rank=rank, score=score)) for rank, (hit, score) in enumerate(ranked, start=1)
    )
