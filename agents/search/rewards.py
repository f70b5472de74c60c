"""How a search state is valued: a mix of measured parts, each of which can be switched off; pure functions of numbers.

None of the parts is a model's opinion of itself, and none knows what is right. The likelihood part is that of MITS
(arXiv 2510.03632): how much more likely the evidence makes the answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, isnan
from typing import Literal, get_args

Part = Literal["coverage", "verification", "agreement", "likelihood", "novelty"]

PARTS: tuple[Part, ...] = get_args(Part)
_TOKENS = 1000.0  # the cost is told for so many
_STEEPEST = 500.0  # beyond it the logistic function is 0 or 1, and exp overflows


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each part counts against the others, 0 to switch it off, and `cost`, the value of 1,000 tokens.

    Equal by default: without data to fit them, equal weights are hard to beat (Dawes, American Psychologist 34, 1979).
    A rollout of MCTS-RAG takes some 3,000 tokens, which cost 0.03: enough to part equals, not to outweigh evidence.

    Raises:
        ValueError: one is below 0 or no number.
    """

    coverage: float = 1.0
    verification: float = 1.0
    agreement: float = 1.0
    likelihood: float = 1.0
    novelty: float = 1.0
    cost: float = 0.01

    def __post_init__(self) -> None:
        for name in (*PARTS, "cost"):
            if not 0.0 <= getattr(self, name) < inf:
                raise ValueError(f"the weight of {name} is a number that is not below 0, not {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """A value from 0 to 1 and what it was made of: the parts that counted, the cost, and the parts that were NaN."""

    value: float
    parts: Mapping[Part, float]
    cost: float
    dropped: tuple[Part, ...]


def mix(parts: Mapping[Part, float | None], *, weights: Weights, tokens: float = 0.0) -> Reward:
    """Return the weighted mean of the parts less `weights.cost * tokens / 1000`, cut off at 0 and 1.

    A part that is None, or absent, was not measured; one that is NaN is dropped, and named so that it can be counted.
    The others then share the weight. Without any, the mean is 0.

    Raises:
        ValueError: a part is not from 0 to 1, or the tokens are below 0 or no number.
    """
    if not 0.0 <= tokens < inf:
        raise ValueError(f"a state costs a number of tokens that is not below 0, not {tokens}")
    measured = {part: value for part in PARTS if (value := parts.get(part)) is not None}
    dropped = tuple(part for part, value in measured.items() if isnan(value))
    counted = {part: value for part, value in measured.items() if part not in dropped and getattr(weights, part)}
    for part, value in counted.items():
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"the {part} of a state is from 0 to 1, not {value}")
    total = sum(getattr(weights, part) for part in counted)
    mean = sum(getattr(weights, part) * value for part, value in counted.items()) / total if total else 0.0
    cost = weights.cost * tokens / _TOKENS
    return Reward(value=min(1.0, max(0.0, mean - cost)), parts=counted, cost=cost, dropped=dropped)


def share(count: int, of: int) -> float:
    """Return a part of a whole: goals with evidence of all goals, new passages of all passages found; 0 of none.

    Raises:
        ValueError: the count is below 0 or above the whole.
    """
    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of} is no part")
    return count / of if of else 0.0


def agreement(answer: object, others: Sequence[object]) -> float | None:
    """Return the share of the other leaves' answers that are equal to this one; None without others."""
    return sum(other == answer for other in others) / len(others) if others else None


def likelihood(given_evidence: Sequence[float], without: Sequence[float]) -> float | None:
    """Return how much likelier evidence makes an answer, from 0 to 1: 0.5 if it makes no difference; None if empty.

    `1 / (1 + exp(-PMI / n))` of the pointwise mutual information `sum_i [lp(a_i | q, evidence) - lp(a_i | q)]` over
    the n tokens of the answer, in natural logarithms. MITS divides by n as well, against the bias of length; it asks
    what the question brings, here it is what the evidence brings. NaN where a log-probability is.

    Raises:
        ValueError: there is not one log-probability for each token both times.
    """
    if len(given_evidence) != len(without):
        raise ValueError(f"{len(given_evidence)} tokens with evidence, {len(without)} without")
    if not without:
        return None
    mean = sum(a - b for a, b in zip(given_evidence, without, strict=True)) / len(without)
    return mean if isnan(mean) else 1.0 / (1.0 + exp(-max(-_STEEPEST, min(_STEEPEST, mean))))
