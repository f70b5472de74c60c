"""Times told from a day: `yesterday`, `last week`, `two months ago`, `the past five years`."""

import re
from calendar import monthrange
from dataclasses import replace
from datetime import date, timedelta
from typing import Literal, cast

from app.core.timespan import TimeSpan
from retrieval.temporal.found import Rule, Setting, heads, starts_sentence, word_before
from retrieval.temporal.numerals import CARDINAL, CARDINAL_HEADS, cardinal_value, is_loose

Unit = Literal["day", "week", "fortnight", "month", "quarter", "year", "decade", "century"]

_UNIT = r"(?P<unit>days?|weeks?|fortnights?|months?|quarters?|years?|decades?|centur(?:y|ies))\b"
_DAYS: dict[Unit, int] = {"day": 1, "week": 7, "fortnight": 14}
_MONTHS: dict[Unit, int] = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1200}
_STEPS = {"last": -1, "past": -1, "previous": -1, "this": 0, "current": 0, "next": 1, "coming": 1}
_DAY_WORDS = {"today": 0, "tonight": 0, "now": 0, "yesterday": -1, "tomorrow": 1}
_ALONE = r"(?!\s+(?:of|in\s+which|that|when|before|after|on\s+which)\b)"  # not "the last year of the war"


def _unit(text: str) -> Unit:
    name = text.lower()
    return "century" if name.startswith("centur") else cast(Unit, name.removesuffix("s"))


def _one_day(day: date) -> TimeSpan:
    return TimeSpan(start=day, end=day)


def _moved(day: date, unit: Unit, count: int) -> date:
    """Return the same day so many units later; the last of the month where that has no such day."""
    if unit in _DAYS:
        return day + timedelta(days=count * _DAYS[unit])
    years, month = divmod(day.year * 12 + day.month - 1 + count * _MONTHS[unit], 12)
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))


def _unit_around(day: date, unit: Unit) -> TimeSpan:
    """Return the calendar unit that a day lies in; weeks run from Monday to Sunday."""
    match unit:
        case "day":
            span = _one_day(day)
        case "week" | "fortnight":
            monday = day - timedelta(days=day.weekday())
            span = TimeSpan(start=monday, end=monday + timedelta(days=6))
        case "month":
            span = TimeSpan.month(day.year, day.month)
        case "quarter":
            span = TimeSpan.quarter(day.year, (day.month + 2) // 3)
        case "year":
            span = TimeSpan.year(day.year)
        case "decade":
            span = TimeSpan.decade(day.year - day.year % 10)
        case "century":
            span = TimeSpan.century((day.year + 99) // 100)
    return span


def _day_word(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    in_name = match["word"][0].isupper() and not starts_sentence(match.string, match.start())
    if setting.today is None or in_name:
        return None
    days = _DAY_WORDS[match["word"].lower()]
    return _one_day(setting.today + timedelta(days=2 * days if match["twice"] else days))


def _part_of_day(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    if setting.today is None:
        return None
    return _one_day(setting.today - timedelta(days=1 if match["which"].lower() == "last" else 0))


def _near_unit(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    """Return the calendar unit of `last year`; `the last year` and `the past year` go back from the day itself."""
    if setting.today is None:
        return None
    unit, which = _unit(match["unit"]), match["which"].lower()
    if unit == "day":
        return None
    if which in ("last", "past") and (which == "past" or word_before(match.string, match.start()).lower() == "the"):
        return _rolling(setting.today, unit, -1)
    return _unit_around(_moved(setting.today, unit, _STEPS[which]), unit)


def _before_last(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    if setting.today is None:
        return None
    unit = _unit(match["unit"])
    return _unit_around(_moved(setting.today, unit, -2), unit)


def _ago(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    """Return the whole unit of `two months ago`, the day of what is a number of weeks or days away."""
    if setting.today is None:
        return None
    unit = _unit(match["unit"])
    back = match["way"].lower() in ("ago", "earlier", "before now")
    count = cardinal_value(match["n"]) * (-1 if back else 1)
    there = _moved(setting.today, unit, count)
    span = _one_day(there) if unit in _DAYS else _unit_around(there, unit)
    return _about(span) if is_loose(match["n"]) else span


def _some_units(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    if setting.today is None:
        return None
    back = match["which"].lower() not in ("next", "coming", "following")
    span = _rolling(setting.today, _unit(match["unit"]), cardinal_value(match["n"]) * (-1 if back else 1))
    return _about(span) if is_loose(match["n"]) else span


def _rolling(today: date, unit: Unit, count: int) -> TimeSpan:
    ends = sorted((today, _moved(today, unit, count)))
    return TimeSpan(start=ends[0], end=ends[1], granularity=_unit_around(today, unit).granularity)


def _about(span: TimeSpan) -> TimeSpan:
    return replace(span, approximate=True)


_NOW = r"(?:(?<=as of )|(?<=until )|(?<=till )|(?<=up to )|(?<=before ))now"
_NEAR = heads(*_STEPS, "preceding", "following")
_AWAY = r"(?P<way>ago|earlier|later|before\s+now|hence|from\s+now|from\s+today)\b"

RULES = (
    Rule(
        rf"(?P<twice>day\s+(?:before|after)\s+(?=yest|tom))?(?P<word>today|tonight|yesterday|tomorrow|{_NOW})\b(?!['’]s)",
        heads("day", *_DAY_WORDS),
        _day_word,
        "relative",
    ),
    Rule(r"(?P<which>this|last)\s+(?:morning|afternoon|evening|night)\b", _NEAR, _part_of_day, "relative"),
    Rule(rf"{_UNIT}\s+before\s+last\b", heads("week", "month", "quarter", "year", "decade"), _before_last, "relative"),
    Rule(rf"(?<!half )(?P<n>{CARDINAL})\s+{_UNIT}\s+{_AWAY}", CARDINAL_HEADS, _ago, "relative"),
    Rule(
        rf"(?P<which>last|past|previous|preceding|next|coming|following)\s+(?P<n>{CARDINAL})\s+{_UNIT}{_ALONE}",
        _NEAR,
        _some_units,
        "relative",
    ),
    Rule(rf"(?P<which>this|last|past|previous|current|next|coming)\s+{_UNIT}{_ALONE}", _NEAR, _near_unit, "relative"),
)
