from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.experiments.mixing import Mixed, best_mix

Numbers = NDArray[np.float64]


def near(*targets: tuple[float, ...]) -> Callable[[Numbers], Numbers]:
    """Return values of which the question's best is at its target, and falls with the distance from there."""
    return lambda mixes: np.column_stack([-np.abs(mixes - np.array(one)).sum(axis=1) for one in targets])


def mixed(values: Callable[[Numbers], Numbers], voices: int) -> Mixed:
    found = best_mix(values, voices=voices)
    assert found is not None
    return found


def test_the_finer_grid_finds_what_the_coarse_one_steps_over() -> None:
    assert mixed(near((0.34, 0.4, 0.26), (0.34, 0.4, 0.26)), 3).weights == (0.34, 0.4, 0.26)


def test_both_grids_hold_only_mixes_that_are_whole() -> None:
    asked: list[Numbers] = []

    def values(mixes: Numbers) -> Numbers:
        asked.append(mixes)
        return near((0.2, 0.3, 0.5), (0.2, 0.3, 0.5))(mixes)

    best_mix(values, voices=3)

    assert [len(mixes) for mixes in asked] == [66, 91]  # C(12, 2); a hexagon of side 6
    for mixes in asked:
        assert np.allclose(mixes.sum(axis=1), 1.0)
        assert mixes.min() >= 0.0


def test_equal_mixes_go_to_the_more_even() -> None:
    def values(mixes: Numbers) -> Numbers:  # worth the same from 0.2 on
        return np.column_stack([mixes[:, 0] >= 0.2] * 2).astype(np.float64)

    assert mixed(values, 3).weights == (0.32, 0.34, 0.34)  # as even as fiftieths can be


def test_the_cross_validated_figure_is_of_weights_that_never_saw_the_question() -> None:
    # all on the first voice, or all on the second: three questions against one
    found = mixed(near((1.0, 0.0), (1.0, 0.0), (1.0, 0.0), (0.0, 1.0)), 2)

    assert found.weights == (1.0, 0.0)
    assert found.fitted == found.cross_validated == pytest.approx((0 + 0 + 0 - 2) / 4)

    split = mixed(near((1.0, 0.0), (0.0, 1.0)), 2)
    assert split.weights == (0.5, 0.5)
    assert split.fitted == pytest.approx(-1.0)
    assert split.cross_validated == pytest.approx(-2.0)  # each is given what is best for the other


@pytest.mark.parametrize(
    "values", [lambda mixes: np.ones((len(mixes), 5)), near((0.3, 0.7)), lambda mixes: np.empty((len(mixes), 0))]
)
def test_where_there_is_nothing_to_choose_nothing_is_chosen(values: Callable[[Numbers], Numbers]) -> None:
    assert best_mix(values, voices=2) is None


@given(st.lists(st.tuples(*[st.integers(0, 100)] * 3), min_size=2, max_size=6))
def test_no_voice_alone_is_better_and_the_weights_add_up(drawn: list[tuple[int, ...]]) -> None:
    values = near(*[tuple(share / 100 for share in one) for one in drawn])

    found = mixed(values, 3)

    assert sum(found.weights) == pytest.approx(1.0)
    assert min(found.weights) >= 0.0
    assert found.fitted >= values(np.eye(3)).mean(axis=1).max() - 1e-12


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_voices_in_another_order_get_the_same_weights(order: tuple[int, ...]) -> None:
    target = np.array([0.5, 0.32, 0.18])

    found = mixed(near(tuple(target[list(order)]), tuple(target[list(order)])), 3)

    assert found.weights == tuple(target[list(order)])
