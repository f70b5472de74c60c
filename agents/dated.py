"""What passages tell of time, held against the time that a question asks for."""

from collections.abc import Iterable

from agents.timeline import day_after, day_before
from app.core.timespan import TimeConstraint, TimeSpan
from app.core.types import Passage

BESIDE = frozenset({"birth", "death", "comparison", "deadline"})
"""Roles of mentions that tell no time for which a passage speaks."""


def window(time: TimeConstraint | None) -> TimeSpan | None:
    """Return the days that evidence for a constraint may tell of; None where no days are asked for."""
    if time is None or time.span is None:
        return None
    span = time.span.widened()
    start, end = span.start, span.end
    match time.relation:
        case "before":
            start, end = None, day_before(start)
        case "after":
            start, end = day_after(end), None
        case "since":
            end = None
        case "until":
            start = None
    return None if start is None and end is None else TimeSpan(start=start, end=end)


def told_times(passage: Passage) -> list[TimeSpan]:
    """Return the times that a passage mentions, births, deaths and the like left out, and that it holds for."""
    holds = [passage.holds] if passage.holds else []
    return [*(one.holds for one in passage.mentions if one.role not in BESIDE), *holds]


def dates_of(passage: Passage) -> list[TimeSpan]:
    """Return the times that a passage tells, and the day it was published."""
    return [*told_times(passage), *([passage.published] if passage.published else [])]


def told_in(asked: TimeSpan, times: Iterable[TimeSpan]) -> bool:
    """Tell whether one of the times has a day that is asked for."""
    return any(time.widened().overlaps(asked) for time in times)


def dated_gap(time: TimeConstraint | None, found: Iterable[Passage]) -> str:
    """Return the words for a time of which no passage found tells though some are dated, with the nearest; else ''."""
    asked = window(time)
    dated = [(one, passage) for passage in found for one in dates_of(passage)]
    if time is None or asked is None or not dated or told_in(asked, (one for one, _ in dated)):
        return ""
    nearest, passage = min(dated, key=lambda pair: (pair[0].gap_days(asked), str(pair[0]), pair[1].passage_id))
    about = time.surface or f"{time.relation} {time.span}"
    return f"nothing found tells of '{about}'; the nearest dated evidence is of {nearest}, in '{passage.title}'"
