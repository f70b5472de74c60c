"""How probable it is that a finished draft is right: a logistic model over signs that the work itself left behind.

(That the probability of the answer's tokens, agreement and support are combined in one logistic model follows Jurayj et
al., arXiv 2502.13962; the signs and the shipped weights are ours.)
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Signs = Mapping[str, float | None]
"""What was seen of a draft by the name of the sign, None where it cannot be known."""

SIGNS_VERSION = 1  # raised when a sign comes to mean something else: weights that were fitted before are refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One sign: its shipped weight, and the `usual` value, at which, as where it is unknown, it tells nothing.

    `against` says in words what speaks against a draft whose sign is worse than usual.
    """

    weight: float
    usual: float
    against: str


SIGNS: Mapping[str, Sign] = MappingProxyType(
    {
        "answer_probability": Sign(weight=3.0, usual=0.7, against="the model was not sure of its words"),
        "goals": Sign(weight=2.0, usual=1.0, against="not every fact that it needs was established"),
        "retries": Sign(weight=-1.0, usual=0.0, against="it was found only after other queries"),
        "quoted": Sign(weight=2.0, usual=1.0, against="its sentences say more than their quotes"),
        "covered": Sign(weight=2.0, usual=0.8, against="the quotes leave out words of the question"),
        "by_code": Sign(weight=1.0, usual=1.0, against="the model put it together from notes"),
        "margin": Sign(weight=1.0, usual=0.0, against="other passages fit the question better"),
        "agreement": Sign(weight=1.0, usual=0.0, against="no other document tells the same"),
        "verified": Sign(weight=2.0, usual=1.0, against="a check found something amiss"),
        "in_time": Sign(weight=1.0, usual=1.0, against="no cited passage speaks of the time asked for"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """The weights of the signs, each of its sign's own direction, and a bias: the log odds of a usual draft.

    The shipped ones are no measurement. They say: a draft with all the usual signs, of those that passed the checks, is
    right every second time; from one end of a sign to the other the odds change by e, e squared or e cubed, as it is a
    weak, a clear or a strong one.
    """

    bias: float = 0.0
    weights: Mapping[str, float] = field(default_factory=lambda: {name: sign.weight for name, sign in SIGNS.items()})

    def probability(self, signs: Signs) -> float:
        """Return the probability that the draft is right, 0 to 1; a sign that is not given counts as unknown."""
        logit = math.fsum([self.bias, *self._moved(signs).values()])
        return 1.0 / (1.0 + math.exp(-logit)) if logit > 0 else math.exp(logit) / (1.0 + math.exp(logit))

    def against(self, signs: Signs) -> str:
        """Return in words the sign that takes most away from the probability, empty where none does."""
        moved = self._moved(signs)
        worst = min(moved, key=moved.__getitem__)
        return SIGNS[worst].against if moved[worst] < 0 else ""

    def _moved(self, signs: Signs) -> dict[str, float]:
        """Return by how much each sign moves the log odds."""
        return {
            name: self.weights[name] * (value - sign.usual) if (value := signs.get(name)) is not None else 0.0
            for name, sign in SIGNS.items()
        }


SHIPPED = Confidence()


def threshold(odds: float) -> float:
    """Return the least confidence at which answering pays where one wrong answer costs as much as `odds` right ones.

    An answer of probability p is worth p - odds * (1 - p), silence 0 (Jurayj et al., arXiv 2502.13962).
    """
    return odds / (1.0 + odds)
