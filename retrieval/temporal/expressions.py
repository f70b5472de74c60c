"""Times out of the text of a passage: which days are meant, where it says so, and what each time is for.

The grammar is that of questions (`grammar`), read in the setting of a passage: times also count from the one named
last, numbers need a word that makes them years, what stands once in a list is shared. No model is asked and no clock:
relative times count from the day of publication, and without one they are not read.
"""

import re
from dataclasses import dataclass

from app.core.timespan import Role, TimeMention, TimeSpan
from retrieval.temporal.found import Found, Setting
from retrieval.temporal.grammar import apart, times_in
from retrieval.temporal.lengths import with_length
from retrieval.temporal.lists import with_items
from retrieval.temporal.lives import life_of
from retrieval.temporal.months import MONTH, MONTH_IN_FULL, WEEKDAY
from retrieval.temporal.openings import with_open_end
from retrieval.temporal.roles import role_of

VERSION = 2  # raised when the same text would be read otherwise, so that unchanged files are read again
_LOOKALIKES = str.maketrans({0x2010: "-", 0x2011: "-", 0x2012: "–", 0x2015: "—", 0x2212: "–", 0xA0: " ", 0x202F: " "})
_NO_PART = re.compile(rf"(?:the\s+)?years?\s+(?=[\d'’])|{WEEKDAY},?\s+(?:the\s+)?(?=\d|{MONTH})", re.IGNORECASE)
_STOP = re.compile(rf"{MONTH_IN_FULL}\.$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expressions:
    """The times of a text in order, no two of which share a character.

    `impossible` counts times that no span can hold: 30 February, 44 BC, the year 10000, a range from late to early.
    """

    mentions: tuple[TimeMention, ...]
    impossible: int = 0


def read_expressions(text: str, *, published: TimeSpan | None, day_first: bool | None = None) -> Expressions:
    """Return the times of a text; of 03/04/2021 both days and all between them, unless `day_first` says which.

    Relative times are read where `published` is one day. Takes time linear in the text, and never fails.
    """
    today = published.start if published is not None and published.days == 1 else None
    plain = (text if text.isascii() else text.translate(_LOOKALIKES)).replace("--", "– ")  # of one length
    setting = Setting(today=today, day_first=day_first, in_passage=True)
    times = _times(plain, setting)
    mentions = []
    floor = 0
    for time in times:
        if time.span is not None:
            mentions += _mentions(plain, time, time.span, setting, floor=floor)
        floor = time.end
    return Expressions(mentions=tuple(mentions), impossible=sum(time.span is None for time in times))


def _times(text: str, setting: Setting) -> list[Found]:
    times = times_in(text, setting)
    if not times:
        return times
    times = with_items(text, times, lambda words: _read_one(words, setting))
    return apart([with_open_end(text, with_length(text, time)) for time in times])


def _read_one(words: str, setting: Setting) -> TimeSpan | None:
    found = times_in(words, setting)
    whole = len(found) == 1 and (found[0].start, found[0].end) == (0, len(words))
    return found[0].span if whole else None


def _mentions(text: str, time: Found, span: TimeSpan, setting: Setting, *, floor: int) -> list[TimeMention]:
    life = life_of(text, time, lambda words: _read_one(words, setting))
    if life is not None:
        roles: tuple[Role, Role] = ("birth", "death")
        return [_mention(text, end, day, role) for (end, day), role in zip(life, roles, strict=True)]
    return [_mention(text, time, span, role_of(text, time, floor=floor))]


def _mention(text: str, time: Found, span: TimeSpan, role: Role) -> TimeMention:
    """Return the mention without words that do not change the span: the weekday, `year`, the stop of the sentence."""
    lead = _NO_PART.match(text, time.start, time.end)
    stop = _STOP.search(text, time.start, time.end)
    start = lead.end() if lead else time.start
    return TimeMention(span=span, start=start, end=time.end - 1 if stop else time.end, role=role)
