"""How well one time fits what a relation asks for: one function per relation, on ordinals of days.

A fit of at least SATISFIED means that the relation is satisfied, and the rest up to 1 how good the evidence is; a miss
gets less, the nearer the more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from math import log10

from app.core.timespan import Granularity, Relation, TimeConstraint, TimeSpan

SATISFIED = 0.4  # the least that satisfied evidence gets, and what a miss by next to nothing gets
NEUTRAL = 0.3  # no time told: less than anything satisfied, as much as a miss by a third of HALF_DAYS
PARTLY = 0.5  # quality of evidence that is over where it should go on, or has no known end where one counts
SHARED_ENDS = ((0.4, 0.6), (0.9, 1.0))  # quality by whether evidence begins, then ends, with the asked time
VAGUENESS = 0.1  # share of quality lost for every factor of ten by which evidence is longer than what was asked
LATER = 4  # times a gap after the asked time: what came before may have stayed so, what came later had not begun
CURRENT_HALF_DAYS = 5 * 365  # as long as many offices and rules last

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
# The gap that halves a fit is the next coarser unit: who asks by the day asks of what changes within months, who asks
# by the year of what changes within decades.
HALF_DAYS: dict[Granularity, int] = {
    "day": 30,
    "month": 365,
    "quarter": 365,
    "season": 365,
    "year": 3652,
    "decade": 36524,
    "century": 36524,
}

OPEN = 10_000_000  # beyond every day: their ordinals go from 1 to 3,652,059

Fit = Callable[[int, int, int, int], float]  # of first day, last day, days of the unit it is dated by, days of slack


@dataclass(frozen=True, slots=True)
class _Asked:
    """A constraint's span in ordinals of days."""

    start: int
    end: int
    unit: int
    half: int
    slack: int


def fit_of(constraint: TimeConstraint) -> Fit:
    """Return the fit that a constraint asks for, `unknown` where it has no days yet."""
    span, relation = constraint.span, constraint.relation
    if span is None:
        counts_all = constraint.anchor is None and relation in ("first", "last", "nth")
        return _within(_Asked(-OPEN, OPEN, 1, 1, 0)) if counts_all else unknown
    start = -OPEN if span.start is None else span.start.toordinal()
    end = OPEN if span.end is None else span.end.toordinal()
    unit = UNIT_DAYS[span.granularity]
    return _FITS[relation](_Asked(start, end, unit, HALF_DAYS[span.granularity], slack_of(span)))


def lowered(fit: float, share: float) -> float:
    """Return a fit with only a share of what it has above SATISFIED."""
    return SATISFIED + share * (fit - SATISFIED) if fit > SATISFIED else fit


def slack_of(span: TimeSpan) -> int:
    """Return by how many days a span may be off: a circa by its own length, others by none."""
    if not span.approximate:
        return 0
    return span.days or UNIT_DAYS[span.granularity]


@dataclass(frozen=True, slots=True)
class Middle:
    """Asked days that the times of a text may lie on both sides of: it may well tell what was so in between.

    Of the passages of a development set with times on both sides of an asked year, each at most five years off, 44 %
    hold the answer; of those with a range around the year 18 %, of those with the year itself 9 %. The more years are
    asked, the less it tells.
    """

    first: date
    last: date
    half: int
    share: float

    def fit(self, before: date, after: date) -> float:
        """Return the fit of a text whose last earlier time ends and whose first later time begins on these days."""
        gap = (self.first - before).days + (after - self.last).days
        return SATISFIED + (1.0 - SATISFIED) * self.share * self.half / (self.half + gap)


def middle_of(span: TimeSpan | None) -> Middle | None:
    """Return the days of a constraint's span, None where an end is open."""
    if span is None or span.start is None or span.end is None or span.days is None:
        return None
    share = min(1.0, UNIT_DAYS[span.granularity] / span.days)
    return Middle(span.start, span.end, HALF_DAYS[span.granularity], share)


def unknown(_start: int, _end: int, _unit: int, _slack: int) -> float:
    """Return 0: a constraint without days tells nothing of any time."""
    return 0.0


def _during(asked: _Asked) -> Fit:
    """Full quality for evidence that begins and ends with the asked time, as exactly as the coarser of both is dated.

    A question takes the ends of its range from the facts it asks about: of the passages of a development set with a
    date that begins with the asked range 36 % hold the answer, with one that ends with it 15 %, with one inside 8 %,
    with a range around it 5 %, without any date 1 %.
    """
    first, last, asked_unit, half, asked_slack = asked.start, asked.end, asked.unit, asked.half, asked.slack
    if first == -OPEN or last == OPEN:
        return _within(asked)
    length = last - first + 1

    def fit(start: int, end: int, unit: int, slack: int) -> float:
        if end < first:
            return _missed(first - end - asked_slack - slack, half)
        if start > last:
            return _missed(LATER * (start - last - asked_slack - slack), half)
        near = unit if unit > asked_unit else asked_unit
        quality = SHARED_ENDS[-near < start - first < near][-near < end - last < near]
        if start == -OPEN:  # known to reach the asked time, not from how far
            start = min(first, end)
        if end == OPEN:
            end = max(last, start)
        own = end - start + 1
        quality *= (min(end, last) - max(start, first) + 1) / min(own, length)
        if own > length:
            quality *= 1.0 - VAGUENESS * log10(own / length)
        return SATISFIED + (1.0 - SATISFIED) * quality

    return fit


def _within(asked: _Asked) -> Fit:
    """Quality is the share of the evidence that lies in the window, or of the window where that is shorter."""
    first, last, half, asked_slack = asked.start, asked.end, asked.half, asked.slack

    def fit(start: int, end: int, _unit: int, slack: int) -> float:
        if end < first:
            return _missed(first - end - asked_slack - slack, half)
        if start > last:
            return _missed(start - last - asked_slack - slack, half)
        shared = min(end, last) - max(start, first) + 1
        return SATISFIED + (1.0 - SATISFIED) * shared / min(end - start + 1, last - first + 1)

    return fit


def _before(asked: _Asked) -> Fit:
    """Nearest earlier first; evidence across the limit by its share before it, an open one by where it begins."""
    limit = asked.end if asked.start == -OPEN else asked.start - 1
    half, asked_slack = asked.half, asked.slack

    def fit(start: int, end: int, _unit: int, slack: int) -> float:
        if start > limit:
            return _missed(start - limit - asked_slack - slack, half)
        if end <= limit:
            quality = half / (half + limit - end)
        elif end == OPEN:
            quality = PARTLY * half / (half + limit - start)
        else:
            quality = (limit - start + 1) / (end - start + 1)
        return SATISFIED + (1.0 - SATISFIED) * quality

    return fit


def _after(asked: _Asked) -> Fit:
    """Nearest later first: `before`, with time turned round."""
    before = _before(_Asked(-asked.end, -asked.start, asked.unit, asked.half, asked.slack))
    return lambda start, end, unit, slack: before(-end, -start, unit, slack)


def _until(asked: _Asked) -> Fit:
    """Best where the evidence ends with the limit; partly where it is known to have ended earlier, or has no end."""
    limit = asked.start if asked.end == OPEN else asked.end
    half, asked_slack = asked.half, asked.slack

    def fit(start: int, end: int, unit: int, slack: int) -> float:
        if start > limit:
            return _missed(start - limit - asked_slack - slack, half)
        is_range = end - start + 1 >= 2 * unit
        gap = abs(end - limit) if is_range or end < limit else 0
        quality = PARTLY if end == OPEN else half / (half + gap)
        if is_range and end < limit:
            quality *= PARTLY
        return SATISFIED + (1.0 - SATISFIED) * quality

    return fit


def _since(asked: _Asked) -> Fit:
    """Best where the evidence begins with the limit; partly where it has ended again, or has no beginning."""
    limit = asked.end if asked.start == -OPEN else asked.start
    half, asked_slack = asked.half, asked.slack

    def fit(start: int, end: int, unit: int, slack: int) -> float:
        if end < limit:
            return _missed(limit - end - asked_slack - slack, half)
        is_range = end - start + 1 >= 2 * unit
        gap = abs(start - limit) if is_range or start > limit else 0
        quality = PARTLY if start == -OPEN else half / (half + gap)
        if is_range and end != OPEN and start != -OPEN:
            quality *= PARTLY
        return SATISFIED + (1.0 - SATISFIED) * quality

    return fit


def _current(asked: _Asked) -> Fit:
    """The newer the better, up to 1 on the day of asking; what began and goes on satisfies, however old."""
    first, last, asked_slack = asked.start, asked.end, asked.slack

    def fit(start: int, end: int, _unit: int, slack: int) -> float:
        if end == OPEN and start <= last:
            age = max(0, first - start)
            return SATISFIED + (1.0 - SATISFIED) * CURRENT_HALF_DAYS / (CURRENT_HALF_DAYS + age)
        gap = first - end if end < first else LATER * (start - last)
        return CURRENT_HALF_DAYS / (CURRENT_HALF_DAYS + max(0, gap - asked_slack - slack))

    return fit


_FITS: dict[Relation, Callable[[_Asked], Fit]] = {
    "during": _during,
    "between": _during,
    "as_of": _during,
    "before": _before,
    "after": _after,
    "since": _since,
    "until": _until,
    "first": _within,
    "last": _within,
    "nth": _within,
    "current": _current,
}


def _missed(gap: int, half: int) -> float:
    return SATISFIED * half / (half + gap) if gap > 0 else SATISFIED
