"""Whether a search found everything that a question of several hops needs."""

from collections.abc import Mapping

from app.evaluation.records import Ranking
from app.evaluation.trec import in_trec_order


def full_support(ranking: Ranking, relevant: Mapping[str, int], *, k: int, relevant_from: int = 1) -> float | None:
    """Return `full@k`: 1.0 if every relevant document is among the first k, else 0.0; None if none is relevant.

    `relevant` maps documents to grades; relevant is a grade of `relevant_from` or more. The order is that of
    app.evaluation.trec, so that full@k is 1.0 exactly where R@k is.
    """
    needed = {doc_id for doc_id, grade in relevant.items() if grade >= relevant_from}
    if not needed:
        return None
    return float(needed <= {doc_id for doc_id, _ in in_trec_order(ranking)[:k]})
