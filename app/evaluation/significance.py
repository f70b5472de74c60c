"""How sure a figure is, and whether two runs differ.

Everything is drawn from a seed: the same seed, values and order of questions give the same numbers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, fmean, stdev

import numpy as np
from numpy.typing import NDArray

_TAILS = (2.5, 97.5)  # percent: the ends of a 95 % interval
_CELLS = 1_000_000  # numbers held as floats at a time, 8 MB
_TIE = 1e-9  # sums of the same numbers in another order differ by rounding; relative to the sum of magnitudes


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A figure over `n` questions with its 95 % interval; all None when n is 0, and `low == value == high` when n is 1.

    One question says nothing of its spread: the interval then has no width, and is not to be read as certainty. Both
    ends are None where no resample has a value.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class McNemar:
    """The test's `p` and the discordant pairs: questions that only `a`, and that only `b`, had right."""

    p: float
    a_only: int
    b_only: int


class Bootstrap:
    """Resamples of `n` questions, drawn once, so that all metrics of a run share them.

    Intervals are percentile intervals over questions (Efron & Tibshirani, 1993, chapter 13).

    Raises:
        ValueError: `n` is below 0, or `resamples` below 1.
    """

    def __init__(self, n: int, *, seed: int, resamples: int = 1000) -> None:
        self._n = n
        # How often each question was drawn, a byte each: (resamples, n), 1 MB for 1,000 questions. No count comes near
        # 256: a question is drawn once on average, and 256 times with a chance below 1 / 256!.
        self._counts = np.array(
            [np.bincount(drawn, minlength=n).astype(np.uint8) for drawn in _draws(n, seed=seed, resamples=resamples)]
        )

    def means(self, columns: Mapping[str, Sequence[float | None]]) -> dict[str, Interval]:
        """Return the mean of each column with its interval, by name, in the order given.

        A column has a value for each question, None where the question is excluded; a group of questions is a column
        with None for all others. A resample weighs the included ones alone; one that drew none of them is left out.
        Two matrix products for all columns together: `resamples * n * len(columns)` multiplications each.

        Raises:
            ValueError: a column has not `n` values, or one that is not finite.
        """
        values = np.zeros((self._n, len(columns)))
        included = np.zeros((self._n, len(columns)))
        for at, (name, column) in enumerate(columns.items()):
            if len(column) != self._n:
                raise ValueError(f"column '{name}' has {len(column)} values for {self._n} questions")
            values[:, at] = [value or 0.0 for value in column]
            included[:, at] = [value is not None for value in column]
        if not np.isfinite(values).all():
            raise ValueError("a value is not a finite number; a question without one is None")
        sums, weights = self._weigh(values), self._weigh(included)
        return {
            name: _mean_interval(column, sums[:, at], weights[:, at])
            for at, (name, column) in enumerate(columns.items())
        }

    def _weigh(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = max(1, _CELLS // max(1, self._n))
        blocks = (self._counts[at : at + rows] for at in range(0, len(self._counts), rows))
        return np.vstack([block.astype(np.float64) @ table for block in blocks])


def mean_interval(values: Sequence[float | None], *, seed: int, resamples: int = 1000) -> Interval:
    """Return the mean of the values that are not None, with its interval; see `Bootstrap.means`."""
    return Bootstrap(len(values), seed=seed, resamples=resamples).means({"values": values})["values"]


def statistic_interval(
    statistic: Callable[[NDArray[np.int64]], float | None], n: int, *, seed: int, resamples: int = 1000
) -> Interval:
    """Return a figure of a whole set of `n` questions with its percentile bootstrap interval.

    `statistic` is given positions, from 0 and with repetitions, of the questions to compute it over, and returns None
    where it is not defined. Resamples without a value are left out; without a value for the whole set, or without
    questions, all is None and `n` 0. Costs `resamples + 1` calls.

    Raises:
        ValueError: `n` is below 0, or `resamples` below 1.
    """
    resampled = _draws(n, seed=seed, resamples=resamples)
    value = statistic(np.arange(n)) if n else None
    if value is None:
        return Interval(value=None, low=None, high=None, n=0)
    found = (statistic(drawn) for drawn in resampled)
    return _interval(value, np.array([one for one in found if one is not None]), n)


def paired_randomisation(a: Sequence[float], b: Sequence[float], *, seed: int, rounds: int = 10_000) -> float:
    """Return the two-sided p-value of the difference in means between two runs over the same questions.

    Under the null hypothesis each difference could as well have the other sign: p is the share of `rounds` random
    signings whose mean difference is as far from 0 as the one observed, computed as `(count + 1) / (rounds + 1)`, for
    the observed signing is one of them; so it is never below `1 / (rounds + 1)` (Smucker et al., CIKM 2007). Runs
    that do not differ anywhere, or have no questions, give 1.

    Raises:
        ValueError: `a` and `b` are not of one length, a value is not finite, or `rounds` is below 1.
    """
    differences = np.array([first - second for first, second in zip(a, b, strict=True)])
    if rounds < 1 or not np.isfinite(differences).all():
        raise ValueError("needs finite values and at least one round")
    differences = differences[differences != 0]  # these are the same under either sign
    as_far = abs(differences.sum()) - _TIE * np.abs(differences).sum()
    rng = np.random.default_rng(seed)
    size = max(1, _CELLS // max(1, len(differences)))
    count = 0
    for at in range(0, rounds, size):
        flipped = rng.integers(2, size=(min(size, rounds - at), len(differences)), dtype=np.int8)
        count += int((np.abs((1.0 - 2.0 * flipped) @ differences) >= as_far).sum())
    return (count + 1) / (rounds + 1)


def mcnemar_exact(a_right: Sequence[bool], b_right: Sequence[bool]) -> McNemar:
    """Return whether one run is right more often than the other: the exact two-sided test on the discordant pairs.

    Exact conditional variant: under the null hypothesis `b_only` is binomial with probability 1/2 (Fagerland et al.,
    BMC Medical Research Methodology 2013, who find it conservative: it errs towards "no difference"). Without a
    discordant pair p is 1.

    Raises:
        ValueError: the runs are not of one length.
    """
    from scipy.stats import binomtest  # 0.9 s to import

    pairs = [(bool(a), bool(b)) for a, b in zip(a_right, b_right, strict=True)]
    a_only, b_only = pairs.count((True, False)), pairs.count((False, True))
    p = float(binomtest(b_only, a_only + b_only).pvalue) if a_only + b_only else 1.0
    return McNemar(p=p, a_only=a_only, b_only=b_only)


def smallest_detectable_difference(
    differences: Sequence[float], *, power: float = 0.8, alpha: float = 0.05
) -> float | None:
    """Return the true mean difference that a two-sided paired test over as many questions finds with that power.

    `(z(1 - alpha / 2) + z(power)) * s / sqrt(n)`, with `s` the standard deviation of the differences (n - 1) and `z`
    the normal quantile; an approximation for large n. A smaller difference may well go unseen (Card et al., EMNLP
    2020). None for fewer than two differences.

    Raises:
        ValueError: `power` or `alpha` is not between 0 and 1.
    """
    if not (0 < power < 1 and 0 < alpha < 1):
        raise ValueError(f"power {power} and alpha {alpha} must lie between 0 and 1")
    normal = NormalDist()
    quantiles = normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)
    return quantiles * stdev(differences) / sqrt(len(differences)) if len(differences) > 1 else None


def _draws(n: int, *, seed: int, resamples: int) -> Iterator[NDArray[np.int64]]:
    if n < 0 or resamples < 1:
        raise ValueError(f"cannot draw {resamples} resamples of {n} questions")
    rng = np.random.default_rng(seed)
    return (rng.integers(max(1, n), size=n) for _ in range(resamples))


def _mean_interval(column: Sequence[float | None], sums: NDArray[np.float64], weights: NDArray[np.float64]) -> Interval:
    known = [value for value in column if value is not None]
    if not known:
        return Interval(value=None, low=None, high=None, n=0)
    drawn = weights > 0
    return _interval(fmean(known), sums[drawn] / weights[drawn], len(known))


def _interval(value: float, resampled: NDArray[np.float64], n: int) -> Interval:
    if n == 1:  # every resample is that question; the division may round
        return Interval(value=value, low=value, high=value, n=1)
    if not resampled.size:
        return Interval(value=value, low=None, high=None, n=n)
    low, high = np.percentile(resampled, _TAILS)
    return Interval(value=value, low=float(low), high=float(high), n=n)
