"""What a setting of the agent is worth by how much it reads, searches and draws, and the cheapest that is good enough.

The allocation model of *Inference Scaling for Long-Context Retrieval Augmented Generation* (arXiv 2410.04343):
logit(P) = (a + b * i)^T log(theta) + c with theta = (documents, shots, iterations). Here theta is what our agent can be
given: passages read, answers drawn, searches made. On one data set the gains i are constants, so a + b * i is one
vector, and that is what is fitted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Theta = tuple[float, float, float]
"""Passages read after a search, answers drawn, searches a question; all above 0."""

NAMES = ("passages", "samples", "searches")
WITHIN = 0.01  # of the best probability: one point


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """A value that is linear in the logs of a setting; `r2` is the share of its variance that is explained.

    The coefficient of what was the same in every run is 0: nothing is known of it.
    """

    coefficients: Theta
    constant: float
    r2: float | None = None

    def value(self, theta: Theta) -> float:
        """Return the value of a setting: of a fit to logits, the logit."""
        return float(np.dot(self.coefficients, np.log(theta)) + self.constant)

    def probability(self, theta: Theta) -> float:
        """Return the probability of a right answer, 0 to 1, where the value is its logit."""
        return float(1.0 / (1.0 + np.exp(-self.value(theta))))


def logit(right: int, questions: int) -> float:
    """Return the log odds of a right answer; half a question is added to each side, so that none and all are finite."""
    return float(np.log((right + 0.5) / (questions - right + 0.5)))


def fit_allocation(thetas: Sequence[Theta], values: Sequence[float]) -> Allocation:
    """Return the model with the least squared error; the order of the runs changes nothing.

    Raises:
        ValueError: there are not more runs than numbers to be fitted, nothing differs between them, or they differ in
            two things that always change together.
    """
    logs, told = np.log(np.array(thetas, dtype=np.float64).reshape(-1, len(NAMES))), np.array(values)
    varies = np.ptp(logs, axis=0) > 0 if len(logs) else np.zeros(len(NAMES), dtype=np.bool_)
    unknowns = 1 + int(varies.sum())
    rows = np.column_stack([logs[:, varies], np.ones(len(logs))])
    if unknowns == 1 or len(logs) <= unknowns:
        raise ValueError(f"{len(logs)} runs that differ in {unknowns - 1} of {', '.join(NAMES)}")
    solved, _, rank, _ = np.linalg.lstsq(rows, told)
    if rank < unknowns:
        raise ValueError("the runs differ in things that change together")
    coefficients = np.zeros(len(NAMES))
    coefficients[varies] = solved[:-1]
    error, spread = np.sum((told - rows @ solved) ** 2), np.sum((told - told.mean()) ** 2)
    a, b, c = coefficients.tolist()
    return Allocation(
        coefficients=(a, b, c), constant=float(solved[-1]), r2=float(1.0 - error / spread) if spread else None
    )


def grid(thetas: Sequence[Theta]) -> list[Theta]:
    """Return every setting made of what some run has had of each, in ascending order."""
    passages, samples, searches = (sorted(set(column)) for column in zip(*thetas, strict=True))
    return list(product(passages, samples, searches))


def cheapest(settings: Sequence[Theta], *, worth: Allocation, tokens: Allocation, budget: float) -> Theta | None:
    """Return the cheapest setting that is within a point of the best one whose tokens are within the budget.

    `tokens` tells the natural log of a setting's tokens. None where no setting is within the budget; equal ones go to
    the better, then to the smaller.
    """
    within = [theta for theta in settings if np.exp(tokens.value(theta)) <= budget]
    best = max((worth.probability(theta) for theta in within), default=0.0)
    good = [theta for theta in within if worth.probability(theta) >= best - WITHIN]
    return min(good, key=lambda theta: (tokens.value(theta), -worth.probability(theta), theta), default=None)
