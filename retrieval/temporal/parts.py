"""Parts of a named time, told before it: `early 1990s`, `the first half of 2015`, `the end of March 2014`, `circa`."""

import re
from calendar import monthrange
from dataclasses import replace
from datetime import date

from app.core.timespan import TimeSpan
from retrieval.temporal.found import Found
from retrieval.temporal.numerals import ORDINAL, ordinal_value
from retrieval.temporal.other_calendars import BEFORE_CHRIST, CHRISTIAN, OTHER_CALENDAR, OTHER_YEAR
from retrieval.temporal.units import half_of
from retrieval.temporal.words import pattern

_WINDOW = 48  # characters in which a part is told
_THIRD = pattern(
    r"\b(?P<third>early|mid|middle|late)(?: (?:part|years|days|months) of| in)?[\s-]+(?:the )?$"
    r"|\b(?P<stretch>beginning|start|middle|end|close) of (?:the )?(?:year )?$"
    r"|\b(?P<close>year[\s-]?end|end)[\s-]+$"
)
_FRACTION = pattern(
    rf"\b(?P<n>{ORDINAL}|last|latter|final) (?P<of>half|quarter)(?: of)? (?:the )?(?:year )?$",
)
_ABOUT = pattern(r"(?:\b(?:circa|about|around|approximately|roughly|ca?\.)\s*|~\s?)(?:the )?(?:years? )?$")
_IS_UNIT = pattern(r"(?:this|last|next|today|tomorrow|yesterday|tonight)\b")  # "excited about this week"
_THIRDS = {"early": 0, "beginning": 0, "start": 0, "mid": 1, "middle": 1, "late": 2, "end": 2, "close": 2}
_YEARS_OF_THIRDS = {"decade": ((0, 3), (4, 6), (7, 9)), "century": ((0, 32), (33, 65), (66, 99))}
_YEARS_IN_PASSAGE = {"decade": ((0, 3), (4, 6), (7, 9)), "century": ((0, 33), (34, 66), (67, 99))}
_DEADLINE = pattern(r"\bby (?:the )?(?:very )?$")
_MONTHS_OF_THIRDS = ((1, 4), (5, 8), (9, 12))
_DAYS_OF_THIRDS = ((1, 10), (11, 20), (21, 31))
_PARTS = {"half": 2, "quarter": 4}


def with_part(found: Found, text: str, *, in_passage: bool = False) -> Found:
    """Return the time with the era behind it and the words before it that make it less, vaguer or none.

    In a passage `the end of 2010` is its last third, but a day in `by the end of 2010`; in a question always a day.
    """
    found = _with_era(found, text)
    before = text[max(0, found.start - _WINDOW) : found.start]
    if found.span is None or found.form in ("reversed", "open") or not before:
        return found
    part = _part_told(before, found)
    if part is not None:
        span = _part(found.span, part, is_loose=in_passage and not _DEADLINE.search(before, 0, part.start()))
        if in_passage and span is not None:
            span = _in_passage(span, found.span)
        if span is not None:
            found = replace(found, start=found.start - len(before) + part.start(), span=span, form="calendar")
            before = text[max(0, found.start - _WINDOW) : found.start]
    about = _ABOUT.search(before)
    if about is not None and found.span is not None and not (in_passage and _IS_UNIT.match(text, found.start)):
        start = found.start - len(before) + about.start()
        return replace(found, start=start, span=replace(found.span, approximate=True))
    return found


def _part_told(before: str, found: Found) -> re.Match[str] | None:
    """Return the words of a part that end what stands before a time; fractions are rare and dear to look for."""
    words = before.lower()
    fraction = _FRACTION.search(before) if any(noun in words for noun in _PARTS) else None
    return fraction or (_THIRD.search(before) if found.form != "range" else None)


def _in_passage(part: TimeSpan, whole: TimeSpan) -> TimeSpan:
    """Return a part as a passage tells it: the last day of a year is as exact as a year, half a year as a quarter."""
    if part.days == 1:
        return replace(part, granularity=whole.granularity)
    return replace(part, granularity="quarter") if part.granularity == "month" and whole.granularity == "year" else part


def _with_era(found: Found, text: str) -> Found:
    outside = BEFORE_CHRIST.match(text, found.end) or OTHER_CALENDAR.match(text, found.end)
    if outside is not None:
        return replace(found, end=outside.end(), span=None)
    tells_year = found.form not in ("relative", "yearless")
    if tells_year and OTHER_YEAR.search(text, max(0, found.start - _WINDOW), found.start):
        return replace(found, span=None)
    inside = CHRISTIAN.match(text, found.end)
    return replace(found, end=inside.end()) if inside is not None else found


def _part(span: TimeSpan, part: re.Match[str], *, is_loose: bool) -> TimeSpan | None:
    words = part.groupdict()
    if words.get("n") is not None:
        return _fraction(span, words["n"].lower(), words["of"].lower())
    if words["third"] is not None:
        return _third(span, _THIRDS[words["third"].lower()], is_loose=is_loose)
    word = (words["stretch"] or "end").lower()
    is_loose = is_loose and words["close"] is None
    if is_loose or span.granularity in ("decade", "century") or word == "middle":
        return _third(span, _THIRDS[word], is_loose=is_loose)
    if span.granularity == "day" and words["close"] is not None:
        return None
    day = span.start if word in ("beginning", "start") else span.end
    return TimeSpan(start=day, end=day) if day is not None else None


def _third(span: TimeSpan, number: int, *, is_loose: bool) -> TimeSpan | None:
    if span.start is None or span.end is None:
        return None
    year, month = span.start.year, span.start.month
    match span.granularity:
        case "decade" | "century":
            first, last = (_YEARS_IN_PASSAGE if is_loose else _YEARS_OF_THIRDS)[span.granularity][number]
            start, end = date(year + first, 1, 1), date(year + last, 12, 31)
        case "year":
            first, last = _MONTHS_OF_THIRDS[number]
            start, end = date(year, first, 1), date(year, last, monthrange(year, last)[1])
        case "month":
            first, last = _DAYS_OF_THIRDS[number]
            start, end = date(year, month, first), date(year, month, min(last, span.end.day))
        case _:
            start, end = span.start, span.end
    return replace(span, start=start, end=end, approximate=True)


def _fraction(span: TimeSpan, number: str, part: str) -> TimeSpan | None:
    """Return a half or a quarter of a year, a decade or a century, None for what is none of these."""
    if span.start is None or span.end is None or span.granularity not in ("year", "decade", "century"):
        return None
    count = _PARTS[part]
    which = count if number in ("last", "latter", "final") else ordinal_value(number)
    if not 1 <= which <= count:
        return None
    year = span.start.year
    if span.start.month != 1 and part == "quarter":  # of a fiscal year
        month = span.start.month + 3 * (which - 1)
        quarter = TimeSpan.quarter(year + (month - 1) // 12, (month - 1) % 12 // 3 + 1)
        return replace(quarter, approximate=span.approximate)
    if span.granularity == "year":
        return half_of(year, which) if part == "half" else TimeSpan.quarter(year, which)
    years = (span.end.year - year + 1) / count
    first, after = year + round(years * (which - 1)), year + round(years * which)
    return replace(span, start=date(first, 1, 1), end=date(after - 1, 12, 31))
