from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import BudgetExhausted, Cancelled, ModelError, UnparsableOutput
from app.core.types import Hit, Reranking
from fakes import a_hit, a_passage
from rerankers._common.ordering import as_they_came, by_order, by_score, or_as_they_came
from rerankers._common.replies import completed, ranking_in, usable

NUMBERS = st.floats(-1e6, 1e6)


def hits(count: int) -> list[Hit]:
    return [a_hit(a_passage(passage_id=f"p{n}@0#0"), rank=n + 1, score=1 / (n + 1)) for n in range(count)]


def places(reranking: Reranking) -> list[int]:
    """Return where the hits of a reranking stood, from 0; their first stage still says it."""
    return [hit.stages[0].rank - 1 for hit in reranking.hits]


def assert_whole(reranking: Reranking, given_hits: Sequence[Hit], top_k: int) -> None:
    found = places(reranking)
    assert len(found) == len(set(found)) == min(top_k, len(given_hits))
    assert set(found) <= set(range(len(given_hits)))
    assert [hit.rank for hit in reranking.hits] == list(range(1, len(found) + 1))
    assert all(one.score >= other.score for one, other in pairwise(reranking.hits))
    for hit, place in zip(reranking.hits, found, strict=True):
        assert hit.stages[:-1] == given_hits[place].stages
        assert hit.passage == given_hits[place].passage
        assert hit.source == "tested"


@given(st.lists(NUMBERS, max_size=30), st.integers(0, 10), st.integers(1, 45))
def test_scores_give_a_whole_permutation_best_first_ties_as_they_came(
    scores: list[float], beyond: int, top_k: int
) -> None:
    given_hits = hits(len(scores) + beyond)

    reranking = by_score(given_hits, scores, name="tested", top_k=top_k)

    assert_whole(reranking, given_hits, top_k)
    wanted = sorted(range(len(scores)), key=lambda place: (-scores[place], place))
    assert places(reranking) == [*wanted, *range(len(scores), len(given_hits))][:top_k]
    assert [hit.score for hit in reranking.hits][: len(scores)] == [scores[place] for place in wanted][:top_k]


@given(st.integers(0, 30), st.lists(st.integers(0, 29)), st.integers(1, 45))
def test_an_order_in_part_gives_a_whole_permutation(count: int, told: list[int], top_k: int) -> None:
    given_hits, order = hits(count), [place for place in told if place < count]

    reranking = by_order(given_hits, order, name="tested", top_k=top_k)

    assert_whole(reranking, given_hits, top_k)
    first = list(dict.fromkeys(order))
    assert places(reranking) == [*first, *(place for place in range(count) if place not in first)][:top_k]


@given(st.integers(0, 30), st.integers(1, 45))
def test_what_was_not_reranked_is_as_it_came_and_says_why(count: int, top_k: int) -> None:
    given_hits = hits(count)

    reranking = as_they_came(given_hits, name="tested", top_k=top_k, reason="model_error", coverage=0.25)

    assert_whole(reranking, given_hits, top_k)
    assert places(reranking) == list(range(min(count, top_k)))
    assert reranking.degraded is not None
    assert (reranking.degraded.reason, reranking.degraded.coverage, reranking.coverage) == ("model_error", 0.25, 0.25)


@given(st.lists(st.integers(-5, 40)), st.integers(0, 30))
def test_the_repair_of_a_ranking_is_total(told: list[int], count: int) -> None:
    whole, kept = completed(told, count), usable(told, count)

    assert sorted(whole) == list(range(count))
    assert whole[: len(kept)] == kept
    assert set(kept) == set(told) & set(range(count))


@given(st.text(), st.integers(0, 30))
def test_no_reply_can_break_a_ranking(text: str, count: int) -> None:
    assert sorted(completed(ranking_in(text, count), count)) == list(range(count))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (BudgetExhausted("the deadline passed while the model was writing"), "deadline"),
        (BudgetExhausted("the budget of 3 model calls is spent"), "budget"),
        (UnparsableOutput("no ranking", raw="?"), "unparsable"),
        (ModelError("gone"), "model_error"),
    ],
)
def test_a_failure_keeps_the_order_and_names_its_reason(error: Exception, reason: str) -> None:
    def fail() -> Reranking:
        raise error

    reranking = or_as_they_came(fail, hits(3), name="tested", top_k=2)

    assert places(reranking) == [0, 1]
    assert reranking.degraded is not None
    assert (reranking.degraded.reason, reranking.coverage) == (reason, 0.0)


def test_a_stop_by_the_caller_is_no_reranking() -> None:
    def stop() -> Reranking:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        or_as_they_came(stop, hits(3), name="tested", top_k=3)


def test_no_hits_need_no_work() -> None:
    def work() -> Reranking:
        raise AssertionError("there is nothing to do")

    assert or_as_they_came(work, [], name="tested", top_k=3) == Reranking(hits=())
