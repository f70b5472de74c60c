"""Weights that add up to 1, chosen by what they are worth on each question: a grid, then a finer one round the best."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Values = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Mixes, shape (mixes, voices), rows adding up to 1 → what each is worth on each question, (mixes, questions)."""

_WHOLE, _COARSE = 50, 5  # weights are fiftieths; the first grid is of tenths
_FEWEST = 2  # questions: one cannot be told by the others
_DIGITS = 12  # means that differ less are equal: the same orders, added up otherwise

_Mix = tuple[int, ...]
_Looked = tuple[Sequence[_Mix], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed:
    """The weights chosen, and means over the questions: of these weights, and cross-validated.

    For the latter the weights for each question are chosen on all the others (leave-one-out), so that no question
    speaks for itself.
    """

    weights: tuple[float, ...]
    fitted: float
    cross_validated: float


def best_mix(values: Values, *, voices: int) -> Mixed | None:
    """Return the mix of so many voices with the highest mean value; equal ones: the more even, then by place.

    Never worse than a voice alone, for these are on the grid. None when all mixes of the first grid are worth the same
    on each question, so that there is nothing to choose, and with fewer than two questions.

    Cost: for 3 voices 66 mixes and 91 round the best of them; each voice more makes it about ten times as many.
    """
    search = _Search(values, voices)
    questions = search.coarse[1].shape[1]
    if questions < _FEWEST or not np.ptp(search.coarse[1], axis=0).any():
        return None
    mix, worth = search.best(np.ones(questions, dtype=np.bool_))
    left_out = [search.best(np.arange(questions) != place)[1][place] for place in range(questions)]
    return Mixed(
        weights=tuple(share / _WHOLE for share in mix),
        fitted=float(worth.mean()),
        cross_validated=float(np.mean(left_out)),
    )


class _Search:
    """Looks each grid up once, however often it is asked for the best of it."""

    def __init__(self, values: Values, voices: int) -> None:
        self._values = values
        self.coarse = self._looked([range(0, _WHOLE + 1, _COARSE)] * voices)
        self._fine: dict[_Mix, _Looked] = {}

    def best(self, included: NDArray[np.bool_]) -> tuple[_Mix, NDArray[np.float64]]:
        """Return the best mix over the questions included, and what it is worth on every question."""
        near, _ = _best_of(self.coarse, included)
        if near not in self._fine:
            around = [range(max(0, share - _COARSE), min(_WHOLE, share + _COARSE) + 1) for share in near]
            self._fine[near] = self._looked(around)
        return _best_of(self._fine[near], included)

    def _looked(self, shares: Sequence[range]) -> _Looked:
        """Return the mixes that these shares allow, the more even first, and their values."""
        heads = product(*shares[:-1])
        mixes = [(*head, rest) for head in heads if (rest := _WHOLE - sum(head)) in shares[-1]]
        mixes.sort(key=lambda mix: (sum(share * share for share in mix), mix))
        return mixes, self._values(np.array(mixes, dtype=np.float64) / _WHOLE)


def _best_of(looked: _Looked, included: NDArray[np.bool_]) -> tuple[_Mix, NDArray[np.float64]]:
    mixes, table = looked
    place = int(np.argmax(np.round(table[:, included].mean(axis=1), _DIGITS)))  # the first of equal ones
    return mixes[place], table[place]
