"""Many rankings into one: pure functions of ranks and scores, shared by retrievers and rerankers."""

from collections.abc import Sequence

from app.core.types import Hit, PassageId, StageScore

RRF_K = 60


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[Hit]], *, top_k: int, rrf_k: int = RRF_K, name: str = "fused"
) -> list[Hit]:
    """Return the passages of all rankings by the sum of `1 / (rrf_k + rank)`, best first, ranks from 1.

    Input scores are ignored; each hit keeps the stages of every ranking that found it. Ties are broken by the
    passage id, so the order does not depend on the order of the rankings.
    (Cormack et al., SIGIR 2009, rrf_k = 60.)
    """
    return _fused([[(hit, 1.0 / (rrf_k + hit.rank)) for hit in ranking] for ranking in rankings], top_k, name)


def convex_fusion(rankings: Sequence[Sequence[Hit]], *, top_k: int, name: str = "fused") -> list[Hit]:
    """Return the passages of all rankings by the mean of their scores, each ranking's spread from 0 to 1, best first.

    A ranking that did not find a passage gives it 0, as it gives its own last. Unlike ranks, scores keep how far the
    best is ahead. Stages and ties are as in `reciprocal_rank_fusion`.
    (Bruch et al., ACM TOIS 42(1), 2023: convex combination with min-max normalisation; equal weights.)
    """
    parts = [
        [(hit, score / len(rankings)) for hit, score in zip(ranking, spread(ranking), strict=True)]
        for ranking in rankings
    ]
    return _fused(parts, top_k, name)


def spread(ranking: Sequence[Hit]) -> list[float]:
    """Return the scores of a ranking, moved and stretched so that its last has 0 and its first 1; all 1 if alike."""
    if not ranking:
        return []
    high, low = ranking[0].score, ranking[-1].score
    return [(hit.score - low) / (high - low) if high > low else 1.0 for hit in ranking]


def _fused(rankings: Sequence[Sequence[tuple[Hit, float]]], top_k: int, name: str) -> list[Hit]:
    scores: dict[PassageId, float] = {}
    found: dict[PassageId, Hit] = {}
    stages: dict[PassageId, tuple[StageScore, ...]] = {}
    for ranking in rankings:
        for hit, score in ranking:
            key = hit.passage.passage_id
            scores[key] = scores.get(key, 0.0) + score
            stages[key] = stages.get(key, ()) + hit.stages
            found.setdefault(key, hit)
    best = sorted(scores, key=lambda key: (-scores[key], key))[:top_k]
    return [
        Hit(
            passage=found[key].passage,
            stages=(*stages[key], StageScore(name=name, rank=rank, score=scores[key])),
        )
        for rank, key in enumerate(best, start=1)
    ]
