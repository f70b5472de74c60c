"""When something was: closed intervals of days with their granularity.

A span is what a date in the world means: "2019" is the 365 days of 2019, "since 2019" is open at its end.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

Granularity = Literal["day", "month", "quarter", "season", "year", "decade", "century"]
Role = Literal["event", "valid_from", "valid_until", "deadline", "birth", "death", "comparison"]
Relation = Literal["before", "after", "between", "during", "as_of", "since", "until", "first", "last", "nth", "current"]

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
            return cls(start=date(year, 1, 1), end=date(year, 12, 31), granularity="year")
        month = int(match[2])
        if match[3] is None:
            first = date(year, month, 1)
            return cls(start=first, end=first.replace(day=calendar.monthrange(year, month)[1]), granularity="month")
        day = date(year, month, int(match[3]))
        return cls(start=day, end=day)

    def overlaps(self, other: "TimeSpan") -> bool:
        """Tell whether the two spans share a day."""
        starts_in_time = self.start is None or other.end is None or self.start <= other.end
        ends_in_time = self.end is None or other.start is None or self.end >= other.start
        return starts_in_time and ends_in_time

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


def _at(day: date | None, granularity: Granularity) -> str:
    if day is None:
        return ""
    if granularity in ("year", "decade", "century"):
        return f"{day:%Y}"
    if granularity == "day":
        return day.isoformat()
    return f"{day:%Y-%m}"
