from collections.abc import Sequence
from itertools import permutations
from statistics import mean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.records import Given, Gold
from app.evaluation.selective import (
    Refusals,
    aurc,
    confidence_of,
    refusal_f1,
    refusal_precision,
    refusal_recall,
    refusals,
    risk_coverage,
    utility,
)

NAN = float("nan")
ANSWERS = st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.9, NAN, float("-inf")]), st.booleans()), max_size=30)
FLAGS = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=20)


def area(confidences: Sequence[float], correct: Sequence[bool]) -> float | None:
    return aurc(np.array(confidences, dtype=np.float64), np.array(correct, dtype=np.bool_))


def curve(confidences: Sequence[float], correct: Sequence[bool]) -> list[tuple[float, float]]:
    return risk_coverage(np.array(confidences, dtype=np.float64), np.array(correct, dtype=np.bool_))


def flags(values: Sequence[bool]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array(values, dtype=np.bool_)


def test_the_area_is_the_mean_risk_over_the_ranks() -> None:
    # by confidence: right, wrong, right, wrong: risks 0/1, 1/2, 1/3, 2/4
    assert area([0.9, 0.7, 0.5, 0.1], [True, False, True, False]) == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4) / 4)


def test_equally_confident_answers_enter_together_at_their_mean_risk() -> None:
    # one right answer, then two of equal confidence with one error: at rank 2 half an error, at rank 3 one
    assert area([0.9, 0.5, 0.5], [True, True, False]) == pytest.approx((0 + 0.5 / 2 + 1 / 3) / 3)
    assert curve([0.9, 0.5, 0.5], [True, True, False]) == [(1 / 3, 0.0), (3 / 3, 1 / 3)]


def test_the_curve_ends_where_the_system_stops_answering() -> None:
    assert curve([0.9, NAN, 0.5, NAN], [True, False, False, True]) == [(1 / 4, 0.0), (2 / 4, 1 / 2)]
    assert area([0.9, NAN, 0.5, NAN], [True, False, False, True]) == pytest.approx((0 + 1 / 2) / 2)


def test_a_system_that_answers_nothing_has_no_curve() -> None:
    assert area([NAN, NAN], [False, False]) is None
    assert curve([NAN, NAN], [False, False]) == []
    assert area([], []) is None
    assert curve([], []) == []


def test_the_area_is_exact_over_all_orders_of_equal_answers() -> None:
    correct = [True, False, False, True, False]
    risks = [mean(order[:k].count(False) / k for k in range(1, 6)) for order in permutations(correct)]

    assert area([0.5] * 5, correct) == pytest.approx(mean(risks))


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_a_constant_confidence_has_the_overall_risk(correct: list[bool]) -> None:
    assert area([0.5] * len(correct), correct) == pytest.approx(correct.count(False) / len(correct))


@given(st.lists(st.booleans(), min_size=1, max_size=30).flatmap(lambda c: st.tuples(st.just(c), st.permutations(c))))
def test_no_order_is_better_than_right_answers_first(pair: tuple[list[bool], list[bool]]) -> None:
    correct, shuffled = pair
    confidences = [1 / rank for rank in range(1, len(correct) + 1)]

    best, worst = area(confidences, sorted(correct, reverse=True)), area(confidences, sorted(correct))
    some = area(confidences, shuffled)

    assert best is not None
    assert some is not None
    assert worst is not None
    assert best <= some + 1e-12
    assert some <= worst + 1e-12


@given(ANSWERS, st.randoms(use_true_random=False))
def test_the_order_of_the_questions_and_the_scale_of_confidence_change_nothing(
    answers: list[tuple[float, bool]], random: object
) -> None:
    shuffled = [(confidence * 3, correct) for confidence, correct in answers]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives no narrower type

    first, second = (([c for c, _ in rows], [right for _, right in rows]) for rows in (answers, shuffled))

    assert area(*first) == area(*second)
    assert curve(*first) == curve(*second)


@given(ANSWERS)
def test_the_curve_rises_in_coverage_and_ends_at_the_risk_of_all_answers(answers: list[tuple[float, bool]]) -> None:
    points = curve([c for c, _ in answers], [right for _, right in answers])
    said = [right for confidence, right in answers if not np.isnan(confidence)]

    assert [coverage for coverage, _ in points] == sorted({coverage for coverage, _ in points})
    assert all(0 <= risk <= 1 for _, risk in points)
    if said:
        assert points[-1] == (len(said) / len(answers), said.count(False) / len(said))


def test_what_says_nothing_has_no_confidence_and_an_answer_without_one_comes_last() -> None:
    assert confidence_of(Given(status="answered", confidence=0.7)) == 0.7
    assert confidence_of(Given(status="partial")) == float("-inf")
    assert np.isnan(confidence_of(Given(status="abstained", confidence=0.9)))
    assert np.isnan(confidence_of(Given(status="failed")))
    # the answer without a confidence is third: risks 0/1, 0/2, 1/3
    assert area([float("-inf"), 0.9, 0.0], [False, True, True]) == pytest.approx(1 / 9)


def test_refusing_is_scored_against_what_cannot_be_answered() -> None:
    unanswerable, refused = flags([True, True, True, False, False]), flags([True, True, False, True, False])

    assert refusal_precision(unanswerable, refused) == 2 / 3
    assert refusal_recall(unanswerable, refused) == 2 / 3
    assert refusal_f1(unanswerable, refused) == pytest.approx(2 * (2 / 3) * (2 / 3) / (2 / 3 + 2 / 3))


def test_a_ratio_over_nothing_is_none() -> None:
    none, some = flags([False, False]), flags([True, False])

    assert refusal_precision(some, none) is None
    assert refusal_recall(none, some) is None
    assert refusal_f1(none, none) is None
    assert refusal_f1(some, none) == 0.0
    assert refusal_f1(none, some) == 0.0


@given(FLAGS)
def test_f1_is_the_harmonic_mean(pairs: list[tuple[bool, bool]]) -> None:
    unanswerable, refused = flags([a for a, _ in pairs]), flags([b for _, b in pairs])
    precision, recall = refusal_precision(unanswerable, refused), refusal_recall(unanswerable, refused)

    if precision and recall:
        assert refusal_f1(unanswerable, refused) == pytest.approx(2 * precision * recall / (precision + recall))
    assert refusal_f1(unanswerable, refused) == refusal_f1(refused, unanswerable)


def a_question(answerable: bool | None) -> Gold:
    return Gold(query_id="q", text="Who?", answerable=answerable)


def test_a_failure_is_no_refusal_and_unknown_answerability_is_left_out() -> None:
    golds = [a_question(answerable) for answerable in (False, False, True, True, None)]
    statuses = ["abstained", "failed", "abstained", "answered", "abstained"]

    # refused: the first and the third; unanswerable: the first two; both: the first
    assert refusals(golds, [Given(status=status) for status in statuses]) == Refusals(
        precision=1 / 2, recall=1 / 2, f1=2 * 1 / (2 + 2)
    )


def test_every_question_needs_its_answer() -> None:
    with pytest.raises(ValueError, match="shorter"):
        refusals([a_question(True), a_question(False)], [Given(status="answered")])


@pytest.mark.parametrize(("odds", "expected"), [(0, 1.0), (1, 1 - 1), (20, 1 - 20)])
def test_utility_weighs_wrong_answers_by_the_odds(odds: float, expected: float) -> None:
    right, wrong, silent = utility(True, True, odds), utility(True, False, odds), utility(False, False, odds)

    assert right + wrong + silent == expected


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_utility_without_risk_is_accuracy_and_never_grows_with_the_odds(answers: list[tuple[bool, bool]]) -> None:
    exam, jeopardy, stakes = (mean(utility(said, right, odds) for said, right in answers) for odds in (0, 1, 20))

    assert exam == pytest.approx(sum(said and right for said, right in answers) / len(answers))
    assert exam >= jeopardy >= stakes
