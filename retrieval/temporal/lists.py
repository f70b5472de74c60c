"""Times of a list that share what stands once: `4 and 9 May 2011`, `in March and again in December 1990`."""

import re
from collections.abc import Callable, Iterator

from app.core.timespan import TimeSpan
from retrieval.temporal.found import Found
from retrieval.temporal.months import MONTH
from retrieval.temporal.numerals import ORDINAL
from retrieval.temporal.ranges import written_out

_WINDOW = 40
_AND = r"(?:\s?,\s*|\s?,?\s+(?:and|or)(?:\s+(?:again|then|also|later))?(?:\s+(?:in|on))?(?:\s+the)?\s+)$"
_ITEM = re.compile(rf"(?<![\w,.])(?:(?P<day>\d\d?(?:st|nd|rd|th)?)|(?P<rest>{MONTH}|Q[1-4])){_AND}", re.IGNORECASE)
_CENTURY = re.compile(rf"(?<![\w,.])(?P<century>{ORDINAL}){_AND}", re.IGNORECASE)
_YEAR = re.compile(r"\d{4}\b")
_DAY = re.compile(r"\d\d?(?:st|nd|rd|th)?\b")


def with_items(text: str, times: list[Found], read_one: Callable[[str], TimeSpan | None]) -> list[Found]:
    """Return the times with the items that borrow from the time behind them, in place of what these were read as."""
    result: list[Found] = []
    for time in times:
        items = list(_items(text, time, read_one))[::-1]
        if items:
            result = [one for one in result if one.end <= items[0].start]
        result += [*items, time]
    return result


def _items(text: str, time: Found, read_one: Callable[[str], TimeSpan | None]) -> Iterator[Found]:
    """Yield the items that stand before a time, from right to left."""
    if time.span is None or time.form not in ("calendar", "yearless"):
        return
    is_century = time.span.granularity == "century"
    pattern = _CENTURY if is_century else _ITEM
    words = text[time.start : time.end]
    years = _YEAR.findall(words)
    position = time.start
    while (item := pattern.search(text, max(0, position - _WINDOW), position)) is not None:
        if not is_century and item["day"] and not _DAY.match(words):
            return
        told = written_out(item, words, years[-1] if years else "")
        span = read_one(told) if told and (years or is_century) else None
        if span is None or span.granularity != time.span.granularity:
            return
        position = item.start()
        yield Found(start=position, end=item.end(item.lastgroup or 0), span=span, form="calendar")
