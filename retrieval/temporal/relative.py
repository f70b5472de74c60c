"""Times told from a day: `yesterday`, `last week`, `two months ago`, `the past five years`."""

import re
from calendar import monthrange
from dataclasses import replace
from datetime import date, timedelta
from typing import Literal, cast

from app.core.timespan import TimeSpan
from retrieval.temporal.found import Rule, Setting, heads, starts_sentence, word_before
from retrieval.temporal.numerals import CARDINAL, CARDINAL_HEADS, cardinal_value, is_loose
from retrieval.temporal.tense import tense_of
from retrieval.temporal.words import pattern

Unit = Literal["day", "week", "fortnight", "month", "quarter", "year", "decade", "century"]

UNIT = r"(?P<unit>days?|weeks?|fortnights?|months?|quarters?|years?|decades?|centur(?:y|ies))\b"
_DAYS: dict[Unit, int] = {"day": 1, "week": 7, "fortnight": 14}
_MONTHS: dict[Unit, int] = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1200}
_STEPS = {"last": -1, "past": -1, "previous": -1, "this": 0, "current": 0, "next": 1, "coming": 1}
_DAY_WORDS = {"today": 0, "tonight": 0, "now": 0, "yesterday": -1, "tomorrow": 1}
_ALONE = r"(?!\s+(?:of|in\s+which|that|when|before|after|on\s+which)\b)"  # not "the last year of the war"


def unit_named(text: str) -> Unit:
    """Return the unit that a UNIT names."""
    name = text.lower().strip()
    return "century" if name.startswith("centur") else cast(Unit, name.removesuffix("s"))


def _one_day(day: date) -> TimeSpan:
    return TimeSpan(start=day, end=day)


def moved(day: date, unit: Unit, count: int) -> date:
    """Return the same day so many units later; the last of the month where that has no such day."""
    if unit in _DAYS:
        return day + timedelta(days=count * _DAYS[unit])
    years, month = divmod(day.year * 12 + day.month - 1 + count * _MONTHS[unit], 12)
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))


def unit_around(day: date, unit: Unit) -> TimeSpan:
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
    word = match["word"].lower()
    if setting.today is None or in_name or (word == "now" and setting.in_passage):
        return None
    days = _DAY_WORDS[word]
    return _one_day(setting.today + timedelta(days=2 * days if match["twice"] else days))


def _part_of_day(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    if setting.today is None:
        return None
    return _one_day(setting.today - timedelta(days=1 if match["which"].lower() == "last" else 0))


def _near_unit(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    """Return the calendar unit of `last year`; `the last year` and `the past year` go back from the day itself.

    In a passage `the last year` is that calendar year; `the next day`, `the previous year` count from the time named
    last.
    """
    unit, which = unit_named(match["unit"]), match["which"].lower()
    has_article = word_before(match.string, match.start()).lower() == "the"
    if setting.in_passage and which in ("next", "previous") and has_article:
        return _stepped(setting, unit, _STEPS[which])
    if setting.today is None or unit == "day":
        return None
    if which == "past" or (which == "last" and has_article and not setting.in_passage):
        rolling = _rolling(setting.today, unit, -1)
        return _about(rolling) if setting.in_passage else rolling
    return unit_around(moved(setting.today, unit, _STEPS[which]), unit)


def _before_last(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    if setting.today is None:
        return None
    unit = unit_named(match["unit"])
    return unit_around(moved(setting.today, unit, -2), unit)


def _ago(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    """Return the whole unit of `two months ago`, in a question the day of what is a number of weeks or days away."""
    unit, way = unit_named(match["unit"]), match["way"].lower()
    count = cardinal_value(match["n"]) * (-1 if way in ("ago", "earlier", "before now") else 1)
    if setting.in_passage and way in ("earlier", "later"):
        stepped = _stepped(setting, unit, count)
        return _about(stepped) if stepped is not None and is_loose(match["n"]) else stepped
    if setting.today is None:
        return None
    there = moved(setting.today, unit, count)
    is_day = unit == "day" or (unit in _DAYS and not setting.in_passage)
    span = _one_day(there) if is_day else unit_around(there, unit)
    return _about(span) if is_loose(match["n"]) else span


def _some_units(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    if setting.today is None:
        return None
    back = match["which"].lower() not in ("next", "coming", "following")
    span = _rolling(setting.today, unit_named(match["unit"]), cardinal_value(match["n"]) * (-1 if back else 1))
    return _about(span) if setting.in_passage or is_loose(match["n"]) else span


def _stepped(setting: Setting, unit: Unit, count: int) -> TimeSpan | None:
    """Return the unit so many steps from the time named last, or that time's if coarser: 1968 for 1965 and three.

    None where neither a time nor a day of publication tells what it counts from.
    """
    origin = setting.origin
    if origin is None:
        return None
    ends = (origin.start, origin.end) if count < 0 else (origin.end, origin.start)
    day = ends[0] or ends[1]
    if day is None:
        return None
    coarser = max(unit, origin.granularity, key=_COARSENESS.index) if origin.granularity in _COARSENESS else unit
    return unit_around(moved(day, unit, count), cast(Unit, coarser))


def _beside(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    """Return what `the following year`, `the year before`, `two years after` stand for in a passage."""
    if not setting.in_passage:
        return None
    words = match.groupdict()
    back = (words.get("which") or words.get("side") or "").lower() in ("preceding", "before")
    count = cardinal_value(words["n"]) if words.get("n") else 1
    return _stepped(setting, unit_named(match["unit"]), -count if back else count)


def _ahead(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    """Return the unit of `starts in two days`; after a verb of the past it is how long something took."""
    if not setting.in_passage or setting.today is None:
        return None
    opening = max(match.string.rfind(mark, 0, match.start()) for mark in ".;:\n") + 1
    if tense_of(match.string[opening : match.start()]) != "present" and not _BEGINS.search(
        match.string, opening, match.start()
    ):
        return None
    unit = unit_named(match["unit"])
    there = moved(setting.today, unit, cardinal_value(match["n"]))
    return _one_day(there) if unit == "day" else unit_around(there, unit)


def _rolling(today: date, unit: Unit, count: int) -> TimeSpan:
    ends = sorted((today, moved(today, unit, count)))
    return TimeSpan(start=ends[0], end=ends[1], granularity=unit_around(today, unit).granularity)


def _about(span: TimeSpan) -> TimeSpan:
    return replace(span, approximate=True)


_NOW = r"(?:(?<=as of )|(?<=until )|(?<=till )|(?<=up to )|(?<=before ))now"
_UNIT_HEADS = heads("day", "week", "month", "quarter", "year", "decade", "centur")
_NEAR = heads(*_STEPS, "preceding", "following")
_COARSENESS: tuple[str, ...] = ("day", "week", "fortnight", "month", "quarter", "year", "decade", "century")
_STOP = r"(?=\s*(?:[.,;:)?!]|$))"
_BEGINS = pattern(r"\b(?:starts?|begins?|ends?|expires?|opens?|closes?|due|expected|again|back|leaves?|arrives?) $")
_AWAY = r"(?P<way>ago|earlier|later|before\s+now|hence|from\s+now|from\s+today)\b"

RULES = (
    Rule(
        rf"(?P<twice>day\s+(?:before|after)\s+(?=yest|tom))?(?P<word>today|tonight|yesterday|tomorrow|{_NOW})\b(?!['’]s)",
        heads("day", *_DAY_WORDS),
        _day_word,
        "relative",
    ),
    Rule(r"(?P<which>this|last)\s+(?:morning|afternoon|evening|night)\b", _NEAR, _part_of_day, "relative"),
    Rule(rf"{UNIT}\s+before\s+last\b", heads("week", "month", "quarter", "year", "decade"), _before_last, "relative"),
    Rule(rf"(?<!half )(?P<n>{CARDINAL})\s+{UNIT}\s+{_AWAY}", CARDINAL_HEADS, _ago, "relative"),
    Rule(
        rf"(?P<which>last|past|previous|preceding|next|coming|following)\s+(?P<n>{CARDINAL})\s+{UNIT}{_ALONE}",
        _NEAR,
        _some_units,
        "relative",
    ),
    Rule(rf"(?P<which>this|last|past|previous|current|next|coming)\s+{UNIT}{_ALONE}", _NEAR, _near_unit, "relative"),
    Rule(rf"(?<=the )(?P<which>following|preceding)\s+{UNIT}{_ALONE}", _NEAR, _beside, "relative"),
    Rule(rf"(?<=the ){UNIT}\s+(?P<side>before|after){_STOP}", _UNIT_HEADS, _beside, "relative"),
    Rule(rf"(?P<n>{CARDINAL})\s+{UNIT}\s+(?P<side>before|after){_STOP}", CARDINAL_HEADS, _beside, "relative"),
    Rule(rf"in\s+(?P<n>{CARDINAL})\s+{UNIT}{_STOP}", heads("in"), _ahead, "relative"),
)
