"""The first stage's scores as a model can read them (InsertRank, arXiv 2506.14086): integers from 0 to 100 per query.

BM25 has another scale for each query, and cosines have another than BM25; as shares of the query's own range they can
be told side by side.
"""

from collections.abc import Sequence

from app.core.types import Hit

_KINDS = {
    "lexical": frozenset({"lexical", "bm25s_bm25", "rank_bm25"}),
    "dense": frozenset({"dense", "flat"}),
}


def told_scores(hits: Sequence[Hit]) -> list[str]:
    """Return for each hit of a query what its stages say, `lexical=87 dense=40`; what no stage says is left out.

    The lowest of the hits has 0, the highest 100, and all have 100 where all are alike.
    """
    columns = [_column(kind, [_score(hit, stages) for hit in hits]) for kind, stages in _KINDS.items()]
    return [" ".join(cell for cell in cells if cell) for cells in zip(*columns, strict=True)]


def _score(hit: Hit, stages: frozenset[str]) -> float | None:
    """Return the newest score of those stages, None if the hit has been in none of them."""
    found = [stage.score for stage in hit.stages if stage.name in stages]
    return found[-1] if found else None


def _column(kind: str, scores: Sequence[float | None]) -> list[str]:
    known = [score for score in scores if score is not None]
    lowest, highest = min(known, default=0.0), max(known, default=0.0)
    scale = 100.0 / (highest - lowest) if highest > lowest else 0.0
    return ["" if score is None else f"{kind}={round((score - lowest) * scale) if scale else 100}" for score in scores]
