from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binomtest

from app.evaluation.significance import (
    Bootstrap,
    Interval,
    McNemar,
    mcnemar_exact,
    mean_interval,
    paired_randomisation,
    smallest_detectable_difference,
    statistic_interval,
)

SHARES = st.floats(0, 1)
COLUMN = st.lists(st.none() | SHARES, min_size=1, max_size=30)
PAIRS = st.lists(st.tuples(SHARES, SHARES), max_size=20)
NOTHING = Interval(value=None, low=None, high=None, n=0)


def ends(interval: Interval) -> tuple[float, float, float]:
    assert interval.low is not None
    assert interval.value is not None
    assert interval.high is not None
    return interval.low, interval.value, interval.high


def test_two_questions_give_every_mean_that_they_can() -> None:
    # 0 0, 0 1, 1 0 and 1 1 are drawn equally often: means 0, 0.5, 0.5, 1, and each end has a quarter of the mass.
    assert mean_interval([0.0, 1.0], seed=7) == Interval(value=0.5, low=0.0, high=1.0, n=2)


def test_the_interval_of_a_share_has_the_width_that_the_normal_approximation_gives() -> None:
    # 1.96 * sqrt(0.5 * 0.5 / 1000) = 0.0310
    low, value, high = ends(mean_interval([0.0, 1.0] * 500, seed=7))

    assert value == 0.5
    assert low == pytest.approx(0.469, abs=0.003)
    assert high == pytest.approx(0.531, abs=0.003)


def test_an_excluded_question_is_not_a_zero() -> None:
    assert mean_interval([1.0, None, 1.0, None], seed=7) == Interval(value=1.0, low=1.0, high=1.0, n=2)


def test_a_group_among_others_has_the_interval_that_it_has_alone() -> None:
    group = [float(position % 3 == 0) for position in range(200)]

    alone = ends(mean_interval(group, seed=7))
    among = ends(mean_interval([*group, *[None] * 300], seed=7))

    assert among == pytest.approx(alone, abs=0.02)


@pytest.mark.parametrize("values", [[], [None], [None, None]])
def test_nothing_to_average_is_none(values: list[float | None]) -> None:
    assert mean_interval(values, seed=7) == NOTHING


def test_one_question_has_an_interval_without_width() -> None:
    assert mean_interval([None, 0.1, None], seed=7) == Interval(value=0.1, low=0.1, high=0.1, n=1)


@given(COLUMN)
def test_an_interval_holds_the_mean_and_stays_within_the_values(values: list[float | None]) -> None:
    interval = mean_interval(values, seed=7, resamples=200)

    known = [value for value in values if value is not None]
    assert interval.n == len(known)
    if known:
        low, value, high = ends(interval)
        rounding = 1e-12
        assert value == pytest.approx(sum(known) / len(known))
        assert min(known) - rounding <= low <= value + rounding
        assert value - rounding <= high <= max(known) + rounding


@given(COLUMN, st.integers(0, 5))
def test_the_same_seed_gives_the_same_interval_alone_and_beside_other_metrics(
    values: list[float | None], seed: int
) -> None:
    others: list[float | None] = [1.0] * len(values)

    together = Bootstrap(len(values), seed=seed, resamples=50).means({"others": others, "this": values})

    assert list(together) == ["others", "this"]
    alone = mean_interval(values, seed=seed, resamples=50)
    if alone.n == 0:
        assert together["this"] == NOTHING
    else:
        assert ends(together["this"]) == pytest.approx(ends(alone))
    assert alone == mean_interval(values, seed=seed, resamples=50)


def test_the_order_of_the_questions_hardly_matters() -> None:
    values = list(np.random.default_rng(3).random(400))

    assert ends(mean_interval(values[::-1], seed=7)) == pytest.approx(ends(mean_interval(values, seed=7)), abs=0.005)


def test_nineteen_intervals_in_twenty_hold_the_truth() -> None:
    experiments = np.random.default_rng(11).random((300, 60)) < 0.4
    columns = {str(number): [float(hit) for hit in row] for number, row in enumerate(experiments)}

    intervals = Bootstrap(60, seed=7).means(columns)

    held = sum(low <= 0.4 <= high for low, _, high in map(ends, intervals.values()))
    assert 0.90 <= held / 300 <= 0.98


def test_weights_are_the_same_however_many_blocks_they_are_multiplied_in() -> None:
    n = 30_000  # 33 resamples a block of a million
    values = list(np.random.default_rng(3).random(n))

    of_means = ends(mean_interval(values, seed=7, resamples=100))

    array = np.array(values)
    of_statistic = ends(statistic_interval(lambda drawn: float(array[drawn].mean()), n, seed=7, resamples=100))
    assert of_means == pytest.approx(of_statistic, rel=1e-12)


@pytest.mark.parametrize("bad", [nan, inf])
def test_a_value_that_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        mean_interval([0.5, bad], seed=7)


def test_a_column_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="column 'f1' has 1 values for 2 questions"):
        Bootstrap(2, seed=7).means({"em": [0.0, 1.0], "f1": [1.0]})


@pytest.mark.parametrize(("n", "resamples"), [(-1, 10), (3, 0)])
def test_resamples_that_cannot_be_drawn_are_refused(n: int, resamples: int) -> None:
    with pytest.raises(ValueError, match="cannot draw"):
        Bootstrap(n, seed=7, resamples=resamples)
    with pytest.raises(ValueError, match="cannot draw"):
        statistic_interval(lambda _: 1.0, n, seed=7, resamples=resamples)


def test_a_figure_of_a_whole_set_is_computed_anew_for_each_resample() -> None:
    values = np.array([3.0, 9.0])

    largest = statistic_interval(lambda drawn: float(values[drawn].max()), 2, seed=7)

    # 3 where position 0 is drawn twice, a quarter of the time, else 9
    assert largest == Interval(value=9.0, low=3.0, high=9.0, n=2)


def test_resamples_without_a_value_are_left_out() -> None:
    def share(drawn: NDArray[np.int64]) -> float | None:
        return None if (drawn == 0).all() else 1.0

    assert statistic_interval(share, 2, seed=7) == Interval(value=1.0, low=1.0, high=1.0, n=2)


def test_a_figure_that_no_resample_has_gets_no_interval() -> None:
    def only_without_repetition(drawn: NDArray[np.int64]) -> float | None:
        return 1.0 if len(set(drawn.tolist())) == 30 else None  # 30! / 30 ** 30 = 1e-12

    assert statistic_interval(only_without_repetition, 30, seed=7) == Interval(value=1.0, low=None, high=None, n=30)


def test_a_figure_that_is_not_defined_for_the_set_is_none() -> None:
    assert statistic_interval(lambda _: None, 5, seed=7) == NOTHING
    assert statistic_interval(lambda _: 1.0, 0, seed=7) == NOTHING


def test_randomisation_counts_the_signings_that_are_as_far_from_nought() -> None:
    # Of the 8 signings of 1, 1, 1 two have a sum of 3 or -3: 0.25.
    assert paired_randomisation([1, 1, 1], [0, 0, 0], seed=7) == pytest.approx(0.25, abs=0.02)


def test_randomisation_agrees_with_the_sign_test_where_all_differences_are_one() -> None:
    a, b = [1.0] * 160 + [0.0] * 140, [0.0] * 160 + [1.0] * 140

    assert paired_randomisation(a, b, seed=7) == pytest.approx(binomtest(160, 300).pvalue, abs=0.02)


def test_the_smallest_p_value_is_that_of_the_observed_signing_alone() -> None:
    assert paired_randomisation([1.0] * 60, [0.0] * 60, seed=7, rounds=99) == 1 / 100


def test_sums_that_differ_by_rounding_alone_are_ties() -> None:
    # 0.3, -0.6 and 0.6 under any signs add up to 0.3 or 1.5, up to rounding: none is nearer to 0 than 0.3.
    assert paired_randomisation([0.3, 0.0, 0.6], [0.0, 0.6, 0.0], seed=7, rounds=500) == 1.0


@given(st.lists(SHARES, max_size=20))
def test_a_run_does_not_differ_from_itself(values: list[float]) -> None:
    right = [value > 0.5 for value in values]

    assert paired_randomisation(values, values, seed=7, rounds=100) == 1.0
    assert mcnemar_exact(right, right) == McNemar(p=1.0, a_only=0, b_only=0)


@given(PAIRS)
def test_which_run_comes_first_does_not_matter(pairs: list[tuple[float, float]]) -> None:
    a, b = [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    p = paired_randomisation(a, b, seed=7, rounds=200)

    assert 1 / 201 <= p <= 1.0
    assert p == paired_randomisation(b, a, seed=7, rounds=200)
    one = mcnemar_exact([x > 0.5 for x in a], [x > 0.5 for x in b])
    other = mcnemar_exact([x > 0.5 for x in b], [x > 0.5 for x in a])
    assert other == McNemar(p=one.p, a_only=one.b_only, b_only=one.a_only)


@given(PAIRS)
def test_questions_without_a_difference_change_no_p_value(pairs: list[tuple[float, float]]) -> None:
    a, b = [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    longer = paired_randomisation([*a, 0.5, 0.7], [*b, 0.5, 0.7], seed=7, rounds=200)

    assert longer == paired_randomisation(a, b, seed=7, rounds=200)


def test_mcnemar_is_the_binomial_test_on_the_discordant_pairs() -> None:
    a = [True] * 1 + [False] * 8 + [True] * 20 + [False] * 3
    b = [False] * 1 + [True] * 8 + [True] * 20 + [False] * 3

    # 2 * P(X <= 1 | n = 9, 1/2) = 2 * (1 + 9) / 512
    test = mcnemar_exact(a, b)
    assert test.p == pytest.approx(0.0390625)
    assert (test.a_only, test.b_only) == (1, 8)


@pytest.mark.parametrize(("a", "b", "rounds"), [([nan], [1.0], 10), ([inf], [inf], 10), ([1.0], [0.0], 0)])
def test_values_that_cannot_be_compared_are_refused(a: list[float], b: list[float], rounds: int) -> None:
    with pytest.raises(ValueError, match="finite values and at least one round"):
        paired_randomisation(a, b, seed=7, rounds=rounds)


def test_runs_of_two_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="longer"):
        mcnemar_exact([True], [True, False])
    with pytest.raises(ValueError, match="shorter"):
        paired_randomisation([1.0], [], seed=7)


def test_the_smallest_detectable_difference_follows_its_formula() -> None:
    # Differences 0 and 2: s = sqrt(2), s / sqrt(2) = 1, and the quantiles are 1.959964 + 0.841621.
    assert smallest_detectable_difference([0.0, 2.0]) == pytest.approx(2.801585)
    # At half the power the second quantile is 0.
    assert smallest_detectable_difference([0.0, 2.0], power=0.5) == pytest.approx(1.959964)
    # Four times as many differences (s = sqrt(8 / 7), n = 8): 2.801585 * sqrt(1 / 7)
    assert smallest_detectable_difference([0.0, 2.0] * 4) == pytest.approx(2.801585 / 7**0.5)


@pytest.mark.parametrize("differences", [[], [0.5]])
def test_fewer_than_two_differences_have_no_spread(differences: list[float]) -> None:
    assert smallest_detectable_difference(differences) is None


@pytest.mark.parametrize(("power", "alpha"), [(1.0, 0.05), (0.8, 0.0), (0.8, 1.5)])
def test_a_power_or_level_outside_0_to_1_is_refused(power: float, alpha: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        smallest_detectable_difference([0.0, 1.0], power=power, alpha=alpha)
