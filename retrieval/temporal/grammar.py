"""The grammar of times in English text: dates, ranges, open ends, parts of years, times told from a day.

Readings that a house style must choose: 03/04/2021 is both days unless `day_first` says which; a fiscal year is that of
the United States; winter 2003 begins in December 2003; 2010-11 with a hyphen are the years, which hold the month.
"""

from dataclasses import replace
from datetime import date

from app.core.timespan import TimeSpan
from retrieval.temporal import days, other_calendars, recurring, relative, units, years
from retrieval.temporal.cues import cue_of, satisfying
from retrieval.temporal.found import Found, Scanner, Setting
from retrieval.temporal.parts import with_part
from retrieval.temporal.ranges import joined

_SCANNER = Scanner((*other_calendars.RULES, *days.RULES, *units.RULES, *years.RULES, *relative.RULES, *recurring.RULES))
_OPEN = frozenset({"before", "after", "since", "until"})


def read_times(text: str, *, today: date | None, day_first: bool | None = None) -> list[Found]:
    """Return the times of a text in order, with the words that leave an end open: `until 2009`, `1990 to date`.

    No two share a character. Times told from a day are read only if `today` is given.
    """
    return apart([_with_open_end(text, found) for found in named_times(text, today=today, day_first=day_first)])


def named_times(text: str, *, today: date | None, day_first: bool | None = None) -> list[Found]:
    """Return the times that a text names, without the words around them that bound: 2009 for `until 2009`."""
    return times_in(text, Setting(today=today, day_first=day_first))


def times_in(text: str, setting: Setting) -> list[Found]:
    """Return the times that a text names, read in the setting of a question or a passage."""
    times = [with_part(found, text, in_passage=setting.in_passage) for found in _SCANNER.scan(text, setting)]
    return apart(joined(text, apart(times), lambda words: _read_one(words, setting), coarse=setting.in_passage))


def apart(times: list[Found]) -> list[Found]:
    """Return the times without the words that the one before has taken: `AD` of `2010 AD 5`."""
    result: list[Found] = []
    for time in times:
        start = max(time.start, result[-1].end) if result else time.start
        if start < time.end:
            result.append(time if start == time.start else replace(time, start=start))
    return result


def _read_one(words: str, setting: Setting) -> TimeSpan | None:
    found = _SCANNER.scan(words, setting)
    whole = len(found) == 1 and (found[0].start, found[0].end) == (0, len(words))
    return found[0].span if whole else None


def _with_open_end(text: str, found: Found) -> Found:
    if found.span is None or found.form not in ("number", "calendar", "relative", "yearless"):
        return found
    cue = cue_of(text, found.start, found.end)
    if cue is None or cue.relation not in _OPEN:
        return found
    span = satisfying(cue.relation, found.span)
    return replace(found, start=cue.start, end=cue.end, span=span, form="open")
