"""Any TREC run, reranked over the questions and passages of a data set."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from app.core.protocols import Reranker
from app.core.run import Run
from app.core.types import Query, QueryId, Usage
from app.evaluation.records import Ranking
from app.experiments.candidates import given_lists
from app.experiments.datasets import Dataset

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reranked:
    """The new rankings by question, questions whose order was kept by reason, and what it cost."""

    rankings: Mapping[str, Ranking]
    degraded: Mapping[str, int]
    usage: Usage


def rerank_run(
    trec_run: Path,
    dataset: Dataset,
    reranker: Reranker,
    *,
    run: Run,
    progress: Progress = lambda done, total, current: None,
) -> Reranked:
    """Return every list of the run reordered, one question after the other; scores are the reranker's.

    Raises:
        InvalidDataset: the run is malformed, or of another corpus or other questions.
        Cancelled: the caller stopped the work.
    """
    find = given_lists(replace(dataset, candidates=trec_run))
    rankings: dict[str, Ranking] = {}
    degraded: Counter[str] = Counter()
    for number, asked in enumerate(dataset.asked, start=1):
        query = Query(query_id=QueryId(asked.query_id), text=asked.text)
        [hits] = find([query], run)
        if hits:
            reranking = reranker.rerank(query, hits, top_k=len(hits), run=run)
            rankings[asked.query_id] = tuple((hit.passage.doc_id, hit.score) for hit in reranking.hits)
            if reranking.degraded:
                degraded[reranking.degraded.reason] += 1
        progress(number, len(dataset.asked), asked.query_id)
    return Reranked(rankings=rankings, degraded=dict(degraded), usage=run.ledger.total())
