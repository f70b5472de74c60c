"""The factor of real passages against the same rules written out plainly, time by time, with nothing left out."""

from datetime import date, timedelta
from itertools import pairwise
from math import pow
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.timespan import SHORTEST_DAYS, Granularity, Relation, TimeConstraint, TimeMention, TimeSpan
from retrieval.temporal.expressions import read_expressions
from retrieval.temporal.fit import MISSED, OPEN, SATISFIED, UNTOLD, Window, days_of, window_of
from retrieval.temporal.scoring import Times, TimeScorer

DOCUMENTS = Path(__file__).parents[3] / "samples" / "spaceflight" / "documents"
PUBLISHED = TimeSpan.parse("2019-07-20")
PARAGRAPHS = [
    part for file in sorted(DOCUMENTS.glob("*.md")) for part in file.read_text(encoding="utf-8").split("\n\n")
]
PASSAGES = [
    Times(mentions=read_expressions(text, published=PUBLISHED).mentions, published=PUBLISHED if number % 2 else None)
    for number, text in enumerate(PARAGRAPHS)
]
LASTING: tuple[Relation, ...] = ("during", "between", "as_of")
GOES_ON = (*LASTING, "since", "until", "current")


def plain_odds(window: Window, start: int, end: int, unit: int, slack: int) -> float:
    gap = max(start - window.end, window.start - end) - slack - window.slack
    scale = max(28, window.unit, min(unit, 365))
    if gap > 0:
        return MISSED + (UNTOLD - MISSED) * scale / (scale + gap)
    return SATISFIED * pow(window.most / SATISFIED, plain_nearness(window, start, end, unit, slack))


def plain_nearness(window: Window, start: int, end: int, unit: int, slack: int) -> float:
    scale = max(28, window.unit, min(unit, 365))
    off = [(start - window.start, window.starts), (end - window.end, window.ends)]
    days = [abs(far) - slack - window.slack for far, counts in off if counts]
    near = [1.0 if far < window.unit else scale / (scale + far) for far in days]
    return sum(near) / len(near) if near else 1.0


def plain_told(window: Window, relation: Relation, mention: TimeMention) -> float:
    span, unit = mention.span, SHORTEST_DAYS[mention.span.granularity]
    start, end = days_of(span)
    bounds = relation in GOES_ON and mention.role in ("valid_from", "valid_until")
    lasts = bounds and span.days is not None and not span.is_range
    if lasts:
        start, end = (start, OPEN) if mention.role == "valid_from" else (-OPEN, end)
    if lasts and relation != "current":
        if start > window.end or end < window.start:
            return plain_odds(window, start, end, unit, 0)
        return UNTOLD * pow(window.most / UNTOLD, plain_nearness(window, start, end, unit, 0))
    if relation == "current" and start <= window.end < end:
        end = window.end
    return plain_odds(window, start, end, unit, span.slack_days)


def plain_weak(window: Window, relation: Relation, span: TimeSpan) -> float:
    odds = plain_told(window, relation, TimeMention(span=span, start=0, end=0))
    if relation == "current":
        return min(odds, SATISFIED)
    return SATISFIED if odds >= SATISFIED else 0.0


def plain_carried(window: Window, told: list[TimeSpan]) -> float:
    """Return the best odds of a time and the next one after it, the last one without."""
    in_order = sorted((span for span in told if span.start is not None), key=days_of)
    best = 0.0
    for one, other in pairwise([*in_order, None]):
        assert one is not None
        start, end = days_of(one)[0], days_of(other)[1] if other else OPEN
        unit = max(SHORTEST_DAYS[span.granularity] for span in (one, other) if span)
        if start <= window.end and end >= window.start:
            best = max(best, UNTOLD * pow(window.most / UNTOLD, plain_nearness(window, start, end, unit, 0)))
    return best


def plain_factor(constraint: TimeConstraint, times: Times) -> float:
    window, relation = window_of(constraint), constraint.relation
    assert window is not None
    aside = [one.span for one in times.mentions if one.role in ("birth", "death", "comparison")]
    told = [one for one in times.mentions if one.role not in ("birth", "death", "comparison")]
    odds = [plain_told(window, relation, one) for one in told]
    odds += [plain_weak(window, relation, span) for span in [*aside, *([times.published] if times.published else [])]]
    if relation in LASTING:
        odds.append(plain_carried(window, [one.span for one in told]))
    return max(odds, default=0.0) or UNTOLD


DAYS = st.dates(date(1950, 1, 1), date(2029, 12, 31))
SPANS = st.builds(
    lambda first, length, unit, fuzzy: TimeSpan(
        start=first, end=first + timedelta(days=length), granularity=unit, approximate=fuzzy
    ),
    DAYS,
    st.integers(0, 3000),
    st.sampled_from(get_args(Granularity)),
    st.booleans(),
) | st.builds(TimeSpan.year, st.integers(1955, 2024))
CONSTRAINTS = st.builds(
    lambda relation, span: TimeConstraint(relation=relation, span=span, ordinal=2 if relation == "nth" else None),
    st.sampled_from(get_args(Relation)),
    SPANS,
)


@settings(max_examples=60)
@given(CONSTRAINTS)
def test_real_passages_are_judged_as_the_plain_rules_judge_them(constraint: TimeConstraint) -> None:
    scorer = TimeScorer(constraint)

    found = [scorer.factor(times).value for times in PASSAGES]

    assert found == pytest.approx([plain_factor(constraint, times) for times in PASSAGES], rel=1e-12)


def test_the_real_passages_tell_times_of_every_kind() -> None:
    roles = {one.role for times in PASSAGES for one in times.mentions}

    assert len(PASSAGES) > 200
    assert {"event", "valid_from", "valid_until", "comparison"} <= roles
    assert any(len(times.mentions) > 3 for times in PASSAGES)
