"""Ways to rank by time that others have published or that come to mind first, to be measured beside ours."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from app.core.timespan import TimeConstraint, TimeSpan
from app.core.types import Passage
from retrieval.temporal.cues import satisfying
from retrieval.temporal.told import times_of

MragRelation = Literal["before", "after", "between"]

_MRAG_RELATIONS: dict[str, MragRelation] = {
    "before": "before",
    "as_of": "before",
    "until": "before",
    "after": "after",
    "since": "after",
}
_ELSEWHERE = 0.5  # as MRAG's tau outside of its range


@dataclass(frozen=True, slots=True)
class Share:
    """What a score is multiplied with, and why."""

    value: float
    reason: str

    @property
    def explanation(self) -> str:
        """The factor and its reason."""
        return f"×{self.value:.2f}: {self.reason}"

    def moved(self, score: float) -> float:
        """Return the score times the factor."""
        return self.value * score


class MragJudge:
    """MRAG's factor of the years of a passage (arXiv 2412.15540); `in` one year, which it does not judge, gives 1."""

    def __init__(self, constraint: TimeConstraint) -> None:
        self._years = _years_of(constraint.span)
        self._is_first = constraint.relation == "first"
        between: MragRelation | None = "between" if self._years[0] != self._years[1] else None
        self._relation = _MRAG_RELATIONS.get(constraint.relation, between)

    def judge(self, passage: Passage) -> Share:
        """Return tau."""
        if self._relation is None:
            return Share(1.0, "no relation of MRAG's")
        year, last = self._years
        told = [year for mention in times_of(passage).mentions for year in set(_years_of(mention.span))]
        tau = mrag_tau(told, relation=self._relation, year=year, last_year=last, first=self._is_first)
        return Share(tau, f"tau of {self._relation} {year}")


class YearsJudge:
    """1 for passages with a year that was asked for, a half for others: a rough factor."""

    def __init__(self, constraint: TimeConstraint) -> None:
        span = constraint.span
        self._asked = None if span is None else satisfying(constraint.relation, span)

    def judge(self, passage: Passage) -> Share:
        """Return the factor."""
        fits = self._asked is None or any(one.span.overlaps(self._asked) for one in times_of(passage).mentions)
        return Share(1.0, "a year that was asked for") if fits else Share(_ELSEWHERE, "none of the years asked for")


def _years_of(span: TimeSpan | None) -> tuple[int, int]:
    ends = [day.year for day in (span.start, span.end) if day is not None] if span else []
    return (ends[0], ends[-1]) if ends else (0, 0)


def mrag_tau(
    years: Iterable[int], *, relation: MragRelation, year: int, last_year: int | None = None, first: bool = False
) -> float:
    """Return MRAG's factor of a sentence with these years, 0.5 to 1, as published (arXiv 2412.15540).

    `before` and `after` reach fifty years from `year`, `between` goes on to `last_year`. Of the years that satisfy the
    relation the latest counts, for `first` the earliest; where it lies out of reach or none is left, 0.5 is given. In a
    range of one year, which the formula does not define, that year gets 1.
    """
    reach = {"before": (year - 50, year), "after": (year, year + 50), "between": (year, last_year or year)}
    low, high = reach[relation]
    kept = [one for one in years if (relation == "before" or one >= low) and (relation == "after" or one <= high)]
    chosen = (min if first else max)(kept, default=None)
    if chosen is None or not low <= chosen <= high:
        return _ELSEWHERE
    if low == high:
        return 1.0
    along = (chosen - low) / (high - low)
    return 1.0 - 0.4 * along if first else 0.6 + 0.4 * along
