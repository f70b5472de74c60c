"""How much one time speaks for or against a text, given what a constraint asks for: one formula for all relations.

A constraint names a window of days (`before 2009` ends with 2008). A time that shares a day with it speaks for the
text, the more the nearer it begins and ends to where the window does; one that does not, against it, the more the
farther it is. An open end of the window asks for nothing: of what came before 2009 the latest is nearest.
"""

import math
from dataclasses import dataclass

from app.core.timespan import Granularity, Relation, TimeConstraint, TimeSpan
from retrieval.temporal.cues import satisfying

# Odds that a text answers the question, against those of one that tells no time:
EXACT = 8.0  # a text tells about three times of some decades: the asked one is among them by chance once in eight
SATISFIED = 2.0  # a wide window, or a wide time around it, is met by chance about every second time
UNTOLD = 1.0
MISSED = 0.5  # a wrong time may be the only one told of much: it halves, and never excludes

OPEN = 10_000_000  # beyond every day: their ordinals go from 1 to 3,652,059

# the shortest month, year and so on, so that two neighbours never begin nearer than that
UNIT_DAYS: dict[Granularity, int] = {
    "day": 1,
    "month": 28,
    "quarter": 90,
    "season": 90,
    "year": 365,
    "decade": 3652,
    "century": 36524,
}
# which ends of the window count, where not both do: the first in a window is told near its start
_COUNTED: dict[Relation, tuple[bool, bool]] = {
    "first": (True, False),
    "last": (False, True),
    "nth": (False, False),
    "current": (False, True),
}


@dataclass(frozen=True, slots=True)
class Window:
    """The days that satisfy a constraint, in ordinals; which of its ends count; the days of the unit it is told in.

    `most` are the odds of a text with just these days. To meet an end is one piece of evidence: where the two lie in
    different units, "from 2004 to 2006", each is met by a chance of its own, and their odds multiply.
    """

    start: int
    end: int
    starts: bool
    ends: bool
    unit: int
    slack: int
    most: float

    def odds(self, start: int, end: int, unit: int, slack: int = 0) -> float:
        """Return the odds of a text with this time: SATISFIED to `most` if it shares a day, MISSED to UNTOLD if not."""
        gap = max(start - self.end, self.start - end) - slack - self.slack
        if gap <= 0:
            return SATISFIED * math.pow(self.most / SATISFIED, self.nearness(start, end, unit, slack))
        scale = self._scale(unit)
        return MISSED + (UNTOLD - MISSED) * scale / (scale + gap)

    def inferred(self, start: int, end: int, unit: int) -> float:
        """Return the odds of a text with a time that went on as far as one may infer: UNTOLD to `most`, or of a miss.

        To share a day counts for nothing here, only the nearness of the ends does.
        """
        if start > self.end or end < self.start:
            return self.odds(start, end, unit)
        return UNTOLD * math.pow(self.most / UNTOLD, self.nearness(start, end, unit))

    def nearness(self, start: int, end: int, unit: int, slack: int = 0) -> float:
        """Return the mean nearness of the ends that count, 0 to 1; 1 where none does."""
        scale = self._scale(unit)
        slack += self.slack
        ends = self._near(abs(end - self.end) - slack, scale) if self.ends else 1.0
        if not self.starts:
            return ends
        starts = self._near(abs(start - self.start) - slack, scale)
        return (starts + ends) / 2 if self.ends else starts

    def _scale(self, unit: int) -> int:
        """Return the days that halve nearness: the unit of the question, or a coarser one that the text is dated by.

        It is a month at least, since what is asked of by the day lasts for weeks, and of a text a year at most, since
        what is dated by the century is not dated near anything.
        """
        return max(UNIT_DAYS["month"], self.unit, min(unit, UNIT_DAYS["year"]))

    def _near(self, days: int, scale: int) -> float:
        """Return 1 for an end that is not off by a unit of the question, else a half where it is off by the scale.

        The chance to lie that near grows with the distance, so what nearness tells falls with it.
        """
        return 1.0 if days < self.unit else scale / (scale + days)


def window_of(constraint: TimeConstraint) -> Window | None:
    """Return the window of a constraint, None as long as it has no days.

    That is the case for an anchor that is not looked up yet, for the first, last or third of all, which any time fits,
    and for `current` without the day of asking.
    """
    relation, span = constraint.relation, constraint.span
    if span is None:
        return None
    asked = satisfying(relation, span) if span.start is not None and span.end is not None else span
    start, end = days_of(asked or span)
    counted = _COUNTED.get(relation, (True, True))
    starts, ends = counted[0] and start > -OPEN, counted[1] and end < OPEN
    unit = UNIT_DAYS["year" if relation == "current" else span.granularity]
    apart = starts and ends and end - start + 1 >= 2 * unit
    return Window(
        start=start,
        end=end,
        starts=starts,
        ends=ends,
        unit=unit,
        slack=slack_of(span),
        most=EXACT * EXACT / SATISFIED if apart else EXACT,
    )


def days_of(span: TimeSpan) -> tuple[int, int]:
    """Return the ordinals of a span's first and last day, beyond all days where it is open."""
    start = -OPEN if span.start is None else span.start.toordinal()
    return start, OPEN if span.end is None else span.end.toordinal()


def slack_of(span: TimeSpan) -> int:
    """Return by how many days a span may be off: a circa by its own length, others by none."""
    if not span.approximate:
        return 0
    return span.days or UNIT_DAYS[span.granularity]
