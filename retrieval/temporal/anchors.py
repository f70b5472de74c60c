"""Events in a question whose date must be looked up first: `before he became minister`, `during the occupation`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.core.timespan import Relation
from retrieval.temporal.dated import CUES, Place
from retrieval.temporal.numerals import CARDINAL
from retrieval.temporal.tense import tense_of
from retrieval.temporal.words import pattern

# what may stand before a cue and belongs to it: "shortly after", "two years before"
_LEAD = (
    r"(?P<lead>(?:shortly|soon|right|just|immediately|directly|even|ever|not long|long) "
    rf"|(?:the (?:very )?|{CARDINAL} )(?:days?|weeks?|months?|years?|decades?) (?=before|after|following|prior))?"
)
_ANY_CUE = "|".join(f"(?P<r{number}>{words})" for number, (_, words, _holds) in enumerate(CUES))
_CUE = pattern(rf"(?<![\w'’-]){_LEAD}(?:{_ANY_CUE})(?![\w-])")
_OPENING = re.compile(r"(?:^|[.,:;?!]\s+)$")
# a stop ends it, but not that of an initial or a title: James E. Webb, St. Louis
_END = re.compile(r"[,;?!]|(?<!\b[A-Z])(?<!\b(?:St|Dr|Mr|Ms|Mt))(?<!\bMrs)\.(?=\s|$)|\s[-–—]\s|$")
_INVERSION = pattern(
    r"\s(?=(?:who|what|which|where|how|why|whom|whose)\b|(?:did|was|were|had|has|have|is|are|does|do) )"
)
_ASKS = pattern(r"\W*(?:who|what|which|where|when|why|how|whose)\b")


@dataclass(frozen=True, slots=True)
class Anchor:
    """An event that a question counts from; `start` to `end` are the words with its preposition, half-open."""

    relation: Relation
    start: int
    event_start: int
    end: int


def anchors_in(text: str) -> Iterator[Anchor]:
    """Yield the events that bound a question, from left to right."""
    for match in _CUE.finditer(text):
        relation, _, holds = CUES[int((match.lastgroup or "r0")[1:])]
        anchor = _anchor(text, match, relation)
        if anchor is not None and holds(_place(text, anchor)):
            yield anchor


def _anchor(text: str, match: re.Match[str], relation: Relation) -> Anchor | None:
    """Return where the event's words end: at the next comma, or where the question begins if it has not yet begun."""
    cue_start = match.start(match.lastgroup or 0)
    if text[cue_start].isupper() and _OPENING.search(text, max(0, cue_start - 8), cue_start) is None:
        return None  # inside of a title
    start = match.start() if match["lead"] else cue_start
    end_match = _END.search(text, match.end())
    end = end_match.start() if end_match else len(text)
    if not text[:start].strip() and (end_match is None or end_match[0] != ","):
        inversion = _INVERSION.search(text, match.end(), end)
        end = inversion.start() if inversion else end
    event = text[match.end() : end]
    event_start = end - len(event.lstrip())
    end -= len(event) - len(event.rstrip())
    return Anchor(relation, start, event_start, end) if event_start < end else None


def _place(text: str, anchor: Anchor) -> Place:
    before, event, after = text[: anchor.start], text[anchor.event_start : anchor.end], text[anchor.end :]
    return Place(
        before=before,
        cue=" ".join(text[anchor.start : anchor.event_start].lower().split()),
        event=event,
        main=tense_of(f"{before}, {after}"),
        tense=tense_of(event),
        asks=_ASKS.match(text if before.strip() else after.lstrip(" ,")) is not None,
    )
