"""How well questions' rankings find what is relevant: trec_eval's metrics, named as ir-measures prints them.

With g the grade of the document at a rank (0 where it is not judged) and relevant meaning g >= `relevant_from`:

nDCG@k  sum over ranks i <= k of g / log2(i + 1), divided by that sum for the best order of all judged documents; all
        grades count, whatever `relevant_from` (Järvelin and Kekäläinen, TOIS 2002; linear gain, as in trec_eval)
R@k     share of the relevant documents that are among the first k
P@k     share of k that are relevant documents among the first k, even where fewer than k were found
RR      1 / rank of the first relevant document, 0 without one (Voorhees, TREC-8 1999)
AP      mean over the relevant documents of P at their rank, 0 for one not found; AP@k looks at the first k
        (Buckley and Voorhees, SIGIR 2000)

Computed by trec_eval through pytrec_eval (Van Gysel and de Rijke, SIGIR 2018) and ir-measures (MacAvaney et al.,
ECIR 2022). Its order of a ranking is told in app.evaluation.trec.
"""

import re
from collections.abc import Mapping, Sequence

import ir_measures
import numpy as np
from numpy.typing import NDArray

from app.core.errors import ConfigError
from app.evaluation.records import Gold, Ranking

DEFAULT_METRICS = ("nDCG@10", "R@10", "R@100", "RR", "AP", "P@5")

# Narrower than ir-measures reads: nDCG@0 ends the process in trec_eval, and RR@10 is no metric of trec_eval.
_NAME = re.compile(r"(?:nDCG|R|P|AP)@[1-9][0-9]{0,3}|nDCG|AP|RR")


def retrieval_values(
    golds: Sequence[Gold],
    rankings: Mapping[str, Ranking],
    *,
    relevant_from: int = 1,
    names: Sequence[str] = DEFAULT_METRICS,
) -> dict[str, dict[str, float | None]]:
    """Return, by query id, each metric's value, 0 to 1, in the order of the names.

    A question without a relevant document is excluded: None (for nDCG, one without a grade of 1 or more). A question
    without a ranking was asked and nothing was found: 0.0. 1,000 questions of 100 hits take 0.1 s.

    Raises:
        ConfigError: a name is of no metric above.
    """
    measures = {_measure(name, relevant_from): name for name in names}
    qrels = {gold.query_id: dict(gold.relevant) for gold in golds if gold.relevant}
    # Plain dicts of floats: ir-measures hands them on as they are, its named tuples take twice as long.
    run = {query_id: {doc_id: float(score) for doc_id, score in rankings.get(query_id, ())} for query_id in qrels}
    highest = {query_id: max(grades.values()) for query_id, grades in qrels.items()}
    values: dict[str, dict[str, float | None]] = {gold.query_id: dict.fromkeys(names) for gold in golds}
    for figure in ir_measures.pytrec_eval.iter_calc(measures, qrels, run):
        name = measures[figure.measure]
        if highest[figure.query_id] >= (1 if name.startswith("nDCG") else relevant_from):
            values[figure.query_id][name] = figure.value
    return values


def ndcg_of_orders(
    scores: NDArray[np.float64], doc_ids: Sequence[str], relevant: Mapping[str, int], *, k: int = 10
) -> NDArray[np.float64]:
    """Return the nDCG@k of many orders of one question's passages, shape (orders,), as `retrieval_values` has it.

    `scores` has shape (orders, passages), `doc_ids` names each passage's document, which counts at its best passage.
    Equal scores stay in the order of the passages. Zeros where nothing is relevant or there is no passage.
    """
    documents = {doc_id: place for place, doc_id in enumerate(dict.fromkeys(doc_ids))}
    ideal = np.array(sorted((grade for grade in relevant.values() if grade > 0), reverse=True)[:k], dtype=np.float64)
    if not documents or not ideal.size:
        return np.zeros(len(scores))
    of = np.array([documents[doc_id] for doc_id in doc_ids])
    best = np.column_stack([scores[:, of == place].max(axis=1) for place in range(len(documents))])
    order = np.argsort(-best, axis=1, kind="stable")[:, :k]
    gains = np.array([max(0, relevant.get(doc_id, 0)) for doc_id in documents], dtype=np.float64)
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    found = gains[order] @ discounts[: order.shape[1]]
    return np.asarray(found / (ideal @ discounts[: ideal.size]))


def _measure(name: str, relevant_from: int) -> ir_measures.Measure:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"no retrieval metric '{name}'; choose from nDCG@k, R@k, P@k, AP@k (k from 1), nDCG, AP, RR")
    measure = ir_measures.parse_measure(name)
    return measure if name.startswith("nDCG") else measure(rel=relevant_from)
