"""How much one time speaks for or against a text, given what a constraint asks for: one formula for all relations.

A constraint names a window of days (`before 2009` ends with 2008). A time that shares a day with it speaks for the
text, the more the nearer it begins and ends to where the window does; one that does not, against it, the more the
farther it is. An open end of the window asks for nothing: of what came before 2009 the latest is nearest.
"""

import math
from dataclasses import dataclass

from app.core.timespan import SHORTEST_DAYS, Relation, TimeConstraint, TimeSpan
from retrieval.temporal.cues import satisfying

# Odds that a text answers the question, against those of one that tells no time:
EXACT = 8.0  # a text tells about three times of some decades: the asked one is among them by chance once in eight
SATISFIED = 2.0  # a wide window, or a wide time around it, is met by chance about every second time
UNTOLD = 1.0
MISSED = 0.5  # a wrong time may be the only one told of much: it halves, and never excludes

_MONTH, _YEAR = SHORTEST_DAYS["month"], SHORTEST_DAYS["year"]
Days = tuple[int, int]  # the ordinals of the first and the last
OPEN = 10_000_000  # beyond every day: their ordinals go from 1 to 3,652,059

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
        gap = (start - self.end if start > self.end else self.start - end) - slack - self.slack
        if gap > 0:
            scale = self._scale(unit)
            return MISSED + (UNTOLD - MISSED) * scale / (scale + gap)
        return SATISFIED * math.pow(self.most / SATISFIED, self.nearness(start, end, unit, slack))

    def inferred(self, nearness: float) -> float:
        """Return the odds of a text with a time that meets the window if it went on as far as one may infer.

        They go from UNTOLD to `most`: to share a day counts for nothing here, only the nearness of the ends does.
        """
        return UNTOLD * math.pow(self.most / UNTOLD, nearness)

    def meets(self, start: int, end: int, slack: int = 0) -> bool:
        """Tell whether a time shares a day with the window, or may where one of them is off."""
        slack += self.slack
        return start - slack <= self.end and end + slack >= self.start

    def nearness(self, start: int, end: int, unit: int, slack: int = 0) -> float:
        """Return the mean nearness of the ends that count, 0 to 1; 1 where none does."""
        scale = self._scale(unit)
        starts = ends = 1.0
        # an end that is not off by a unit of the question is near; the chance to lie so near grows with the distance,
        # so what nearness tells falls with it
        if self.ends and (off := abs(end - self.end) - slack - self.slack) >= self.unit:
            ends = scale / (scale + off)
        if not self.starts:
            return ends
        if (off := abs(start - self.start) - slack - self.slack) >= self.unit:
            starts = scale / (scale + off)
        return (starts + ends) / 2 if self.ends else starts

    def _scale(self, unit: int) -> int:
        """Return the days that halve nearness: the unit of the question, or a coarser one that the text is dated by.

        It is a month at least, since what is asked of by the day lasts for weeks, and of a text a year at most, since
        what is dated by the century is not dated near anything.
        """
        scale = self.unit if self.unit > _MONTH else _MONTH
        if unit <= scale:
            return scale
        return max(scale, min(unit, _YEAR))


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
    unit = SHORTEST_DAYS["year" if relation == "current" else span.granularity]
    apart = starts and ends and end - start + 1 >= 2 * unit
    return Window(
        start=start,
        end=end,
        starts=starts,
        ends=ends,
        unit=unit,
        slack=span.slack_days,
        most=EXACT * EXACT / SATISFIED if apart else EXACT,
    )


def days_of(span: TimeSpan) -> Days:
    """Return the ordinals of a span's first and last day, beyond all days where it is open."""
    start = -OPEN if span.start is None else span.start.toordinal()
    return start, OPEN if span.end is None else span.end.toordinal()
