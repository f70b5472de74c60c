"""Many rankings into one: pure functions of ranks, shared by retrievers and rerankers."""

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
    scores: dict[PassageId, float] = {}
    found: dict[PassageId, Hit] = {}
    stages: dict[PassageId, tuple[StageScore, ...]] = {}
    for ranking in rankings:
        for hit in ranking:
            key = hit.passage.passage_id
            scores[key] = scores.get(key, 0.0) + 1.0 / (rrf_k + hit.rank)
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
