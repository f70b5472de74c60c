import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerankers._common.windows import windows

SIZES = st.integers(1, 30).flatmap(lambda size: st.tuples(st.just(size), st.integers(1, size)))


def loop(count: int, size: int, stride: int) -> list[tuple[int, int]]:
    """Return the windows of the sliding loop with a clamped size, as FIRST's card has it."""
    size = min(size, count)
    start, end, found = count - size, count, []
    while end > 0 and start + stride != 0:
        start = max(start, 0)
        found.append((start, end))
        end -= stride
        start -= stride
    return found


@pytest.mark.parametrize(("size", "stride"), [(20, 10), (10, 5), (4, 2)])
@pytest.mark.parametrize("count", range(2, 121))
def test_windows_are_those_of_the_loop_and_as_many_as_the_formula(count: int, size: int, stride: int) -> None:
    found = list(windows(count, size=size, stride=stride))

    assert found == loop(count, size, stride)
    assert len(found) == 1 + math.ceil(max(0, count - size) / stride)


@given(st.integers(2, 300), SIZES)
def test_windows_cover_all_places_and_overlap_by_size_minus_stride(count: int, sizes: tuple[int, int]) -> None:
    size, stride = sizes

    found = list(windows(count, size=size, stride=stride))

    assert found[0] == (max(0, count - size), count)
    assert found[-1][0] == 0
    assert {place for start, end in found for place in range(start, end)} == set(range(count))
    assert all(end - start == min(size, count) for start, end in found[:-1])
    for (later_start, later_end), (start, end) in pairwise(found):
        assert later_end - end == stride
        assert end - later_start == min(size, count) - stride
        assert start == max(0, later_start - stride)
    assert len(found) == 1 + math.ceil(max(0, count - size) / stride)


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_is_asked_where_there_is_nothing_to_order(count: int) -> None:
    assert list(windows(count, size=20, stride=10)) == []


def test_a_list_as_long_as_the_stride_is_one_window() -> None:
    assert list(windows(10, size=20, stride=10)) == [(0, 10)]


@pytest.mark.parametrize("stride", [0, 21, -1])
def test_a_stride_that_leaves_gaps_or_stands_still_is_refused(stride: int) -> None:
    with pytest.raises(ValueError, match="stride"):
        list(windows(30, size=20, stride=stride))
