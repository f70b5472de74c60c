"""Stretches told by their length and one end: `three years from 15 March 2012`, `the year ended 31 March 1996`."""

import re
from dataclasses import replace
from datetime import timedelta

from app.core.timespan import TimeSpan
from retrieval.temporal.found import Found
from retrieval.temporal.numerals import CARDINAL, cardinal_value
from retrieval.temporal.relative import UNIT, moved, unit_around, unit_named
from retrieval.temporal.words import spaced

_WINDOW = 48
_LENGTH = re.compile(
    spaced(
        rf"\b(?:(?P<n>{CARDINAL}) )?{UNIT} "
        r"(?:(?P<ahead>(?:from|beginning|starting|commencing)(?: on| in)?)|(?P<back>ended|ending)(?: on| in)?) "
    )
    + "$",
    re.IGNORECASE,
)
_JOINTS = frozenset({"from", "beginning", "starting", "commencing", "ended", "ending"})
_ONE_DAY = timedelta(days=1)


def with_length(text: str, time: Found) -> Found:
    """Return the stretch that ends or begins with a time, or the time itself where no length stands before it."""
    if time.span is None or time.form not in ("number", "calendar", "relative", "yearless"):
        return time
    match = _length_before(text, time.start)
    if match is None or (match["n"] is None and match["ahead"] is not None):
        return time
    try:
        span = _stretch(match, time.span)
    except (ValueError, OverflowError):
        return replace(time, start=match.start(), span=None)
    return time if span is None else Found(start=match.start(), end=time.end, span=span, form="range")


def _length_before(text: str, position: int) -> re.Match[str] | None:
    """Return the length that ends at a position; it is looked for only behind a word that ends one."""
    start = max(0, position - _WINDOW)
    *further, last = text[start:position].lower().split()[-2:] or [""]
    ends = last in _JOINTS or (last in ("on", "in") and not _JOINTS.isdisjoint(further))
    return _LENGTH.search(text, start, position) if ends else None


def _stretch(match: re.Match[str], span: TimeSpan) -> TimeSpan | None:
    unit = unit_named(match["unit"])
    count = cardinal_value(match["n"]) if match["n"] else 1
    if match["ahead"] is not None and span.start is not None:
        start, end = span.start, moved(span.start, unit, count) - _ONE_DAY
    elif match["back"] is not None and span.end is not None:
        start, end = moved(span.end + _ONE_DAY, unit, -count), span.end
    else:
        return None
    granularity = unit_around(start, unit).granularity
    return TimeSpan(start=start, end=end, granularity=granularity, approximate=span.approximate)
