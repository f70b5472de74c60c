"""The best of many by comparing pairs, as many as possible at once: partial quicksort in whole levels.

(Wisznia et al., arXiv 2505.24643, section 3: a partition needs its pivot only, so its comparisons are one batch. Here
all partitions of a level are.)
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

Pair = tuple[int, int]
Part = tuple[int, int]  # ranks, half-open, whose places are not in order yet
Y = TypeVar("Y")
S = TypeVar("S")
Compare = Callable[[Sequence[Pair]], Generator[Y, S, list[int] | None]]
"""Pairs → 1 where the first is better, -1 where the second is, 0 where neither; None to stop the sorting."""

_THREE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """A permutation of the places, best first, and how many of them stand in parts that were still to be sorted."""

    order: list[int]
    unsorted: int


def quicksort(count: int, *, top: int, compare: Compare[Y, S]) -> Generator[Y, S, Sorted]:
    """Return the places so that the first `top` are in order; where two are alike, the lower place goes first.

    What is not sorted keeps its order within its part. Cost: two calls of `compare` for each level of partitions, the
    median of three of each part first.
    """
    order, parts = list(range(count)), [(0, count)]
    while parts := [(start, end) for start, end in parts if end - start > 1 and start < top]:
        pivots = yield from _pivots(order, parts, compare)
        if pivots is None:
            break
        others = [[place for place in order[start:end] if place != pivot] for (start, end), pivot in pivots]
        pairs = [(place, pivot) for (_, pivot), rest in zip(pivots, others, strict=True) for place in rest]
        results = yield from compare(pairs)
        if results is None:
            break
        is_before = {pair for pair, result in zip(pairs, results, strict=True) if (-result, pair[0]) < (0, pair[1])}
        parts = [
            part
            for ((start, _), pivot), rest in zip(pivots, others, strict=True)
            for part in _split(order, start, pivot, rest, is_before)
        ]
    return Sorted(order=order, unsorted=sum(end - start for start, end in parts))


def _split(order: list[int], start: int, pivot: int, others: Sequence[int], is_before: set[Pair]) -> tuple[Part, Part]:
    """Put what is better than the pivot before it and the rest behind, and return the two parts."""
    before = [place for place in others if (place, pivot) in is_before]
    after = [place for place in others if (place, pivot) not in is_before]
    end, middle = start + len(others) + 1, start + len(before)
    order[start:end] = [*before, pivot, *after]
    return (start, middle), (middle + 1, end)


def _pivots(
    order: Sequence[int], parts: Sequence[Part], compare: Compare[Y, S]
) -> Generator[Y, S, list[tuple[Part, int]] | None]:
    """Return each part with the median of its first, middle and last place; of two places, the first."""
    trios = {part: _ends_and_middle(order, part) for part in parts if part[1] - part[0] >= _THREE}
    pairs = [pair for a, b, c in trios.values() for pair in ((a, b), (a, c), (b, c))]
    results = (yield from compare(pairs)) if pairs else []
    if results is None:
        return None
    wins = dict(zip(pairs, results, strict=True))
    medians = {part: _median(trio, wins) for part, trio in trios.items()}
    return [(part, medians.get(part, order[part[0]])) for part in parts]


def _ends_and_middle(order: Sequence[int], part: Part) -> tuple[int, int, int]:
    start, end = part
    return order[start], order[(start + end) // 2], order[end - 1]


def _median(trio: tuple[int, int, int], wins: dict[Pair, int]) -> int:
    a, b, c = trio
    balance = {a: wins[a, b] + wins[a, c], b: wins[b, c] - wins[a, b], c: -wins[a, c] - wins[b, c]}
    return sorted(trio, key=lambda place: (-balance[place], place))[1]
