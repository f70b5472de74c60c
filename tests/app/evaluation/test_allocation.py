import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.allocation import WITHIN, Allocation, Theta, cheapest, fit_allocation, grid, logit

PUBLISHED = Allocation(coefficients=(0.325, 0.101, 0.177), constant=-0.730)  # Gemini 1.5 Flash, without gains
LEVELS = st.sampled_from([1.0, 2.0, 5.0, 10.0])
THETAS = st.lists(st.tuples(LEVELS, LEVELS, LEVELS), min_size=1, max_size=12, unique=True)


def test_the_published_coefficients_give_the_published_example() -> None:
    ten_documents_four_shots = (10.0, 4.0, 1.0)
    assert PUBLISHED.value(ten_documents_four_shots) == pytest.approx(0.158, abs=5e-4)
    assert PUBLISHED.probability(ten_documents_four_shots) == pytest.approx(0.540, abs=1e-3)  # 0.5395


def test_log_odds_are_finite_for_none_and_for_all() -> None:
    assert logit(0, 9) == pytest.approx(-logit(9, 9)) == pytest.approx(math.log(0.5 / 9.5))
    assert logit(4, 8) == 0.0


def test_a_model_is_found_again_from_what_it_says() -> None:
    thetas: list[Theta] = [(k, m, n) for k in (1.0, 5.0, 20.0) for m in (1.0, 4.0) for n in (1.0, 3.0)]

    found = fit_allocation(thetas, [PUBLISHED.value(theta) for theta in thetas])

    assert found.coefficients == pytest.approx(PUBLISHED.coefficients)
    assert found.constant == pytest.approx(PUBLISHED.constant)
    assert found.r2 == pytest.approx(1.0)


def test_what_is_the_same_in_every_run_has_no_coefficient() -> None:
    found = fit_allocation([(1.0, 1.0, 1.5), (2.0, 1.0, 1.5), (4.0, 1.0, 1.5)], [0.0, 1.0, 1.0])

    assert found.coefficients[1:] == (0.0, 0.0)
    assert found.coefficients[0] == pytest.approx(0.5 / math.log(2))  # by hand: slope a half for each doubling
    assert found.r2 == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("thetas", "problem"),
    [
        ([], "0 runs"),
        ([(1.0, 1.0, 1.0)] * 5, "differ in 0"),
        ([(1.0, 1.0, 1.0), (2.0, 1.0, 1.0)], "2 runs that differ in 1"),
        ([(1.0, 1.0, 1.0), (2.0, 1.0, 2.0), (4.0, 1.0, 4.0), (8.0, 1.0, 8.0)], "change together"),
    ],
)
def test_runs_that_tell_nothing_are_refused(thetas: list[Theta], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        fit_allocation(thetas, [0.0] * len(thetas))


def test_the_order_of_the_runs_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    runs = [((k, 1.0, n), float(rng.normal())) for k in (1.0, 5.0, 20.0) for n in (1.0, 2.0)]
    one, other = (fit_allocation(*map(list, zip(*some, strict=True))) for some in (runs, runs[::-1]))
    assert one.coefficients == pytest.approx(other.coefficients)


def test_the_grid_has_every_combination_once() -> None:
    assert grid([(5.0, 1.0, 1.0), (1.0, 1.0, 2.0)]) == [
        (1.0, 1.0, 1.0),
        (1.0, 1.0, 2.0),
        (5.0, 1.0, 1.0),
        (5.0, 1.0, 2.0),
    ]


TOKENS = Allocation(coefficients=(1.0, 1.0, 1.0), constant=math.log(100))  # a hundred each


def test_the_cheapest_within_a_point_of_the_best_is_taken() -> None:
    flat = Allocation(coefficients=(0.001, 0.0, 0.0), constant=0.0)
    steep = Allocation(coefficients=(1.0, 0.0, 0.0), constant=0.0)
    settings: list[Theta] = [(1.0, 1.0, 1.0), (5.0, 1.0, 1.0), (20.0, 1.0, 1.0)]

    assert cheapest(settings, worth=flat, tokens=TOKENS, budget=5000) == settings[0]
    assert cheapest(settings, worth=steep, tokens=TOKENS, budget=5000) == settings[2]
    assert cheapest(settings, worth=steep, tokens=TOKENS, budget=600) == settings[1]
    assert cheapest(settings, worth=steep, tokens=TOKENS, budget=50) is None


@given(THETAS, st.tuples(*[st.floats(-1, 1)] * 3), st.floats(50, 1e5))
def test_the_choice_is_within_the_budget_and_a_point_of_the_best_and_none_is_cheaper(
    settings: list[Theta], coefficients: Theta, budget: float
) -> None:
    worth = Allocation(coefficients=coefficients, constant=0.0)
    chosen = cheapest(settings, worth=worth, tokens=TOKENS, budget=budget)
    within = [one for one in settings if math.exp(TOKENS.value(one)) <= budget]

    assert (chosen is None) is (not within)
    if chosen is not None:
        best = max(map(worth.probability, within))
        assert chosen in within
        assert worth.probability(chosen) >= best - WITHIN
        good = [one for one in within if worth.probability(one) >= best - WITHIN]
        assert all(TOKENS.value(chosen) <= TOKENS.value(one) for one in good)
