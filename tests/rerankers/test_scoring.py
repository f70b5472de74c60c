from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.core.errors import BudgetExhausted, Cancelled, ModelError
from app.core.run import Run
from app.core.types import Hit
from fakes import a_hit, a_passage, a_query
from rerankers._common.cache import Remembered
from rerankers._common.scoring import Asked, Pair, PassageScores, ScoredReranker, cut
from rerankers._common.standardised import standardised

NAN = float("nan")
NUMBERS = st.floats(min_value=-1e6, max_value=1e6)


def hits(count: int) -> list[Hit]:
    return [a_hit(a_passage(f"text {n}", passage_id=f"p{n}@0#0"), rank=n) for n in range(1, count + 1)]


def ids(found: Sequence[Hit]) -> list[str]:
    return [hit.passage.doc_id for hit in found]


class Told:
    """Gives the first candidates of any list these numbers; a query named `bad` fails."""

    def __init__(self, *numbers: float) -> None:
        self.numbers = numbers
        self.calls: list[list[str]] = []

    def scores(self, pairs: Sequence[Pair], *, run: Run) -> list[NDArray[np.float64]]:
        run.check()
        self.calls.append([query.text for query, _ in pairs])
        if any(query.text == "bad" for query, _ in pairs):
            raise ModelError("no")
        return [np.array(self.numbers[: len(candidates)], dtype=np.float64) for _, candidates in pairs]


def test_only_the_first_hits_are_scored_and_the_rest_follow_as_they_came() -> None:
    reranker = ScoredReranker(Told(0.1, 0.3, 0.2), name="x", depth=3)

    found = reranker.rerank(a_query(), hits(5), top_k=5, run=Run())

    assert ids(found.hits) == ["p2", "p3", "p1", "p4", "p5"]
    assert [hit.score for hit in found.hits] == [0.3, 0.2, 0.1, 0.1 - 1, 0.1 - 2]
    assert (found.coverage, found.degraded) == (1.0, None)


def test_a_candidate_without_a_number_comes_last_of_the_scored_ones() -> None:
    found = ScoredReranker(Told(NAN, 0.3, 0.5, 0.4), name="x", depth=4).rerank(a_query(), hits(5), top_k=5, run=Run())

    assert ids(found.hits) == ["p3", "p4", "p2", "p1", "p5"]
    assert found.hits[3].score == 0.3 - 1.0
    assert (found.coverage, found.degraded) == (3 / 4, None)


def test_with_too_few_numbers_the_order_stays() -> None:
    found = ScoredReranker(Told(NAN, 0.3, NAN), name="x", depth=3).rerank(a_query(), hits(3), top_k=3, run=Run())

    assert ids(found.hits) == ["p1", "p2", "p3"]
    assert found.degraded is not None
    assert (found.degraded.reason, found.degraded.coverage) == ("missing_scores", 1 / 3)


def test_one_failing_question_spoils_no_other() -> None:
    scorer = Told(0.1, 0.2)
    reranker = ScoredReranker(scorer, name="x", depth=2, together=3)

    found = reranker.rerank_many([(a_query(text), hits(2)) for text in ("a", "bad", "c")], top_k=2, run=Run())

    assert scorer.calls == [["a", "bad", "c"], ["a"], ["bad"], ["c"]]
    assert [ids(one.hits) for one in found] == [["p2", "p1"], ["p1", "p2"], ["p2", "p1"]]
    assert [one.degraded.reason if one.degraded else None for one in found] == [None, "model_error", None]


def test_a_cancelled_batch_is_no_reranking() -> None:
    reranker = ScoredReranker(Told(0.1), name="x", depth=1, together=2)

    with pytest.raises(Cancelled):
        reranker.rerank_many([(a_query(), hits(1))] * 2, top_k=1, run=Run(cancelled=lambda: True))


@given(st.lists(st.one_of(NUMBERS, st.just(NAN), st.just(float("-inf"))), min_size=1, max_size=12), st.integers(1, 15))
def test_whatever_the_numbers_hits_are_permuted_and_scores_fall(numbers: list[float], depth: int) -> None:
    found = ScoredReranker(Told(*numbers), name="x", depth=depth).rerank(
        a_query(), hits(len(numbers)), top_k=len(numbers), run=Run()
    )

    scores = [hit.score for hit in found.hits]
    assert sorted(ids(found.hits)) == sorted(ids(hits(len(numbers))))
    assert scores == sorted(scores, reverse=True)
    assert np.isfinite(scores).all()


def test_each_query_and_passage_is_asked_for_once_whatever_its_list() -> None:
    asked: list[list[tuple[str, str]]] = []

    def ask(ones: Sequence[Asked], run: Run) -> NDArray[np.float64]:
        asked.append([(query, hit.passage.doc_id) for query, hit in ones])
        return np.array([float(hit.rank) for _, hit in ones])

    known = PassageScores(ask, digest="d")
    first, second, third = hits(3)
    known.of([("q", first), ("q", second)], run=Run())

    assert known.of([("q", third), ("q", second), ("other", first)], run=Run()).tolist() == [3.0, 2.0, 1.0]
    assert asked == [[("q", "p1"), ("q", "p2")], [("q", "p3"), ("other", "p1")]]


def test_a_passage_that_stands_twice_in_a_call_is_asked_for_once() -> None:
    sizes: list[int] = []

    def ask(ones: Sequence[Asked], run: Run) -> NDArray[np.float64]:
        sizes.append(len(ones))
        return np.full(len(ones), 0.5)

    assert PassageScores(ask, digest="d").of([("q", hits(1)[0])] * 3, run=Run()).tolist() == [0.5] * 3
    assert sizes == [1]


def test_a_number_that_the_backend_did_not_tell_is_asked_for_again() -> None:
    replies = iter([NAN, 0.7])
    known = PassageScores(lambda ones, run: np.array([next(replies)]), digest="d")

    found = [known.of([("q", hits(1)[0])], run=Run())[0] for _ in range(3)]

    assert np.isnan(found[0])
    assert found[1:] == [0.7, 0.7]


def test_a_failure_is_not_remembered() -> None:
    replies = iter([BudgetExhausted("spent"), None])

    def ask(ones: Sequence[Asked], run: Run) -> NDArray[np.float64]:
        if error := next(replies):
            raise error
        return np.array([0.7])

    known = PassageScores(ask, digest="d")
    with pytest.raises(BudgetExhausted):
        known.of([("q", hits(1)[0])], run=Run())
    assert known.of([("q", hits(1)[0])], run=Run()).tolist() == [0.7]


@given(st.lists(st.integers(0, 4), max_size=5))
def test_numbers_in_a_row_are_cut_into_one_array_a_pair(sizes: list[int]) -> None:
    pairs = [(a_query(), hits(size)) for size in sizes]
    row = np.arange(float(sum(sizes)))

    found = cut(row, pairs)

    assert [len(part) for part in found] == sizes
    assert [value for part in found for value in part] == row.tolist()


def test_the_oldest_value_makes_room_and_using_one_keeps_it() -> None:
    memory: Remembered[int] = Remembered(2)
    memory.put("a", 1)
    memory.put("b", 2)
    assert memory.get("a") == 1  # now `b` is the oldest
    memory.put("c", 3)

    assert (memory.get("a"), memory.get("b"), memory.get("c")) == (1, None, 3)


def test_z_scores_by_hand() -> None:
    # mean 4, squared distances 4 + 0 + 4 = 8, standard deviation sqrt(8 / 3)
    spread = (8 / 3) ** 0.5
    assert np.allclose(standardised(np.array([2.0, 4.0, 6.0])), [-2 / spread, 0.0, 2 / spread])
    assert standardised(np.array([0.1, 0.1, 0.1])).tolist() == [0.0, 0.0, 0.0]
    assert standardised(np.array([])).tolist() == []
