"""When something was: closed intervals of days with their granularity.

A span is what a date in the world means: "2019" is the 365 days of 2019, "since 2019" is open at its end.
"""

import calendar
import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, get_args

Granularity = Literal["day", "month", "quarter", "season", "year", "decade", "century"]
Season = Literal["spring", "summer", "autumn", "winter"]
Role = Literal["event", "valid_from", "valid_until", "deadline", "birth", "death", "comparison"]
Relation = Literal["before", "after", "between", "during", "as_of", "since", "until", "first", "last", "nth", "current"]

# days of the shortest and of the longest unit
SHORTEST_DAYS: dict[Granularity, int] = {
    "day": 1,
    "month": 28,
    "quarter": 90,
    "season": 90,
    "year": 365,
    "decade": 3652,
    "century": 36524,
}
LONGEST_DAYS: dict[Granularity, int] = {
    "day": 1,
    "month": 31,
    "quarter": 92,
    "season": 92,
    "year": 366,
    "decade": 3653,
    "century": 36525,
}

_FINEST_FIRST: tuple[Granularity, ...] = get_args(Granularity)
_FIRST_MONTH: dict[Season, int] = {"spring": 3, "summer": 6, "autumn": 9, "winter": 12}
_ISO_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_WITHOUT_SPAN = frozenset({"first", "last", "nth", "current"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSpan:
    """A closed interval of days; None at an end means open there."""

    start: date | None
    end: date | None
    granularity: Granularity = "day"
    approximate: bool = False

    def __post_init__(self) -> None:
        if self.start is None and self.end is None:
            raise ValueError("a time span needs a start or an end")
        if self.start is not None and self.end is not None and self.start > self.end:
            raise ValueError(f"a time span cannot end ({self.end}) before it starts ({self.start})")

    @classmethod
    def parse(cls, text: str) -> "TimeSpan":
        """Return the span of `2019`, `2019-03` or `2019-03-05`.

        Raises:
            ValueError: the text is none of the three forms, or no such day exists.
        """
        match = _ISO_DATE.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"'{text}' is not a date; write YYYY, YYYY-MM or YYYY-MM-DD")
        year = int(match[1])
        if match[2] is None:
            return cls.year(year)
        month = int(match[2])
        if match[3] is None:
            return cls.month(year, month)
        day = date(year, month, int(match[3]))
        return cls(start=day, end=day)

    @classmethod
    def month(cls, year: int, number: int) -> "TimeSpan":
        """Return a month, `number` from 1 to 12; like all of these, ValueError when no such days exist."""
        return _whole_months(year, number, 1, "month")

    @classmethod
    def quarter(cls, year: int, number: int) -> "TimeSpan":
        """Return a quarter of a calendar year, `number` from 1 to 4."""
        return _whole_months(year, 3 * number - 2, 3, "quarter")

    @classmethod
    def season(cls, year: int, name: Season) -> "TimeSpan":
        """Return three whole months of the northern hemisphere; a winter is named after the year of its December."""
        return _whole_months(year, _FIRST_MONTH[name], 3, "season")

    @classmethod
    def year(cls, number: int) -> "TimeSpan":
        """Return a calendar year."""
        return _whole_years(number, number, "year")

    @classmethod
    def decade(cls, first_year: int) -> "TimeSpan":
        """Return ten years: the 1990s are `decade(1990)`."""
        if first_year % 10:
            raise ValueError(f"a decade begins with a year that ends in 0, not with {first_year}")
        return _whole_years(first_year, first_year + 9, "decade")

    @classmethod
    def century(cls, number: int) -> "TimeSpan":
        """Return a hundred years, the nineteenth from 1801 to 1900."""
        return _whole_years(100 * number - 99, 100 * number, "century")

    @property
    def days(self) -> int | None:
        """Number of days, both ends counted; None when an end is open."""
        if self.start is None or self.end is None:
            return None
        return (self.end - self.start).days + 1

    @property
    def is_range(self) -> bool:
        """Tell whether it has two ends and is longer than one day, month, year and so on."""
        return self.days is not None and self.days > LONGEST_DAYS[self.granularity]

    @property
    def slack_days(self) -> int:
        """Days by which an end may be off: the length of what is approximate, or of its unit if one is open."""
        return (self.days or SHORTEST_DAYS[self.granularity]) if self.approximate else 0

    def widened(self) -> "TimeSpan":
        """Return it with its slack at each end that it has, from the first day there is to the last."""
        slack = self.slack_days
        return replace(self, start=_moved(self.start, -slack), end=_moved(self.end, slack)) if slack else self

    def overlaps(self, other: "TimeSpan") -> bool:
        """Tell whether the two spans share a day."""
        starts_in_time = self.start is None or other.end is None or self.start <= other.end
        ends_in_time = self.end is None or other.start is None or self.end >= other.start
        return starts_in_time and ends_in_time

    def contains(self, other: "TimeSpan") -> bool:
        """Tell whether every day of the other span is one of this."""
        starts_in_time = self.start is None or (other.start is not None and self.start <= other.start)
        ends_in_time = self.end is None or (other.end is not None and self.end >= other.end)
        return starts_in_time and ends_in_time

    def intersection(self, other: "TimeSpan") -> "TimeSpan | None":
        """Return the days that both have, None for none.

        Its granularity is the finer of the two, since either may have set its ends; it is approximate if one is.
        """
        if not self.overlaps(other):
            return None
        starts = [span.start for span in (self, other) if span.start is not None]
        ends = [span.end for span in (self, other) if span.end is not None]
        return TimeSpan(
            start=max(starts, default=None),
            end=min(ends, default=None),
            granularity=min(self.granularity, other.granularity, key=_FINEST_FIRST.index),
            approximate=self.approximate or other.approximate,
        )

    def gap_days(self, other: "TimeSpan") -> int:
        """Return the days from the end of the earlier span to the start of the later, 0 if they share a day.

        It is 1 where one begins the day after the other ends.
        """
        if self.end is not None and other.start is not None and self.end < other.start:
            return (other.start - self.end).days
        if other.end is not None and self.start is not None and other.end < self.start:
            return (self.start - other.end).days
        return 0

    def __str__(self) -> str:
        """Return the span at its own granularity: `2019`, `2019-03`, `since 2019-03-05`, `circa 1957`."""
        start, end = (_at(day, self.granularity) for day in (self.start, self.end))
        if start == end:
            words = start
        elif not end:
            words = f"since {start}"
        elif not start:
            words = f"until {end}"
        else:
            words = f"{start} to {end}"
        return f"circa {words}" if self.approximate else words


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeMention:
    """A time that a passage speaks of; `start` and `end` are characters in the passage, half-open."""

    span: TimeSpan
    start: int
    end: int
    role: Role = "event"

    @property
    def holds(self) -> TimeSpan:
        """The days that it speaks for: one time at which something began or ended that lasts is open there."""
        if self.role not in ("valid_from", "valid_until") or self.span.days is None or self.span.is_range:
            return self.span
        return replace(self.span, end=None) if self.role == "valid_from" else replace(self.span, start=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeConstraint:
    """What a question demands of time.

    `anchor` is an event whose date must be looked up first; `surface` holds the words the constraint was read
    from and `rest` the question without them.
    """

    relation: Relation
    span: TimeSpan | None = None
    anchor: str | None = None
    ordinal: int | None = None
    surface: str = ""
    rest: str = ""

    def __post_init__(self) -> None:
        if self.span is None and self.anchor is None and self.relation not in _WITHOUT_SPAN:
            raise ValueError(f"the relation '{self.relation}' needs a span or an anchor")
        if (self.ordinal is None) == (self.relation == "nth"):
            raise ValueError("an ordinal goes with the relation 'nth' and with no other")


def _moved(day: date | None, days: int) -> date | None:
    if day is None:
        return None
    return date.fromordinal(min(max(day.toordinal() + days, date.min.toordinal()), date.max.toordinal()))


def _at(day: date | None, granularity: Granularity) -> str:
    if day is None:
        return ""
    if granularity in ("year", "decade", "century"):
        return day.isoformat()[:4]
    if granularity == "day":
        return day.isoformat()
    return day.isoformat()[:7]


def _whole_months(year: int, first: int, count: int, granularity: Granularity) -> TimeSpan:
    start = date(year, first, 1)
    years, last = divmod(first + count - 2, 12)
    end = date(year + years, last + 1, calendar.monthrange(year + years, last + 1)[1])
    return TimeSpan(start=start, end=end, granularity=granularity)


def _whole_years(first: int, last: int, granularity: Granularity) -> TimeSpan:
    return TimeSpan(start=date(first, 1, 1), end=date(last, 12, 31), granularity=granularity)
