import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.calibration import Flags, Floats, Logistic, brier, cross_validated, fit_logistic

NONE = np.array([1e-9])  # a prior that says nothing but the direction


def flags(*outcomes: int) -> Flags:
    return np.array(outcomes, dtype=np.bool_)


def column(*values: float) -> Floats:
    return np.array(values, dtype=np.float64)[:, None]


def test_the_brier_score_is_the_mean_squared_difference() -> None:
    assert brier(np.array([1.0, 0.0, 0.6]), flags(1, 1, 0)) == pytest.approx((0.0 + 1.0 + 0.36) / 3)
    assert brier(np.array([]), flags()) is None


def test_without_a_penalty_the_odds_of_two_groups_are_those_of_the_data() -> None:
    values, correct = column(0, 0, 0, 0, 1, 1, 1, 1), flags(1, 0, 0, 0, 1, 1, 1, 0)

    model = fit_logistic(values, correct, prior=NONE, penalty=0.0)

    assert model.bias == pytest.approx(math.log(1 / 3), abs=1e-3)
    assert model.weights[0] == pytest.approx(2 * math.log(3), abs=1e-3)
    assert model.probabilities(column(0, 1)) == pytest.approx([0.25, 0.75], abs=1e-3)


def test_a_weight_that_the_data_contradict_is_nothing() -> None:
    values, correct = column(0, 0, 0, 1, 1, 1), flags(1, 1, 1, 0, 0, 1)

    assert fit_logistic(values, correct, prior=np.array([1.0]), penalty=0.0).weights[0] == 0.0
    assert fit_logistic(-values, correct, prior=np.array([-1.0]), penalty=0.0).weights[0] == 0.0


def test_few_answers_leave_the_prior_nearly_where_it_was() -> None:
    values, correct = column(0.4, 0.6, 0.5, 0.5), flags(1, 0, 1, 0)

    assert fit_logistic(values, correct, prior=np.array([3.0])).weights[0] == pytest.approx(3.0, abs=0.3)
    assert fit_logistic(values, correct, prior=np.array([3.0]), penalty=1e6).weights[0] == pytest.approx(3.0, abs=1e-3)


def test_outcomes_that_are_all_alike_fit_no_model() -> None:
    for outcomes in (flags(1, 1), flags(0, 0), flags()):
        with pytest.raises(ValueError, match="all right or all wrong"):
            fit_logistic(np.zeros((len(outcomes), 1)), outcomes, prior=NONE)
    with pytest.raises(ValueError, match="fewer than two"):
        cross_validated(column(1, 2, 3), flags(1, 0, 0), prior=NONE)


@given(st.lists(st.tuples(st.floats(-1, 1), st.booleans()), min_size=4, max_size=30))
def test_a_fit_keeps_directions_and_cares_not_for_order(answers: list[tuple[float, bool]]) -> None:
    if len({right for _, right in answers}) < 2:
        answers = [*answers, (0.0, True), (0.0, False)]
    shuffled = sorted(answers)
    one, other = (
        fit_logistic(column(*(value for value, _ in some)), flags(*(right for _, right in some)), prior=np.array([2.0]))
        for some in (answers, shuffled)
    )

    assert one.weights[0] >= 0.0
    assert one.weights == pytest.approx(other.weights, abs=1e-3)
    assert one.bias == pytest.approx(other.bias, abs=1e-3)
    assert all(0.0 <= p <= 1.0 for p in one.probabilities(column(-1, 0, 1)))


def test_an_answer_is_told_by_the_others_alone() -> None:
    values = column(*([0.0, 1.0] * 20))
    correct = flags(*([0, 1] * 20))
    honest = cross_validated(values, correct, prior=NONE)
    odd = values.copy()
    odd[0] = 1.0  # this one looks right and is wrong: it is not forgiven by its own outcome

    assert honest[correct].min() > honest[~correct].max()
    assert cross_validated(odd, correct, prior=NONE)[0] == pytest.approx(honest[1], abs=0.05)


def test_extreme_logits_are_still_probabilities() -> None:
    steep = Logistic(bias=0.0, weights=np.array([1e6]))
    assert steep.probabilities(column(-1, 1)) == pytest.approx([0.0, 1.0])
