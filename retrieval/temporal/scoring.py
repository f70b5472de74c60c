"""How much the times of a text speak for it or against it: arithmetic on days, no order of events.

Odds are against a text that tells no time, so 1 is neutral. The best of a text's times counts. Who was first, last or
third is counted elsewhere, over verified notes: here only the window counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from app.core.allen import AllenRelation, allen_relation
from app.core.timespan import Relation, Role, TimeConstraint, TimeMention, TimeSpan
from app.core.types import Passage
from retrieval.temporal.fit import (
    MISSED,
    OPEN,
    SATISFIED,
    UNIT_DAYS,
    UNTOLD,
    Window,
    days_of,
    slack_of,
    window_of,
)

Mode = Literal["soft", "hard"]
Source = Literal["mention", "holds", "published"]

_ASIDE: frozenset[Role] = frozenset({"birth", "death", "comparison"})
_BOUNDS: frozenset[Role] = frozenset({"valid_from", "valid_until"})
_STATES: frozenset[Relation] = frozenset({"during", "between", "as_of"})
_GOES_ON: frozenset[Relation] = _STATES | {"since", "until", "current"}
_PLACES: dict[AllenRelation, str] = {
    "overlaps": "overlaps",
    "overlapped_by": "overlaps",
    "starts": "inside",
    "during": "inside",
    "finishes": "inside",
    "equals": "equals",
    "started_by": "covers",
    "contains": "covers",
    "finished_by": "covers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What a text says of time: the times it speaks of, when it is true, when it came out. A passage has the same."""

    mentions: tuple[TimeMention, ...] = ()
    holds: TimeSpan | None = None
    published: TimeSpan | None = None


@dataclass(frozen=True, slots=True)
class Factor:
    """What the odds of a text are multiplied with, and the times it was read from: none, one, or one on each side."""

    value: float
    constraint: TimeConstraint
    evidence: tuple[TimeSpan, ...]
    source: Source

    @property
    def explanation(self) -> str:
        """The evidence against what was asked: `2004 to 2005 inside 'until 2006'`, `2001, 1,461 days before '2006'`."""
        asked = self.constraint.surface or f"{self.constraint.relation} {self.constraint.span or ''}".rstrip()
        if not self.evidence:
            return f"no time to compare with '{asked}'"
        if len(self.evidence) > 1:
            return f"{' and '.join(map(str, self.evidence))} around '{asked}'"
        told = str(self.evidence[0]) if self.source == "mention" else f"{self.source} {self.evidence[0]}"
        return f"{told}{_place(self.evidence[0], self.constraint.span)} '{asked}'"


class TimeScorer:
    """Judges texts by one constraint, whose days are worked out once.

    In soft mode a factor lies between MISSED and the window's `most`. In hard mode it is 0 where a text provably does
    not satisfy the constraint: it tells times, and none does or may have gone on; for `current` only what holds is
    proof. A text that tells none is kept unless `strict`. As long as the constraint has no days (an anchor that is not
    looked up yet, the first of all, `current` without the day of asking), all texts are alike.
    """

    def __init__(self, constraint: TimeConstraint, *, mode: Mode = "soft", strict: bool = False) -> None:
        self._constraint = constraint
        self._window = window_of(constraint)
        self._is_current = constraint.relation == "current"
        self._is_state = constraint.relation in _STATES
        self._goes_on = constraint.relation in _GOES_ON
        self._is_hard = mode == "hard"
        self._is_strict = strict

    def factor(self, times: Times | Passage) -> Factor:
        """Return the factor of the best time that a text tells, of the first of them where several are alike."""
        window, holds = self._window, times.holds
        if window is None:
            return Factor(UNTOLD, self._constraint, (), "mention")
        if holds is not None and (proof := self._proof(holds, window)) is not None:
            return self._factor(proof, (holds,), "holds")
        best, evidence = self._best_mention(times.mentions, window)
        if holds is not None and (odds := self._odds(holds, "event", window)) > best:
            return self._factor(odds, (holds,), "holds")
        if times.published is not None and (odds := self._weak(times.published, window)) > best:
            return self._factor(odds, (times.published,), "published")
        return self._factor(best, evidence, "mention")

    def _proof(self, holds: TimeSpan, window: Window) -> float | None:
        """Return the odds that a known validity settles, None where it settles nothing."""
        start, end = days_of(holds)
        if self._is_current:
            return window.most if start <= window.end and end >= window.end else MISSED
        return window.most if self._is_state and start <= window.start and end >= window.end else None

    def _best_mention(self, mentions: Sequence[TimeMention], window: Window) -> tuple[float, tuple[TimeSpan, ...]]:
        best = 0.0
        told: TimeMention | None = None
        for mention in mentions:
            is_aside = mention.role in _ASIDE
            odds = self._weak(mention.span, window) if is_aside else self._odds(mention.span, mention.role, window)
            if odds > best:
                best, told = odds, mention
        if mentions and self._is_state and best < window.most:
            odds, around = _carried(mentions, window)
            if odds > best:
                return odds, around
        return best, () if told is None else (self._meant(told),)

    def _odds(self, span: TimeSpan, role: Role, window: Window) -> float:
        start, end = days_of(span)
        unit = UNIT_DAYS[span.granularity]
        if self._is_bound(span, role):
            start, end = (start, OPEN) if role == "valid_from" else (-OPEN, end)
            if not self._is_current:
                return window.inferred(start, end, unit)
        if self._is_current and end > window.end >= start:
            end = window.end
        return window.odds(start, end, unit, slack_of(span))

    def _weak(self, span: TimeSpan, window: Window) -> float:
        """Return the odds of a time beside the point, such as a birth, or of a day of publication.

        It speaks for a text as weakly as what is just satisfied, and never against it; for `current` new is better.
        """
        odds = self._odds(span, "event", window)
        if self._is_current:
            return min(odds, SATISFIED)
        return SATISFIED if odds >= SATISFIED else 0.0

    def _meant(self, mention: TimeMention) -> TimeSpan:
        """A time at which something began or ended goes on from there, where the relation asks for what goes on."""
        span = mention.span
        if not self._is_bound(span, mention.role):
            return span
        return replace(span, end=None) if mention.role == "valid_from" else replace(span, start=None)

    def _is_bound(self, span: TimeSpan, role: Role) -> bool:
        """Tell whether a time is one day, month, year and so on at which something began or ended that may go on."""
        is_single = span.days is not None and span.days < 2 * UNIT_DAYS[span.granularity]
        return self._goes_on and role in _BOUNDS and is_single

    def _factor(self, odds: float, evidence: tuple[TimeSpan, ...], source: Source) -> Factor:
        if not evidence or odds == 0.0:
            is_excluded = self._is_hard and self._is_strict
            return Factor(0.0 if is_excluded else UNTOLD, self._constraint, (), "mention")
        proves = source == "holds" or not self._is_current
        is_excluded = self._is_hard and proves and odds < UNTOLD
        return Factor(0.0 if is_excluded else odds, self._constraint, evidence, source)


def _carried(mentions: Sequence[TimeMention], window: Window) -> tuple[float, tuple[TimeSpan, ...]]:
    """Return the best odds of what a text tells of one time and then of no other until the next, with the two.

    What it tells may have stayed so until then, and what it tells last may have stayed so ever since.
    """
    told = [(*days_of(one.span), one.span) for one in mentions if one.role not in _ASIDE and one.span.start is not None]
    told.sort(key=lambda one: one[:2])
    best = 0.0
    around: tuple[TimeSpan, ...] = ()
    for place, (start, _, one) in enumerate(told):
        if start > window.end:
            break
        end, unit = OPEN, UNIT_DAYS[one.granularity]
        ends: tuple[TimeSpan, ...] = (one,)
        if place + 1 < len(told):
            _, end, other = told[place + 1]
            unit, ends = max(unit, UNIT_DAYS[other.granularity]), (one, other)
        if end >= window.start and (odds := window.inferred(start, end, unit)) > best:
            best, around = odds, ends
    return best, around


def _place(evidence: TimeSpan, asked: TimeSpan | None) -> str:
    if asked is None:
        return " for"
    relation = allen_relation(evidence, asked)
    if relation in _PLACES:
        return f" {_PLACES[relation]}"
    gap = evidence.gap_days(asked)
    return f", {gap:,} day{'s' if gap > 1 else ''} {'before' if relation in ('before', 'meets') else 'after'}"
