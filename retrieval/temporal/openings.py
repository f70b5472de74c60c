"""Times of a passage with the words that leave an end open: `since 2009`, `from 1 May 2018`, `not before 2031`.

What only belongs to a noun, `after the 2008 crisis`, and what tells an origin, `a letter from 1861`, stay as they are.
"""

from dataclasses import replace

from app.core.timespan import Relation
from retrieval.temporal.bounds import is_attribute
from retrieval.temporal.cues import Cue, cue_of, satisfying
from retrieval.temporal.found import Found
from retrieval.temporal.tense import tense_of
from retrieval.temporal.words import pattern

_OPEN = frozenset({"before", "after", "since", "until"})
_POINTS = frozenset({"effective", "ending"})  # the day itself is named
_WHOLE = pattern(r"\b(?:whole|entire|all)\b")
_NOT_YET = pattern(r"\b(?:not|never|cannot|(?:wo|ca|do|does|did|is|was)n['’]t|unlikely)(?: \w+){0,4} $")
_ORIGIN = pattern(
    r"\b(?:dat(?:es?|ed|ing)(?: back)?|survives?|com(?:es?|ing)|"
    r"(?:an?|the|this|that|these|those|his|her|its|their|one|\w+['’]s) (?:\w+ )?(?!rate|rule|ban|law)\w+) $"
)
_TAKES_FROM = pattern(
    r"(?:^|[.,;:(]\s*|\b(?:apply|applies|valid|force|effect|runs?|ran|lasts?|held|available|office|there) )$"
)


def with_open_end(text: str, time: Found) -> Found:
    """Return the time with its open end and the words that say so, or as it is."""
    if time.span is None or time.form not in ("number", "calendar", "relative", "yearless"):
        return time
    cue = cue_of(text, time.start, time.end)
    if cue is None or (cue.end == time.end and is_attribute(text, time)):
        return time
    relation = _relation(text, time, cue)
    span = satisfying(relation, time.span) if relation in _OPEN else None
    return time if span is None else replace(time, start=cue.start, end=cue.end, span=span, form="open")


def _relation(text: str, time: Found, cue: Cue) -> Relation:
    words = text[cue.start : time.start]
    if cue.word in _POINTS or (cue.relation == "until" and cue.word in ("through", "thru") and _WHOLE.search(words)):
        return "during"
    if cue.relation == "before" and _NOT_YET.search(text, max(0, cue.start - 48), cue.start):
        return "since"
    if cue.word == "from" and cue.relation == "during":
        return "since" if _takes_effect(text, time, cue.start) else "during"
    return cue.relation


def _takes_effect(text: str, time: Found, position: int) -> bool:
    """Tell whether `from …` is the start of what goes on, and not where something comes from."""
    before = text[max(0, position - 48) : position]
    if _TAKES_FROM.search(before):
        return True
    if _ORIGIN.search(before):
        return False
    is_exact = time.span is not None and time.span.granularity in ("day", "month")
    return is_exact or tense_of(before.split()[-1] if before.split() else "") == "past"
