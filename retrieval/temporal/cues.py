"""The words before and behind a time that say how it bounds: `before`, `since`, `no later than`, `onwards`."""

from dataclasses import dataclass
from datetime import date, timedelta

from app.core.timespan import Relation, TimeSpan
from retrieval.temporal.words import pattern

_WINDOW = 64  # characters in which such words stand
_IN_THE_YEARS = r"(?:in the (?:\w+ )?(?:years|months|weeks|days|time|run-up) )?"
_WORDS: tuple[tuple[Relation, str], ...] = (
    ("until", r"(?:no|not) later than|at the latest (?:by|in|on)|(?:on|in|at) or before|not after"),
    ("since", r"(?:no|not) earlier than|not before|(?:on|in|at) or after|ever since|since|as from|with effect from"),
    ("since", r"(?:starting|beginning|commencing|effective)(?: (?:in|on|from|with|at))?"),
    ("before", rf"prior to|(?:earlier|older) than|ahead of|{_IN_THE_YEARS}(?:before|preceding|leading up to)|pre-"),
    ("after", r"subsequent to|(?:later|newer|younger|more recent) than|past|beyond|post-"),
    ("after", rf"{_IN_THE_YEARS}(?:after|following)"),
    ("until", r"up until|up to(?: and including)?|until|till|['’]til|(?:through|thru)(?: to)?|ending (?:in|on)|by"),
    ("as_of", r"as (?:of|at|on)|as (?:\w+ ){1,3}(?:stood|was|were|existed|applied) (?:in|on|at|as of)"),
    ("during", r"as (?:early|late|recently|far back) as|all through|throughout|during|within|over|back to"),
    ("during", r"in|on|at|for|of|from"),
)
_UNIT = r"years?|period|months?|days?|date|season|decade|course|night|morning|evening|afternoon|summer|quarter"
_FILLER = (
    r"(?:at least )?(?:the )?(?:(?:whole|entire|calendar|end|all) (?:of )?(?:the )?)?"
    rf"(?:(?:{_UNIT}) (?:of |in )?)?(?:the )?"
)
_BEFORE = pattern(
    r"(?<![\w-])(?:(?:ever|(?:way )?back|some ?time|(?:at )?any ?time) )?(?:"
    + "|".join(f"(?P<r{number}>{words})" for number, (_, words) in enumerate(_WORDS))
    + rf")(?:(?<=-)| ){_FILLER}$"
)
_STOPS = r"(?=\s*(?:[?.!,;)]|$))"
_ONWARDS = pattern(
    rf",?\s*(?:(?:and )?onwards?|forwards?|(?:and|or) (?:later|thereafter|(?:after|since|beyond){_STOPS})|(?P<on>on))"
    r"(?![\w-])(?! the\b)"
)
_BACKWARDS = pattern(rf" (?:or|and) (?:earlier|before{_STOPS})")
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cue:
    """The words of a bound: from `start` up to the time, or on to `end` behind it; `word` is the first before it."""

    relation: Relation
    word: str
    start: int
    end: int


def cue_of(text: str, start: int, end: int) -> Cue | None:
    """Return the bound that stands around a time from `start` to `end`, None for a bare one."""
    before = _BEFORE.search(text, max(0, start - _WINDOW), start)
    word = before[0].split()[0].lower() if before else ""
    first = before.start() if before else start
    behind = _ONWARDS.match(text, end)
    if behind is not None and (behind["on"] is None or word == "from"):
        return Cue("since", word or "onwards", first, behind.end())
    backwards = _BACKWARDS.match(text, end)
    if backwards is not None:
        return Cue("until", word or "before", first, backwards.end())
    if before is None:
        return None
    return Cue(_WORDS[int((before.lastgroup or "r0")[1:])][0], word, first, end)


def satisfying(relation: Relation, span: TimeSpan) -> TimeSpan | None:
    """Return the days that satisfy a bound by a time: those of `after 2001` begin with 2002; None where there are none.

    Any other relation is satisfied by the time itself.
    """
    start, end = span.start, span.end
    match relation:
        case "before":
            start, end = None, _moved(start, -_ONE_DAY)
        case "after":
            start, end = _moved(end, _ONE_DAY), None
        case "since":
            end = None
        case "until":
            start = None
        case _:
            return span
    if start is None and end is None:
        return None
    return TimeSpan(start=start, end=end, granularity=span.granularity, approximate=span.approximate)


def _moved(day: date | None, by: timedelta) -> date | None:
    """Return the day before or after another, None beyond the first and the last there is."""
    if day is None or day == (date.min if by < timedelta(0) else date.max):
        return None
    return day + by
