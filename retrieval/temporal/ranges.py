"""Ranges in text: two times joined by `to`, `until`, a dash, or `and` after `between`; the first may lack its year."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import get_args

from app.core.timespan import Granularity, TimeSpan
from retrieval.temporal.found import Found
from retrieval.temporal.months import MONTH, SEASON
from retrieval.temporal.numerals import ORDINAL

_WINDOW = 48
_FINEST_FIRST: tuple[Granularity, ...] = get_args(Granularity)
_OPEN_WORDS = r"(?:the\s+)?(?:present(?:\s+day)?|today|date|now|this\s+day)\b"
_JOINT = re.compile(
    r"(?:\s*(?P<dash>[-–—/])\s*|,?\s+(?P<word>to|until|till|through|thru|up\s+to|and|up\s+until)\s+)"
    r"(?:the\s+)?(?:year\s+|end\s+of\s+)?",
    re.IGNORECASE,
)
_OPENER = re.compile(r"\b(?P<word>from|between)\s+(?:about\s+|around\s+)?(?:the\s+)?(?:years?\s+)?$", re.IGNORECASE)
_TO_NOW = re.compile(rf"(?:\s*[-–—]\s*|\s+(?:to|until|till|through|up\s+to|and)\s+){_OPEN_WORDS}", re.IGNORECASE)
# what may stand before a joint and borrow its year, and its month, from the time behind
_HALF_TOLD = re.compile(
    rf"(?:(?P<day>\b\d\d?(?:st|nd|rd|th)?)|(?P<rest>(?:\b\d\d?(?:st|nd|rd|th)?\s+(?:of\s+)?)?\b{MONTH}(?:\s+\d\d?)?"
    rf"|\bQ[1-4]|\b{SEASON})|(?P<century>\b{ORDINAL}))$",
    re.IGNORECASE,
)
_LAST_YEAR = re.compile(r"\d{4}\b")
_MONTH_AND_ON = re.compile(rf"\b{MONTH}.*$", re.IGNORECASE | re.DOTALL)


def joined(
    text: str, times: list[Found], read_one: Callable[[str], TimeSpan | None], *, coarse: bool = False
) -> list[Found]:
    """Return the times with neighbours joined to ranges, in order; `read_one` reads a time written out.

    A `coarse` range has the granularity of its coarser end, another that of its finer.
    """
    result: list[Found] = []
    for time in _with_half_told(text, times, read_one):
        last = result[-1] if result else None
        both = _both(text, last, time, coarse=coarse) if last is not None else None
        if both is not None:
            result[-1] = both
        else:
            result.append(_to_now(text, _opened(text, time)))
    return result


def _both(text: str, first: Found, second: Found, *, coarse: bool) -> Found | None:
    """Return the range from the first time to the second, None where they are not joined."""
    joint = _JOINT.fullmatch(text, first.end, second.start)
    if joint is None or "range" in (first.form, second.form):
        return None
    opener = _OPENER.search(text, max(0, first.start - _WINDOW), first.start)
    word = opener["word"].lower() if opener else ""
    if (joint["word"] or "").lower() == "and" and word != "between":
        return None
    start = opener.start() if opener else first.start
    if first.span is None or second.span is None:  # from 44 BC to AD 14
        return Found(start=start, end=second.end, span=None, form="range")
    return _range(start, second.end, (first.span, second.span), coarse=coarse)


def _range(start: int, end: int, ends: tuple[TimeSpan, TimeSpan], *, coarse: bool) -> Found:
    first, second = ends
    if first.start is None or second.end is None or first.start > second.end:
        return Found(start=start, end=end, span=None, form="reversed")
    span = TimeSpan(
        start=first.start,
        end=second.end,
        granularity=(max if coarse else min)(first.granularity, second.granularity, key=_FINEST_FIRST.index),
        approximate=first.approximate or second.approximate,
    )
    return Found(start=start, end=end, span=span, form="range")


def _opened(text: str, time: Found) -> Found:
    """Return a range that one rule has read with the `from` or `between` before it."""
    if time.form != "range":
        return time
    opener = _OPENER.search(text, max(0, time.start - _WINDOW), time.start)
    return replace(time, start=opener.start()) if opener else time


def _to_now(text: str, time: Found) -> Found:
    """Return `1990 to the present` as what is open at its end."""
    joint = _TO_NOW.match(text, time.end)
    if joint is None or time.span is None or time.span.start is None or time.form in ("range", "relative", "yearless"):
        return time
    opener = _OPENER.search(text, max(0, time.start - _WINDOW), time.start)
    start = opener.start() if opener else time.start
    return Found(start=start, end=joint.end(), span=replace(time.span, end=None), form="open")


def _with_half_told(text: str, times: list[Found], read_one: Callable[[str], TimeSpan | None]) -> list[Found]:
    """Return the times with those that borrow, `May` of `May to July 1968`, in place of what was read of them alone."""
    result: list[Found] = []
    for time in times:
        half = _half_told(text, time, read_one)
        if half is not None:
            result = [one for one in result if one.end <= half.start]
            result.append(half)
        result.append(time)
    return result


def _half_told(text: str, time: Found, read_one: Callable[[str], TimeSpan | None]) -> Found | None:
    words = text[time.start : time.end]
    year = _LAST_YEAR.findall(words)
    if time.span is None or time.form != "calendar" or not (year or time.span.granularity == "century"):
        return None
    before = text[max(0, time.start - _WINDOW) : time.start]
    joint = re.search(_JOINT.pattern + "$", before, re.IGNORECASE)
    half = _HALF_TOLD.search(before, 0, joint.start()) if joint else None
    if joint is None or half is None:
        return None
    is_day_alone = half["day"] is not None and (joint["word"] or "").lower() == "and"
    if is_day_alone and _OPENER.search(before, 0, half.start()) is None:
        return None
    told = written_out(half, words, year[-1] if year else "")
    span = read_one(told) if told else None
    if span is None or span.granularity != time.span.granularity:
        return None
    if span.start and time.span.start and span.start > time.span.start and year:  # "November to February 2010"
        span = read_one(told.replace(year[-1], str(int(year[-1]) - 1).zfill(4))) or span
    offset = time.start - len(before)
    return Found(start=offset + half.start(), end=offset + half.end(), span=span, form="calendar")


def written_out(match: re.Match[str], words: str, year: str) -> str:
    """Return a `day`, `rest` or `century` with what the `words` of the time behind it lend; '' for nothing."""
    half = match.groupdict()
    if half.get("century"):
        return f"{half['century']} century" if "centur" in words.lower() else ""
    if half["day"]:
        month_and_on = _MONTH_AND_ON.search(words)
        return f"{half['day']} {month_and_on[0]}" if month_and_on else ""
    return f"{half['rest']} {year}"
