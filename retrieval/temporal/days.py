"""Single days in text: `2021-05-05`, `5 May 2021`, `May 5th, 2021`, `03/04/2021`, `5-7 May 2021`."""

import re
from calendar import monthrange
from collections.abc import Callable
from contextlib import suppress
from datetime import MAXYEAR, MINYEAR, date

from app.core.timespan import TimeSpan
from retrieval.temporal.found import APOSTROPHES, Rule, Setting, figures, word_before
from retrieval.temporal.months import MONTH, MONTH_HEADS, WEEKDAY, WEEKDAY_HEADS, month_number
from retrieval.temporal.numerals import ORDINAL, ORDINAL_HEADS, ordinal_value
from retrieval.temporal.words import pattern

_NOT_IN_NUMBER = r"(?<![\w$£€#.])(?<!\d[,/:])"
_RELEASES = frozenset("version driver release firmware build update patch revision v".split())  # 10.4.2020 is one
_EACH = pattern(r"\s*(?:of )?(?:each|every|any) year\b|\s*(?:annually|yearly)\b")
_YEAR = r"(?P<y>\d{3,5}|['’]\d\d)(?![.,]?\d)(?!\w)"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_TO = r"\s*(?:-|–|—|/|to|and|until|till|through)\s*(?:the\s+)?"
_CLOCK = r"(?:T\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?"
_OF_WEEK = rf"(?:{WEEKDAY},?\s+(?:the\s+)?)?"
_WORDS = frozenset({"may", "mar", "march", "dec"})  # verbs and abbreviations when in lower case and without a year
_BEFORE_FIGURES = frozenset("on since until by before after from to and between of".split())
_MONTHS_IN_YEAR = 12
_LEAP_YEAR = 2000


def _day(year: int, month: int, day: int) -> TimeSpan:
    one = date(year, month, day)
    return TimeSpan(start=one, end=one)


def _number(day: str) -> int:
    return int(day) if day.isdigit() else ordinal_value(day)


def year_of_apostrophe(text: str, setting: Setting) -> int:
    """Return the year of `'93`: the last one up to today, in the twentieth century where no day is given."""
    last = setting.today.year if setting.today is not None else 1999
    year = last - last % 100 + int(text[1:])
    return year if year <= last else year - 100


def _iso(match: re.Match[str], _setting: Setting) -> TimeSpan | None:
    is_version = match["s"] == "." and len(match["d"]) == 1  # 2021.04.1
    if match["s"] != match["t"] or is_version:
        return None
    return _day(int(match["y"]), int(match["m"]), int(match["d"]))


def _eight_figures(match: re.Match[str], _setting: Setting) -> TimeSpan | None:
    """Return the day of `20210505`; any such number may be something else, so a word of time must stand before it."""
    if word_before(match.string, match.start()).lower() not in _BEFORE_FIGURES:
        return None
    return _day(int(match["y"]), int(match["m"]), int(match["d"]))


def _figures(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    """Return the day of `31/12/2009`; of `03/04/2021` whatever lies from the one reading to the other."""
    if match["s"] != match["t"] or word_before(match.string, match.start()).lower() in _RELEASES:
        return None
    first, second, year = int(match["a"]), int(match["b"]), int(match["y"])
    day_first = True if match["s"] == "." else setting.day_first  # dots are written where the day comes first
    if second > _MONTHS_IN_YEAR:
        return _day(year, first, second)
    if first > _MONTHS_IN_YEAR or first == second or day_first is True:
        return _day(year, second, first)
    if day_first is False:
        return _day(year, first, second)
    ends = sorted((date(year, first, second), date(year, second, first)))
    return TimeSpan(start=ends[0], end=ends[1], approximate=True)


def _in_words(match: re.Match[str], setting: Setting) -> TimeSpan:
    month, day = month_number(match["m"]), _number(match["d"])
    if match["y"][0] in APOSTROPHES:
        one = _day(year_of_apostrophe(match["y"], setting), month, day)
        return TimeSpan(start=one.start, end=one.end, approximate=True)
    return _day(int(match["y"]), month, day)


def _without_year(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    if match["m"].rstrip(".") in _WORDS or (setting.today is None and not setting.in_passage):
        return None
    month, day = month_number(match["m"]), _number(match["d"])
    date(_LEAP_YEAR, month, day)  # fails for days that no year has
    if setting.in_passage:
        recurs = word_before(match.string, match.start()).lower() in ("each", "every")
        if recurs or _EACH.match(match.string, match.end()):
            return None
        return in_meant_year(setting, lambda year: _day(year, month, day))
    return None if setting.today is None else _latest(setting.today, month, day)


def in_meant_year(setting: Setting, of_year: Callable[[int], TimeSpan]) -> TimeSpan | None:
    """Return the span of a passage that lacks its year: in the year named last, else the nearest to publication.

    None where neither is known, or where the year named last has no such day.
    """
    last = setting.near.end or setting.near.start if setting.near is not None else None
    if last is not None:
        years = [last.year]
    elif setting.today is not None and not setting.is_lost:
        years = [year for year in range(setting.today.year - 1, setting.today.year + 2) if MINYEAR <= year <= MAXYEAR]
    else:
        return None
    spans = []
    for year in years:
        with suppress(ValueError):  # no 29 February
            spans.append(of_year(year))
    today = setting.today or last
    if today is None or not spans:
        return None
    day = TimeSpan(start=today, end=today)
    return min(spans, key=day.gap_days)


def _latest(today: date, month: int, day: int) -> TimeSpan:
    """Return the last such day up to today; a leap day may be years ago."""
    year = today.year
    while day > monthrange(year, month)[1] or date(year, month, day) > today:
        year -= 1
    return _day(year, month, day)


def _some_days(match: re.Match[str], _setting: Setting) -> TimeSpan | None:
    """Return the days of `5-7 May 2021`; `5 and 7 May` are two days unless they follow `between`."""
    if "and" in match["to"] and word_before(match.string, match.start()).lower() != "between":
        return None
    month, year = month_number(match["m"]), int(match["y"])
    first, last = _number(match["d"]), _number(match["e"])
    return TimeSpan(start=date(year, month, first), end=date(year, month, last))


_DAY_FIGURES, _YEAR_FIGURES = figures(1, 2), figures(4)
_COMMA = r"(?:\s?,\s*|[\s-]+)(?:of\s+)?"
_DAY_MONTH = rf"{_NOT_IN_NUMBER}{_OF_WEEK}(?P<d>{_DAY})(?:\s+(?:day\s+)?of)?[\s-]+(?P<m>{MONTH})"
_MONTH_DAY = rf"{_OF_WEEK}(?P<m>{MONTH})\s+(?:the\s+)?(?P<d>{_DAY})(?![\d:])"
_ORDINAL_MONTH = rf"{_OF_WEEK}(?P<d>{ORDINAL})\s+(?:day\s+)?of\s+(?P<m>{MONTH})"
_DAYS_MONTH = rf"(?P<d>{_DAY})(?P<to>{_TO})(?P<e>{_DAY})(?:\s+of)?\s+(?P<m>{MONTH})"
_MONTH_DAYS = rf"(?P<m>{MONTH})\s+(?P<d>{_DAY})(?P<to>{_TO})(?P<e>{_DAY})"

RULES = (
    Rule(
        r"\b(?P<y>1[6-9]\d\d|20\d\d)(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])\b",
        figures(8),
        _eight_figures,
    ),
    Rule(
        rf"(?<![\w$£€#.])(?:(?<!\d[,/:])|(?<=-\d\d/))(?P<y>\d{{4}})(?P<s>[-/.]|\s-\s)(?P<m>\d\d?)(?P<t>[-/.]|\s-\s)(?P<d>\d\d?)(?!\d){_CLOCK}",
        _YEAR_FIGURES,
        _iso,
    ),
    Rule(
        rf"{_NOT_IN_NUMBER}(?P<a>\d\d?)(?P<s>[/.-])(?P<b>\d\d?)(?P<t>[/.-])(?P<y>\d{{4}})(?!\d)",
        _DAY_FIGURES,
        _figures,
    ),
    Rule(rf"(?<![\w$£€#.])(?P<d>\d\d)/(?P<m>{MONTH})/(?P<y>\d{{4}})(?!\d)", figures(2), _in_words),
    Rule(rf"{_NOT_IN_NUMBER}(?P<y>\d{{4}})\s+(?P<m>{MONTH})\s+(?P<d>\d\d?)(?!\w|[/:-]\d)", _YEAR_FIGURES, _in_words),
    Rule(rf"{_NOT_IN_NUMBER}{_DAYS_MONTH}{_COMMA}{_YEAR}", _DAY_FIGURES, _some_days, "range"),
    Rule(rf"{_MONTH_DAYS}{_COMMA}{_YEAR}", MONTH_HEADS, _some_days, "range"),
    Rule(rf"{_DAY_MONTH}{_COMMA}{_YEAR}", _DAY_FIGURES | WEEKDAY_HEADS, _in_words),
    Rule(rf"{_MONTH_DAY}{_COMMA}{_YEAR}", MONTH_HEADS | WEEKDAY_HEADS, _in_words),
    Rule(rf"{_ORDINAL_MONTH}{_COMMA}{_YEAR}", ORDINAL_HEADS, _in_words),
    Rule(_ORDINAL_MONTH, ORDINAL_HEADS, _without_year, "yearless"),
    Rule(_DAY_MONTH, _DAY_FIGURES | WEEKDAY_HEADS, _without_year, "yearless"),
    Rule(rf"{_MONTH_DAY}(?![.,]?\d)", MONTH_HEADS | WEEKDAY_HEADS, _without_year, "yearless"),
)
