"""How much the times of a text speak for it or against it: arithmetic on days, no order of events.

Odds are against a text that tells no time, so 1 is neutral. The best of a text's times counts. Who was first, last or
third is counted elsewhere, over verified notes: here only the window counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.core.allen import AllenRelation, allen_relation
from app.core.timespan import SHORTEST_DAYS, Relation, Role, TimeConstraint, TimeMention, TimeSpan
from app.core.types import Passage
from retrieval.temporal.fit import MISSED, OPEN, SATISFIED, UNTOLD, Days, Window, days_of, window_of

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
        self._untold = Factor(UNTOLD, constraint, (), "mention")
        self._excluded = Factor(0.0, constraint, (), "mention")

    def factor(self, times: Times | Passage) -> Factor:
        """Return the factor of the best time that a text tells, of the first of them where several are alike."""
        window, holds, published = self._window, times.holds, times.published
        if window is None:
            return self._untold
        if holds is not None and (proof := self._proof(holds, window)) is not None:
            return self._factor(proof, (holds,), "holds")
        best, evidence = self._best_mention(times.mentions, window) if times.mentions else (0.0, ())
        if holds is not None and (odds := self._odds(holds, days_of(holds), window)) > best:
            return self._factor(odds, (holds,), "holds")
        if best < SATISFIED and published and (odds := self._weak(published, days_of(published), window)) > best:
            return self._factor(odds, (published,), "published")
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
        days = []
        for mention in mentions:
            named = days_of(mention.span)
            odds = self._told(mention, named, window)
            if odds > best:
                best, told = odds, mention
            days.append(named)
        if self._is_state and best < window.most:
            odds, around = _carried(mentions, days, window)
            if odds > best:
                return odds, around
        return best, () if told is None else (told.holds if self._goes_on else told.span,)

    def _told(self, mention: TimeMention, days: Days, window: Window) -> float:
        """Return the odds of one mention; what began or ended at it goes on from there, where that is asked for."""
        span = mention.span
        if mention.role in _ASIDE:
            return self._weak(span, days, window)
        if mention.role in _BOUNDS and self._goes_on and (holds := mention.holds) is not span:
            days = days_of(holds)
            if not self._is_current:
                return _went_on(days, SHORTEST_DAYS[span.granularity], window)
        return self._odds(span, days, window)

    def _odds(self, span: TimeSpan, days: Days, window: Window) -> float:
        start, end = days
        if self._is_current and end > window.end >= start:
            end = window.end
        return window.odds(start, end, SHORTEST_DAYS[span.granularity], span.slack_days)

    def _weak(self, span: TimeSpan, days: Days, window: Window) -> float:
        """Return the odds of a time beside the point, such as a birth, or of a day of publication.

        It speaks for a text as weakly as what is just satisfied, and never against it; for `current` new is better.
        """
        if self._is_current:
            return min(self._odds(span, days, window), SATISFIED)
        return SATISFIED if window.meets(*days, span.slack_days) else 0.0

    def _factor(self, odds: float, evidence: tuple[TimeSpan, ...], source: Source) -> Factor:
        if not evidence or odds == 0.0:
            return self._excluded if self._is_hard and self._is_strict else self._untold
        proves = source == "holds" or not self._is_current
        is_excluded = self._is_hard and proves and odds < UNTOLD
        return Factor(0.0 if is_excluded else odds, self._constraint, evidence, source)


def _went_on(days: Days, unit: int, window: Window) -> float:
    """Return the odds of what began or ended and went on as far as one may infer."""
    if days[0] > window.end or days[1] < window.start:
        return window.odds(*days, unit)
    return window.inferred(window.nearness(*days, unit))


def _carried(
    mentions: Sequence[TimeMention], days: Sequence[Days], window: Window
) -> tuple[float, tuple[TimeSpan, ...]]:
    """Return the best odds of what a text tells of one time and then of no other until the next, with the two.

    What it tells may have stayed so until then, and what it tells last may have stayed so ever since.
    """
    in_order = sorted(range(len(days)), key=days.__getitem__)
    told = [place for place in in_order if days[place][0] > -OPEN and mentions[place].role not in _ASIDE]
    best = -1.0
    around: tuple[TimeSpan, ...] = ()
    for number, place in enumerate(told, start=1):
        start, end, span = days[place][0], OPEN, mentions[place].span
        if start > window.end:
            break
        spans: tuple[TimeSpan, ...] = (span,)
        unit = SHORTEST_DAYS[span.granularity]
        if number < len(told):
            end, span = days[told[number]][1], mentions[told[number]].span
            spans, unit = (*spans, span), max(unit, SHORTEST_DAYS[span.granularity])
        if end >= window.start and (nearness := window.nearness(start, end, unit)) > best:
            best, around = nearness, spans
    return (window.inferred(best) if around else 0.0), around


def _place(evidence: TimeSpan, asked: TimeSpan | None) -> str:
    if asked is None:
        return " for"
    relation = allen_relation(evidence, asked)
    if relation in _PLACES:
        return f" {_PLACES[relation]}"
    gap = evidence.gap_days(asked)
    return f", {gap:,} day{'s' if gap > 1 else ''} {'before' if relation in ('before', 'meets') else 'after'}"
