"""Leaves the order as it is: the baseline that every reranker must beat.

Cost: nothing.
"""

from collections.abc import Sequence

from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from app.core.types import Hit, Query, Reranking, StageScore


class Options(ComponentOptions):
    """No options."""


class IdentityReranker:
    """Keeps the order and cuts at `top_k`."""

    def rerank(self, query: Query, hits: Sequence[Hit], *, top_k: int, run: Run) -> Reranking:
        """Return the first `top_k` hits; their score is minus their rank, since no score was made here."""
        return Reranking(
            hits=tuple(
                hit.then(StageScore(name="identity", rank=rank, score=-float(rank)))
                for rank, hit in enumerate(hits[:top_k], start=1)
            )
        )

    def rerank_many(self, pairs: Sequence[tuple[Query, Sequence[Hit]]], *, top_k: int, run: Run) -> list[Reranking]:
        """Return one reranking per pair."""
        return [self.rerank(query, hits, top_k=top_k, run=run) for query, hits in pairs]


def build(_options: Options, _resources: Resources) -> IdentityReranker:
    """Return the baseline."""
    return IdentityReranker()
