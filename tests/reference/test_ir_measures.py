"""Retrieval metrics on random runs full of ties: against ir-measures, and against the formulas in plain Python."""

import random
from math import log2

import ir_measures
import numpy as np
import pytest
from ir_measures import AP, RR, P, Qrel, R, ScoredDoc, nDCG

from app.evaluation.ranking import DEFAULT_METRICS, ndcg_of_orders, retrieval_values
from app.evaluation.records import Gold, Ranking
from app.evaluation.trec import in_trec_order


def random_run(seed: int) -> tuple[list[Gold], dict[str, Ranking]]:
    """Return 40 questions, each with a relevant document, and rankings whose scores are mostly ties; three lack one."""
    rng = random.Random(seed)  # noqa: S311 (made-up runs, no secret)
    documents = [f"d{n}" for n in range(200)]
    golds = []
    for n in range(40):
        relevant = {doc: rng.choice([0, 0, 1, 2, 3]) for doc in rng.sample(documents, rng.randint(1, 30))}
        golds.append(Gold(query_id=f"q{n}", text="?", relevant={**relevant, "d0": 3}))
    rankings = {
        gold.query_id: tuple((doc, rng.randint(1, 9) / 7) for doc in rng.sample(documents, rng.randint(1, 150)))
        for gold in golds[3:]
    }
    return golds, rankings


@pytest.mark.parametrize("relevant_from", [1, 2])
@pytest.mark.parametrize("seed", range(5))
def test_values_are_those_of_ir_measures(seed: int, relevant_from: int) -> None:
    golds, rankings = random_run(seed)
    level = relevant_from
    names = {
        nDCG @ 10: "nDCG@10",
        R(rel=level) @ 10: "R@10",
        R(rel=level) @ 100: "R@100",
        RR(rel=level): "RR",
        AP(rel=level): "AP",
        P(rel=level) @ 5: "P@5",
    }
    qrels = [Qrel(gold.query_id, doc, grade) for gold in golds for doc, grade in gold.relevant.items()]
    run = [ScoredDoc(query_id, doc, score) for query_id, ranking in rankings.items() for doc, score in ranking]

    ours = retrieval_values(golds, rankings, relevant_from=relevant_from)
    theirs = list(ir_measures.iter_calc(list(names), qrels, run))

    assert len(theirs) == len(golds) * len(DEFAULT_METRICS)
    for figure in theirs:
        assert ours[figure.query_id][names[figure.measure]] == pytest.approx(figure.value, abs=1e-6)


def by_formula(gold: Gold, ranking: Ranking, relevant_from: int) -> dict[str, float]:
    grades = [max(0, gold.relevant.get(doc, 0)) for doc, _ in in_trec_order(ranking)]
    ideal = sorted((max(0, grade) for grade in gold.relevant.values()), reverse=True)
    needed = sum(grade >= relevant_from for grade in gold.relevant.values())
    ranks = [rank for rank, grade in enumerate(grades, start=1) if grade >= relevant_from]

    def dcg(gains: list[int]) -> float:
        return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains[:10], start=1))

    return {
        "nDCG@10": dcg(grades) / dcg(ideal),
        "R@10": sum(rank <= 10 for rank in ranks) / needed,
        "R@100": sum(rank <= 100 for rank in ranks) / needed,
        "RR": 1 / ranks[0] if ranks else 0.0,
        "AP": sum(found / rank for found, rank in enumerate(ranks, start=1)) / needed,
        "P@5": sum(rank <= 5 for rank in ranks) / 5,
    }


@pytest.mark.parametrize("relevant_from", [1, 2])
def test_values_are_those_of_the_formulas_in_our_order(relevant_from: int) -> None:
    golds, rankings = random_run(seed=99)

    values = retrieval_values(golds, rankings, relevant_from=relevant_from)

    for gold in golds:
        expected = by_formula(gold, rankings.get(gold.query_id, ()), relevant_from)
        assert values[gold.query_id] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_many_orders_of_one_list_are_worth_what_each_is_alone(seed: int) -> None:
    golds, rankings = random_run(seed)
    numbers = np.random.default_rng(seed)
    for gold in golds[3:]:
        documents = [doc for doc, _ in rankings[gold.query_id]]
        passages = [*documents, *documents[::2]]  # some documents have two
        scores = numbers.permuted(np.tile(np.arange(len(passages), dtype=np.float64), (4, 1)), axis=1)

        found = ndcg_of_orders(scores, passages, gold.relevant)

        for row, value in zip(scores.tolist(), found, strict=True):
            best: dict[str, float] = {}
            for doc, score in zip(passages, row, strict=True):
                best[doc] = max(score, best.get(doc, -1.0))
            ranking = {gold.query_id: in_trec_order(best.items())}
            alone = retrieval_values([gold], ranking, names=["nDCG@10"])[gold.query_id]["nDCG@10"]
            assert value == pytest.approx(alone, abs=1e-6)
