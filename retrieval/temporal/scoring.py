"""How well the times of a text fit the time that a question asks for: arithmetic on days, no order of events.

The best fit of a text's times counts, NEUTRAL where it tells none. A factor spreads the fit from a floor to 1, so that
it can multiply a score. Who was first, last or third is counted elsewhere, over verified notes: here only the window
counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from app.core.allen import AllenRelation, allen_relation
from app.core.timespan import Relation, Role, TimeConstraint, TimeMention, TimeSpan
from app.core.types import Offsets, Passage
from retrieval.temporal.fit import (
    NEUTRAL,
    OPEN,
    SATISFIED,
    UNIT_DAYS,
    Middle,
    fit_of,
    lowered,
    middle_of,
    slack_of,
    unknown,
)

Mode = Literal["soft", "hard"]
Source = Literal["mention", "holds", "published"]

# Shares of what a satisfied fit has above SATISFIED:
WEAK = 0.5  # for times beside the point, such as a birth, and for the day a text came out
APPROXIMATE = 0.9  # for a circa

_ASIDE: frozenset[Role] = frozenset({"birth", "death", "comparison"})
_BOUNDS: frozenset[Role] = frozenset({"valid_from", "valid_until"})
_STATES: frozenset[Relation] = frozenset({"during", "between", "as_of"})
_GOES_ON: frozenset[Relation] = _STATES | {"since", "until", "current"}
_PLACES: dict[AllenRelation, str] = {
    "overlaps": "overlaps",
    "overlapped_by": "overlaps",
    "starts": "inside",
    "during": "inside",
    "finishes": "inside",
    "equals": "equals",
    "started_by": "covers",
    "contains": "covers",
    "finished_by": "covers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What a text says of time: the times it speaks of, when it is true, when it came out. A passage has the same."""

    mentions: tuple[TimeMention, ...] = ()
    holds: TimeSpan | None = None
    published: TimeSpan | None = None


@dataclass(frozen=True, slots=True)
class Factor:
    """What a score is multiplied with, and the times it was read from: none, one, or one on each side."""

    value: float
    constraint: TimeConstraint
    evidence: tuple[TimeSpan, ...]
    source: Source

    @property
    def explanation(self) -> str:
        """The evidence against what was asked: `2004 to 2005 inside 'until 2006'`, `2001, 1,461 days before '2006'`."""
        asked = self.constraint.surface or f"{self.constraint.relation} {self.constraint.span or ''}".rstrip()
        if not self.evidence:
            return f"no time to compare with '{asked}'"
        if len(self.evidence) > 1:
            return f"{' and '.join(map(str, self.evidence))} around '{asked}'"
        told = str(self.evidence[0]) if self.source == "mention" else f"{self.source} {self.evidence[0]}"
        return f"{told}{_place(self.evidence[0], self.constraint.span)} '{asked}'"


class TimeScorer:
    """Judges texts by one constraint, whose days are worked out once.

    In soft mode a factor lies between `floor` and 1. In hard mode it is 0 where a text provably does not satisfy the
    constraint: it tells times, and none does; for `current` only what holds is proof. A text that tells none is kept
    unless `strict`. As long as the constraint has no days (an anchor that is not looked up yet, `current` without the
    day of asking), all texts are alike.
    """

    def __init__(
        self, constraint: TimeConstraint, *, mode: Mode = "soft", floor: float = 0.5, strict: bool = False
    ) -> None:
        self._constraint = constraint
        self._fit = fit_of(constraint)
        self._middle = middle_of(constraint.span) if constraint.relation in _STATES else None
        self._is_current = constraint.relation == "current"
        self._goes_on = constraint.relation in _GOES_ON
        self._is_hard = mode == "hard"
        self._is_strict = strict and self._fit is not unknown
        self._floor = floor

    def factor(self, times: Times | Passage) -> Factor:
        """Return the factor of the best time that a text tells."""
        return self._judge(times.mentions, times)

    def sentence_factors(self, times: Times | Passage, sentences: Sequence[Offsets]) -> list[Factor]:
        """Return one factor per sentence, from the mentions that begin in it and from what holds for the whole text.

        The best sentence is the one whose own score times its factor is highest; the factor alone would prefer a
        sentence without a time to one with a wrong time.
        """
        return [self._judge([m for m in times.mentions if start <= m.start < end], times) for start, end in sentences]

    def _judge(self, mentions: Sequence[TimeMention], times: Times | Passage) -> Factor:
        holds, published, asked = times.holds, times.published, self._constraint.span
        if holds is not None and self._is_current and asked is not None:
            return self._factor(float(holds.overlaps(asked)), (holds,), "holds")
        best, evidence = self._best_mention(mentions)
        if holds is not None and (fit := self._validity(holds)) > best:
            return self._factor(fit, (holds,), "holds")
        if published is not None and (not evidence or self._is_current):
            fit = lowered(self._value(published, "event"), WEAK)
            if fit > best and (fit >= SATISFIED or self._is_current):
                return self._factor(fit, (published,), "published")
        return self._factor(best, evidence, "mention")

    def _best_mention(self, mentions: Sequence[TimeMention]) -> tuple[float, tuple[TimeSpan, ...]]:
        best = 0.0
        told: TimeMention | None = None
        for mention in mentions:
            fit = self._value(mention.span, mention.role)
            if mention.role in _ASIDE:
                fit = lowered(fit, WEAK) if fit >= SATISFIED else 0.0
            if fit > best:
                best, told = fit, mention
        if self._middle is not None and len(mentions) > 1:
            fit, around = _around(self._middle, mentions)
            if fit > best:
                return fit, around
        return best, () if told is None else (self._meant(told),)

    def _meant(self, mention: TimeMention) -> TimeSpan:
        """A time at which something began or ended goes on from there, where the relation asks for what goes on."""
        span = mention.span
        is_bound = self._goes_on and mention.role in _BOUNDS
        if not is_bound or span.days is None or span.days >= 2 * UNIT_DAYS[span.granularity]:
            return span
        return replace(span, end=None) if mention.role == "valid_from" else replace(span, start=None)

    def _value(self, span: TimeSpan, role: Role) -> float:
        start = -OPEN if span.start is None else span.start.toordinal()
        end = OPEN if span.end is None else span.end.toordinal()
        unit = UNIT_DAYS[span.granularity]
        if role in _BOUNDS and self._goes_on and end - start + 1 < 2 * unit:
            start, end = (start, OPEN) if role == "valid_from" else (-OPEN, end)
        if not span.approximate:
            return self._fit(start, end, unit, 0)
        return lowered(self._fit(start, end, unit, slack_of(span)), APPROXIMATE)

    def _validity(self, holds: TimeSpan) -> float:
        asked = self._constraint.span
        if asked is not None and self._constraint.relation in _STATES and holds.contains(asked):
            return 1.0
        return self._value(holds, "event")

    def _factor(self, fit: float, evidence: tuple[TimeSpan, ...], source: Source) -> Factor:
        value = self._floor + (1.0 - self._floor) * (fit if evidence else NEUTRAL)
        if evidence:
            proves = source == "holds" or not self._is_current
            is_excluded = proves and fit < SATISFIED
        else:
            is_excluded = self._is_strict
        return Factor(0.0 if self._is_hard and is_excluded else value, self._constraint, evidence, source)


def temporal_factor(
    constraint: TimeConstraint,
    times: Times | Passage,
    *,
    mode: Mode = "soft",
    floor: float = 0.5,
    strict: bool = False,
) -> Factor:
    """Return the factor of one text; for many of them, make one TimeScorer."""
    return TimeScorer(constraint, mode=mode, floor=floor, strict=strict).factor(times)


def mrag_tau(
    years: Iterable[int],
    *,
    relation: Literal["before", "after", "between"],
    year: int,
    last_year: int | None = None,
    first: bool = False,
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
        return 0.5
    if low == high:
        return 1.0
    along = (chosen - low) / (high - low)
    return 1.0 - 0.4 * along if first else 0.6 + 0.4 * along


def _around(asked: Middle, mentions: Iterable[TimeMention]) -> tuple[float, tuple[TimeSpan, ...]]:
    """Return the fit of the last time before the asked days with the first after them, and the two."""
    before: TimeSpan | None = None
    after: TimeSpan | None = None
    ended, began = date.min, date.max
    for mention in mentions:
        span = mention.span
        if mention.role in _ASIDE:
            continue
        if span.end is not None and ended <= span.end < asked.first:
            before, ended = span, span.end
        elif span.start is not None and asked.last < span.start <= began:
            after, began = span, span.start
    if before is None or after is None:
        return 0.0, ()
    return asked.fit(ended, began), (before, after)


def _place(evidence: TimeSpan, asked: TimeSpan | None) -> str:
    if asked is None:
        return " for"
    relation = allen_relation(evidence, asked)
    if relation in _PLACES:
        return f" {_PLACES[relation]}"
    gap = evidence.gap_days(asked)
    return f", {gap:,} day{'s' if gap > 1 else ''} {'before' if relation in ('before', 'meets') else 'after'}"
