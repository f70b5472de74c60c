"""What a question demands of time, by rules: a relation, the time or the event it refers to, the words that say so.

First the times that the text names and the words around them, then events that bound, then words of order, which take
what bounds as their window, then words for today. The span is the time named: "before 2010" names 2010. Of a window,
and where two bounds meet, it is what satisfies them; of `current`, the day of asking. No model is asked; a question
takes less than a millisecond.
"""

import re
from dataclasses import dataclass, replace
from datetime import date

from app.core.errors import InvalidQuestion
from app.core.run import Run
from app.core.timespan import Relation, TimeConstraint, TimeSpan
from retrieval.temporal.anchors import Anchor, anchors_in
from retrieval.temporal.bounds import Bound, both_sides, bounds_in, chief_of, is_attribute, is_today
from retrieval.temporal.cues import satisfying
from retrieval.temporal.current import current_in
from retrieval.temporal.found import Found
from retrieval.temporal.grammar import named_times
from retrieval.temporal.order import Order, order_in
from retrieval.temporal.spelling import Mended
from retrieval.temporal.words import pattern

_TITLE = re.compile(r"\"[^\"]+\"|“[^”]+”|«[^»]+»|„[^“”]+[“”]")
_GAPS = tuple(
    (re.compile(gap), closed)
    for gap, closed in ((r"\s+['’]s\b", " "), (r"\s+", " "), (r"\s(?=[?.!,;])", ""), (r",(?=[?.!,;])", ""))
)
_FILLER = pattern(r"(?:(?:the|about|around|year|years|month|day|date|of|in) )*")
_WITH_ITS_YEAR: dict[Relation, Relation] = {"after": "since", "before": "until"}
_EDGES = " ,;:-–—"


class ContradictoryTime(InvalidQuestion, ValueError):
    """No day satisfies both bounds of a question; the message names them."""

    code = "contradictory_time"


@dataclass(frozen=True, slots=True)
class _Reading:
    """A constraint by its places in the mended text; `start` to `end` is the surface, half-open."""

    relation: Relation
    start: int
    end: int
    span: TimeSpan | None = None
    event_start: int | None = None  # of the anchor, which ends with the surface
    ordinal: int | None = None


class RuleTimeReader:
    """Reads constraints by rules; implements TimeReader.

    `day_first` says how 03/04/2021 is meant; unless it is given, both days and all between them are.
    """

    def __init__(self, *, day_first: bool | None = None) -> None:
        self._day_first = day_first

    def read(self, text: str, *, asked_on: date, run: Run) -> TimeConstraint | None:
        """Return the constraint, or None when the text has none; relative times count from `asked_on`.

        Raises:
            ContradictoryTime: two bounds, or a range from late to early, that no day satisfies.
            Cancelled: the caller stopped the work.
            BudgetExhausted: the deadline passed.
        """
        run.check()
        mended = Mended(_without_titles(text))
        reading = _read(mended.text, asked_on, self._day_first)
        return None if reading is None else _constraint(text, mended, reading)


def _read(text: str, asked_on: date, day_first: bool | None) -> _Reading | None:
    times = named_times(text, today=asked_on, day_first=day_first)
    for time in times:
        if time.form == "reversed":
            raise ContradictoryTime(f"'{text[time.start : time.end]}' ends before it begins; turn its ends round")
    anchor = next((one for one in anchors_in(text) if not _is_time(text, one, times)), None)
    bounded = _bounded(text, bounds_in(text, times, asked_on), anchor)
    taken = [(time.start, time.end) for time in times if not is_today(text, time)]
    if bounded is not None:
        order = order_in(text, [*taken, (bounded.start, bounded.end)])
        return bounded if order is None else _window(bounded, order)
    order, current = order_in(text, taken), current_in(text, taken)
    if current is not None and (order is None or (order.relation != "last" and current.is_adverb)):
        return _Reading("current", current.start, current.end, span=TimeSpan(start=asked_on, end=asked_on))
    return None if order is None else _Reading(order.relation, order.start, order.end, ordinal=order.ordinal)


def _is_time(text: str, anchor: Anchor, times: list[Found]) -> bool:
    """Tell whether the words of an anchor are a time and no event: `before 1990`, not `before the 1990 election`."""
    event = anchor.event_start
    for time in times:
        begins = time.start >= event and _FILLER.fullmatch(text, event, time.start) is not None
        if time.start < event < time.end or (begins and not is_attribute(text, time)):
            return True
    return False


def _bounded(text: str, bounds: list[Bound], anchor: Anchor | None) -> _Reading | None:
    """Return what bounds a question in time, None where only words of order or for today may."""
    both = both_sides(text, bounds)
    if both is not None:
        return _meeting(text, *both)
    bound = chief_of(text, bounds)
    if anchor is not None and (bound is None or _belongs(bound, anchor)):
        if bound is not None and _tells_date(bound, anchor):
            return _Reading(anchor.relation, anchor.start, bound.end, span=bound.span, event_start=anchor.event_start)
        return _Reading(anchor.relation, anchor.start, anchor.end, event_start=anchor.event_start)
    return None if bound is None else _Reading(bound.relation, bound.start, bound.end, span=bound.span)


def _belongs(bound: Bound, anchor: Anchor) -> bool:
    """Tell whether a time only tells which event is meant: `before the 2008 crisis`, not `when he died in 2008`."""
    return anchor.event_start <= bound.start < anchor.end and anchor.relation != "during"


def _tells_date(bound: Bound, anchor: Anchor) -> bool:
    """Tell whether a time ends the words of an event and is its own: `until her death in 1947`."""
    return bound.word in ("in", "on") and bound.relation == "during" and (anchor.start == 0 or bound.end == anchor.end)


def _meeting(text: str, one: Bound, other: Bound) -> _Reading:
    first, second = satisfying(one.relation, one.span), satisfying(other.relation, other.span)
    span = first.intersection(second) if first is not None and second is not None else None
    if span is None:
        words = (text[bound.start : bound.end] for bound in (one, other))
        raise ContradictoryTime("no day is both '{}' and '{}'; leave one of them out".format(*words))
    return _Reading("between", one.start, other.end, span=span)


def _window(bounded: _Reading, order: Order) -> _Reading:
    """Return the word of order with what bounds as its window; an event in a year leaves the rest of the year in it."""
    relation = bounded.relation
    if bounded.event_start is not None:
        relation = _WITH_ITS_YEAR.get(relation, relation)
    span = satisfying(relation, bounded.span) if bounded.span is not None else None
    return replace(bounded, relation=order.relation, ordinal=order.ordinal, span=span)


def _without_titles(text: str) -> str:
    """Return the text with what stands in quotation marks struck out, and no longer all in capitals; of one length."""
    lower = text.lower()
    if text.isupper() and len(lower) == len(text):
        text = lower
    return _TITLE.sub(lambda title: "_" * len(title[0]), text)


def _constraint(text: str, mended: Mended, reading: _Reading) -> TimeConstraint:
    start, end = mended.where(reading.start), mended.where(reading.end)
    anchor = None if reading.event_start is None else text[mended.where(reading.event_start) : end]
    return TimeConstraint(
        relation=reading.relation,
        span=reading.span,
        anchor=anchor,
        ordinal=reading.ordinal,
        surface=text[start:end],
        rest=_rest(text, start, end),
    )


def _rest(text: str, start: int, end: int) -> str:
    """Return the question without its surface, without the gaps it leaves; a capital stays at the head."""
    rest = f"{text[:start]} {text[end:]}"
    for gap, closed in _GAPS:
        rest = gap.sub(closed, rest)
    rest = rest.strip(_EDGES)
    return rest[:1].upper() + rest[1:] if text[:1].isupper() else rest
