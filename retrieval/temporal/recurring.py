"""Months, seasons, weekdays and days without a year, told from a day: `in May`, `last autumn`, `on Friday`."""

import re
from collections.abc import Callable
from datetime import date, timedelta

from app.core.timespan import TimeSpan
from retrieval.temporal.days import in_meant_year
from retrieval.temporal.found import Rule, Setting, heads, word_after, word_before
from retrieval.temporal.months import (
    MONTH_HEADS,
    MONTH_IN_FULL,
    SEASON,
    WEEKDAY,
    WEEKDAY_HEADS,
    month_number,
    season_named,
    weekday_number,
)
from retrieval.temporal.units import half_of
from retrieval.temporal.years import EDITIONS

_WHICH = r"(?P<which>this|last|past|previous|next|coming)\s+"
_BEFORE_MONTH = frozenset(
    "in since until till by before after during from throughout of through early mid late".split()
)
_BEFORE_WEEKDAY = frozenset("on since until till by before after from".split())
_WEEK = 7
_HALVES = 2


def _nearest(which: str, today: date, of_year: Callable[[int], TimeSpan]) -> TimeSpan:
    """Return the year's span that is meant: `last` is the last that was over, '' the last that has begun.

    Raises:
        ValueError: there is none in the years 1 to 9999.
    """
    years = range(max(1, today.year - 2), min(9998, today.year + 1) + 1)
    starts = [(span, span.start, span.end) for span in map(of_year, years)]
    begun = [(span, end) for span, start, end in starts if start is not None and start <= today]
    match which:
        case "last" | "past" | "previous":
            meant = [span for span, end in begun if end is not None and end < today][-1:]
        case "next" | "coming":
            meant = [span for span, _, _ in starts[len(begun) :]]
        case "this":
            meant = [span for span, end in begun if end is not None and end >= today][-1:] or [of_year(today.year)]
        case _:
            meant = [span for span, _ in begun[-1:]]
    if not meant:
        raise ValueError(f"no such time near {today}")
    return meant[0]


def _month(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    number = month_number(match["m"])
    if setting.today is None or (match["m"].islower() and match["m"] in ("march", "may") and match["which"] == ""):
        return None
    return _nearest(match["which"].lower(), setting.today, lambda year: TimeSpan.month(year, number))


def _bare_month(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    """Return the month of `in May`; a name after it, as in `by August Wilson`, makes it a name."""
    number = month_number(match["m"])
    before, after = word_before(match.string, match.start()).lower(), word_after(match.string, match.end())
    if before not in _BEFORE_MONTH or after[:1].isupper():
        return None
    if setting.in_passage:
        return in_meant_year(setting, lambda year: TimeSpan.month(year, number))
    return None if setting.today is None else _nearest("", setting.today, lambda year: TimeSpan.month(year, number))


def _season(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    if setting.today is None or word_after(match.string, match.end()).lower() in EDITIONS:
        return None
    name = season_named(match["season"])
    return _nearest(match["which"].lower(), setting.today, lambda year: TimeSpan.season(year, name))


def _quarter_or_half(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    if setting.today is None or word_before(match.string, match.start()).lower() not in _BEFORE_MONTH:
        return None
    number = int(match["n"])
    if match["of"].upper() == "Q":
        return _nearest("", setting.today, lambda year: TimeSpan.quarter(year, number))
    return _nearest("", setting.today, lambda year: half_of(year, number)) if number <= _HALVES else None


def _weekday(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    which = (match["which"] or "").lower()
    before = word_before(match.string, match.start()).lower()
    if setting.today is None or (not which and (setting.in_passage or before not in _BEFORE_WEEKDAY)):
        return None
    back = (setting.today.weekday() - weekday_number(match["w"])) % _WEEK
    match which:
        case "next" | "coming":
            day = setting.today + timedelta(days=_WEEK - back)
        case "this":
            day = setting.today - timedelta(days=setting.today.weekday() - weekday_number(match["w"]))
        case "":
            day = setting.today - timedelta(days=back)
        case _:
            day = setting.today - timedelta(days=back or _WEEK)
    return TimeSpan(start=day, end=day)


_NEAR = heads("this", "last", "past", "previous", "next", "coming")

RULES = (
    Rule(rf"{_WHICH}(?P<m>{MONTH_IN_FULL})(?!\s+\d)", _NEAR, _month, "relative"),
    Rule(rf"{_WHICH}(?P<season>{SEASON})(?!\s+(?:of\s+)?\d)", _NEAR, _season, "relative"),
    Rule(
        r"(?P<of>[QH])(?P<n>[1-4])\b(?!\s*\d)", heads("Q1", "Q2", "Q3", "Q4", "H1", "H2"), _quarter_or_half, "yearless"
    ),
    Rule(rf"(?:{_WHICH})?(?P<w>{WEEKDAY})", _NEAR | WEEKDAY_HEADS, _weekday, "relative"),
    Rule(rf"(?P<m>{MONTH_IN_FULL})(?![-'’])", MONTH_HEADS, _bare_month, "yearless"),
)
