from math import log2
from pathlib import Path

import numpy as np
import pytest

from app.core.errors import ConfigError
from app.evaluation.ranking import DEFAULT_METRICS, ndcg_of_orders, retrieval_values
from app.evaluation.records import Gold, Ranking
from app.evaluation.trec import read_run

# Relevant: a very, b and c somewhat; d and e are judged and not relevant; x and y are not judged.
GOLD = Gold(query_id="q", text="?", relevant={"a": 2, "b": 1, "c": 1, "d": 0, "e": -1})
# Ranks                 1           2           3           4           5           6
RANKING: Ranking = (("x", 9.0), ("b", 8.0), ("d", 7.0), ("a", 6.0), ("e", 5.0), ("y", 4.0))


def a_value(name: str, gold: Gold = GOLD, ranking: Ranking = RANKING, *, relevant_from: int = 1) -> float | None:
    return retrieval_values([gold], {gold.query_id: ranking}, relevant_from=relevant_from, names=[name])["q"][name]


IDEAL = 2 / log2(1 + 1) + 1 / log2(2 + 1) + 1 / log2(3 + 1)  # a, then b and c


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nDCG@10", (1 / log2(2 + 1) + 2 / log2(4 + 1)) / IDEAL),
        ("nDCG@3", (1 / log2(2 + 1)) / IDEAL),
        ("nDCG@1", 0.0),
        ("nDCG", (1 / log2(2 + 1) + 2 / log2(4 + 1)) / IDEAL),
        ("R@3", 1 / 3),
        ("R@10", 2 / 3),
        ("P@4", 2 / 4),
        ("P@20", 2 / 20),
        ("RR", 1 / 2),
        ("AP", (1 / 2 + 2 / 4 + 0) / 3),
        ("AP@3", (1 / 2 + 0 + 0) / 3),
    ],
)
def test_the_value_is_that_of_the_formula(name: str, expected: float) -> None:
    assert a_value(name) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nDCG@10", (1 / log2(2 + 1) + 2 / log2(4 + 1)) / IDEAL),  # every grade still counts
        ("R@3", 0.0),
        ("R@10", 1 / 1),
        ("P@4", 1 / 4),
        ("RR", 1 / 4),
        ("AP", (1 / 4) / 1),
    ],
)
def test_lower_grades_are_not_relevant_where_the_set_says_so(name: str, expected: float) -> None:
    assert a_value(name, relevant_from=2) == pytest.approx(expected, abs=1e-6)


def test_the_default_metrics_come_in_order_under_their_plain_names() -> None:
    values = retrieval_values([GOLD], {"q": RANKING}, relevant_from=2)

    assert list(values["q"]) == ["nDCG@10", "R@10", "R@100", "RR", "AP", "P@5"] == list(DEFAULT_METRICS)


def test_a_question_without_a_relevant_document_is_excluded() -> None:
    unjudged = Gold(query_id="unjudged", text="?")
    irrelevant = Gold(query_id="irrelevant", text="?", relevant={"a": 0, "b": -1})
    somewhat = Gold(query_id="somewhat", text="?", relevant={"a": 1})

    values = retrieval_values([unjudged, irrelevant, somewhat], {"irrelevant": RANKING}, relevant_from=2)

    assert values["unjudged"] == values["irrelevant"] == dict.fromkeys(DEFAULT_METRICS)
    assert values["somewhat"] == {**dict.fromkeys(DEFAULT_METRICS), "nDCG@10": 0.0}


@pytest.mark.parametrize("rankings", [{}, {"q": ()}, {"q": (("x", 1.0),)}, {"other": RANKING}])
def test_a_question_for_which_nothing_was_found_scores_0(rankings: dict[str, Ranking]) -> None:
    assert retrieval_values([GOLD], rankings) == {"q": dict.fromkeys(DEFAULT_METRICS, 0.0)}


def test_no_questions_have_no_values() -> None:
    assert retrieval_values([], {"q": RANKING}) == {}


def test_a_tie_goes_to_the_last_document_id_as_in_a_run_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "run.trec").write_text("q Q0 d1 1 0.5 t\nq Q0 d2 2 0.5 t\n")
    ranking = read_run(tmp_path / "run.trec")["q"]
    last = Gold(query_id="q", text="?", relevant={"d2": 1})
    first = Gold(query_id="q", text="?", relevant={"d1": 1})

    assert [doc for doc, _ in ranking] == ["d2", "d1"]
    assert a_value("RR", last, ranking) == 1.0
    assert a_value("RR", first, ranking) == 1 / 2
    assert a_value("RR", last, ranking[::-1]) == 1.0


def test_scores_are_compared_as_32_bit_floats_and_may_be_such() -> None:
    gold = Gold(query_id="q", text="?", relevant={"a": 1})

    assert a_value("RR", gold, (("a", 1.0 + 1e-12), ("b", 1.0))) == 1 / 2
    assert a_value("RR", gold, (("a", float(np.float32(1 + 2**-23))), ("b", 1.0))) == 1.0
    assert a_value("RR", gold, (("a", np.float32(2.5)), ("b", np.float32(1.5)))) == 1.0  # type: ignore[arg-type]  # numpy


@pytest.mark.parametrize("name", ["nDCG@0", "R", "P@-1", "RR@10", "recall@10", "MRR", "R(rel=2)@10", "nDCG@99999", ""])
def test_a_name_that_is_no_metric_of_trec_eval_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"no retrieval metric '.*'; choose from nDCG@k, R@k"):
        retrieval_values([GOLD], {}, names=["nDCG@10", name])


def test_many_orders_of_a_questions_passages_by_hand() -> None:
    # as they came: b, a, x; then a before b; a has a second passage, last, that comes first in the third order
    scores = np.array([[3.0, 2.0, 1.0, 0.0], [2.0, 3.0, 1.0, 0.0], [3.0, 2.0, 1.0, 4.0], [1.0, 1.0, 1.0, 1.0]])

    found = ndcg_of_orders(scores, ["b", "a", "x", "a"], GOLD.relevant)

    first, second = 1 / log2(1 + 1), 1 / log2(2 + 1)
    assert found * IDEAL == pytest.approx([first + 2 * second, 2 * first + second, 2 * first + second, 1 + 2 * second])
    assert ndcg_of_orders(scores, ["b", "a", "x", "a"], GOLD.relevant, k=1)[0] == pytest.approx(1 / 2)


def test_orders_of_nothing_or_with_nothing_relevant_are_worth_nothing() -> None:
    assert ndcg_of_orders(np.empty((2, 0)), [], {"a": 1}).tolist() == [0.0, 0.0]
    assert ndcg_of_orders(np.ones((2, 1)), ["a"], {"a": 0, "b": -1}).tolist() == [0.0, 0.0]
