from calendar import isleap
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.allen import INVERSE, AllenRelation, allen_relation
from app.core.timespan import LONGEST_DAYS, SHORTEST_DAYS, Granularity, Season, TimeSpan

FIRST, LAST = date.min.toordinal(), date.max.toordinal()
BEFORE_ALL, AFTER_ALL = FIRST - 1, LAST + 2  # half-open ends of open spans

# Allen's definitions, on half-open intervals a..z and b..y
DEFINITIONS: dict[AllenRelation, Callable[[int, int, int, int], bool]] = {
    "before": lambda a, z, b, y: z < b,
    "meets": lambda a, z, b, y: z == b,
    "overlaps": lambda a, z, b, y: a < b < z < y,
    "starts": lambda a, z, b, y: a == b and z < y,
    "during": lambda a, z, b, y: a > b and z < y,
    "finishes": lambda a, z, b, y: a > b and z == y,
    "equals": lambda a, z, b, y: a == b and z == y,
    "finished_by": lambda a, z, b, y: a < b and z == y,
    "contains": lambda a, z, b, y: a < b and z > y,
    "started_by": lambda a, z, b, y: a == b and z > y,
    "overlapped_by": lambda a, z, b, y: b < a < y < z,
    "met_by": lambda a, z, b, y: a == y,
    "after": lambda a, z, b, y: a > y,
}


@st.composite
def spans(draw: st.DrawFn) -> TimeSpan:
    """Draw a span, often on few days so that ends meet, with open ends and every granularity."""
    near = draw(st.booleans())
    days = st.dates(date(2004, 2, 26), date(2004, 3, 3)) if near else st.dates()
    first, last = sorted((draw(days), draw(days)))
    is_open = draw(st.sampled_from(["", "", "start", "end"]))
    return TimeSpan(
        start=None if is_open == "start" else first,
        end=None if is_open == "end" else last,
        granularity=draw(st.sampled_from(get_args(Granularity))),
        approximate=draw(st.booleans()),
    )


def half_open(span: TimeSpan) -> tuple[int, int]:
    return (
        BEFORE_ALL if span.start is None else span.start.toordinal(),
        AFTER_ALL if span.end is None else span.end.toordinal() + 1,
    )


def same_days(a: TimeSpan, b: TimeSpan) -> bool:
    return (a.start, a.end) == (b.start, b.end)


@given(spans(), spans())
def test_exactly_one_of_allens_relations_holds(a: TimeSpan, b: TimeSpan) -> None:
    holding = [name for name, holds in DEFINITIONS.items() if holds(*half_open(a), *half_open(b))]

    assert holding == [allen_relation(a, b)]


@given(spans(), spans())
def test_the_relation_seen_from_the_other_span_is_the_inverse(a: TimeSpan, b: TimeSpan) -> None:
    assert allen_relation(b, a) == INVERSE[allen_relation(a, b)]
    assert INVERSE[INVERSE[allen_relation(a, b)]] == allen_relation(a, b)


@given(spans(), spans())
def test_an_intersection_lies_in_both_and_does_not_ask_which_comes_first(a: TimeSpan, b: TimeSpan) -> None:
    shared = a.intersection(b)

    assert shared == b.intersection(a)
    assert a.overlaps(b) == b.overlaps(a) == (shared is not None)
    assert a.intersection(a) == a
    if shared is not None:
        assert a.contains(shared)
        assert b.contains(shared)
        assert a.contains(b) == same_days(shared, b)


@given(spans(), spans(), spans())
def test_intersections_may_be_taken_in_any_order(a: TimeSpan, b: TimeSpan, c: TimeSpan) -> None:
    left, right = a.intersection(b), b.intersection(c)

    assert (left and left.intersection(c)) == (right and a.intersection(right))


@given(spans(), spans())
def test_a_gap_is_there_where_no_day_is_shared_and_is_one_where_spans_meet(a: TimeSpan, b: TimeSpan) -> None:
    gap = a.gap_days(b)

    assert gap == b.gap_days(a)
    assert (gap == 0) == a.overlaps(b)
    assert (gap == 1) == (allen_relation(a, b) in ("meets", "met_by"))


@given(spans())
def test_days_are_those_between_the_ends(span: TimeSpan) -> None:
    first, behind = half_open(span)

    assert span.days == (None if span.start is None or span.end is None else behind - first)


@given(st.integers(1, 9998))
def test_a_year_has_its_days_and_is_made_of_its_parts(year: int) -> None:
    whole = TimeSpan.year(year)
    months = [TimeSpan.month(year, number) for number in range(1, 13)]
    quarters = [TimeSpan.quarter(year, number) for number in range(1, 5)]
    seasons = [TimeSpan.season(year, name) for name in ("spring", "summer", "autumn", "winter")]

    assert whole.days == 365 + isleap(year)
    assert sum(part.days or 0 for part in months) == sum(part.days or 0 for part in quarters) == whole.days
    assert sum(part.days or 0 for part in seasons) == 365 + isleap(year + 1)
    for parts in (months, quarters, seasons, [whole, TimeSpan.year(year + 1)]):
        assert all(allen_relation(a, b) == "meets" for a, b in pairwise(parts))


@given(st.integers(1, 998), st.integers(1, 98))
def test_decades_and_centuries_have_the_days_of_their_years(tens: int, number: int) -> None:
    decade, century = TimeSpan.decade(10 * tens), TimeSpan.century(number)

    assert decade.days == sum(365 + isleap(year) for year in range(10 * tens, 10 * tens + 10))
    assert century.days == 36524 + isleap(100 * number)
    assert allen_relation(decade, TimeSpan.decade(10 * tens + 10)) == "meets"
    assert allen_relation(century, TimeSpan.century(number + 1)) == "meets"


@given(st.integers(1, 989), st.integers(1, 12), st.sampled_from(get_args(Season)))
def test_a_unit_has_as_many_days_as_its_shortest_to_its_longest(tens: int, number: int, season: Season) -> None:
    year = 10 * tens
    units = [
        TimeSpan.month(year, number),
        TimeSpan.quarter(year, (number + 2) // 3),
        TimeSpan.season(year, season),
        TimeSpan.year(year),
        TimeSpan.decade(year),
        TimeSpan.century(tens // 10 + 1),
    ]

    for unit in units:
        assert SHORTEST_DAYS[unit.granularity] <= (unit.days or 0) <= LONGEST_DAYS[unit.granularity]
        assert not unit.is_range


@pytest.mark.parametrize("form", [10, 7, 4])
@given(st.dates())
def test_a_date_is_read_as_it_is_written(form: int, day: date) -> None:
    text = day.isoformat()[:form]

    assert str(TimeSpan.parse(text)) == text
    assert TimeSpan.parse(str(TimeSpan.parse(text))) == TimeSpan.parse(text)
