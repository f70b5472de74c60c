from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from app.core.allen import allen_relation
from app.core.timespan import Role, TimeConstraint, TimeMention, TimeSpan


@pytest.mark.parametrize(
    ("text", "start", "end", "granularity"),
    [
        ("2019", date(2019, 1, 1), date(2019, 12, 31), "year"),
        ("2020-02", date(2020, 2, 1), date(2020, 2, 29), "month"),
        ("1969-07-20", date(1969, 7, 20), date(1969, 7, 20), "day"),
    ],
)
def test_an_iso_date_is_read_at_its_own_granularity(text: str, start: date, end: date, granularity: str) -> None:
    span = TimeSpan.parse(text)

    assert (span.start, span.end, span.granularity) == (start, end, granularity)
    assert str(span) == text


@pytest.mark.parametrize("text", ["", "19", "2019-13", "2019-02-30", "July 1969", "2019-1-1"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"YYYY|month|day"):
        TimeSpan.parse(text)


def test_an_open_span_overlaps_what_lies_beyond_its_closed_end() -> None:
    since = TimeSpan(start=date(2009, 1, 1), end=None)

    assert since.overlaps(TimeSpan.parse("2030"))
    assert not since.overlaps(TimeSpan.parse("2008"))
    assert str(since) == "since 2009-01-01"


def test_a_span_without_ends_or_turned_round_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a start or an end"):
        TimeSpan(start=None, end=None)
    with pytest.raises(ValueError, match="before it starts"):
        TimeSpan(start=date(2001, 1, 1), end=date(2000, 1, 1))


def test_a_constraint_needs_a_span_an_anchor_or_a_relation_that_counts() -> None:
    assert TimeConstraint(relation="first").span is None
    assert TimeConstraint(relation="before", anchor="he became minister").anchor
    with pytest.raises(ValueError, match="needs a span or an anchor"):
        TimeConstraint(relation="before")
    with pytest.raises(ValueError, match="ordinal"):
        TimeConstraint(relation="nth")


@pytest.mark.parametrize(
    ("span", "start", "end", "granularity"),
    [
        (TimeSpan.year(1969), date(1969, 1, 1), date(1969, 12, 31), "year"),
        (TimeSpan.month(1900, 2), date(1900, 2, 1), date(1900, 2, 28), "month"),
        (TimeSpan.quarter(2010, 3), date(2010, 7, 1), date(2010, 9, 30), "quarter"),
        (TimeSpan.season(2003, "summer"), date(2003, 6, 1), date(2003, 8, 31), "season"),
        (TimeSpan.season(2003, "winter"), date(2003, 12, 1), date(2004, 2, 29), "season"),
        (TimeSpan.decade(1990), date(1990, 1, 1), date(1999, 12, 31), "decade"),
        (TimeSpan.century(19), date(1801, 1, 1), date(1900, 12, 31), "century"),
        (TimeSpan.century(1), date(1, 1, 1), date(100, 12, 31), "century"),
    ],
)
def test_units_of_the_calendar_have_their_first_and_last_day(
    span: TimeSpan, start: date, end: date, granularity: str
) -> None:
    assert (span.start, span.end, span.granularity) == (start, end, granularity)


@pytest.mark.parametrize(
    "make",
    [
        lambda: TimeSpan.year(0),
        lambda: TimeSpan.year(10000),
        lambda: TimeSpan.month(2019, 13),
        lambda: TimeSpan.quarter(2010, 0),
        lambda: TimeSpan.quarter(2010, 5),
        lambda: TimeSpan.season(9999, "winter"),
        lambda: TimeSpan.decade(0),
        lambda: TimeSpan.decade(1995),
        lambda: TimeSpan.century(0),
        lambda: TimeSpan.century(100),
    ],
)
def test_units_that_no_calendar_has_are_refused(make: Callable[[], TimeSpan]) -> None:
    with pytest.raises(ValueError, match=r"year|month|decade"):
        make()


def test_an_early_year_is_written_with_four_digits() -> None:
    assert str(TimeSpan.year(476)) == "0476"
    assert str(TimeSpan.month(476, 9)) == "0476-09"
    assert str(TimeSpan.decade(470)) == "0470 to 0479"


def test_days_are_counted_with_both_ends_and_not_at_all_when_one_is_open() -> None:
    assert TimeSpan.parse("2021-05-05").days == 1
    assert TimeSpan.year(2000).days == 366
    assert TimeSpan(start=date(2009, 1, 1), end=None).days is None


def test_an_intersection_is_as_fine_as_the_finer_and_as_sure_as_the_less_sure() -> None:
    since = TimeSpan(start=date(1967, 5, 1), end=None, granularity="month")
    circa = TimeSpan(start=date(1960, 1, 1), end=date(1968, 12, 31), granularity="year", approximate=True)

    shared = since.intersection(circa)

    assert shared == TimeSpan(start=date(1967, 5, 1), end=date(1968, 12, 31), granularity="month", approximate=True)
    assert since.intersection(TimeSpan.year(1966)) is None


def test_what_is_open_contains_what_lies_on_that_side_and_is_contained_by_nothing_closed() -> None:
    since = TimeSpan(start=date(2009, 1, 1), end=None)

    assert since.contains(TimeSpan.decade(2010))
    assert since.contains(since)
    assert not since.contains(TimeSpan.year(2008))
    assert not TimeSpan.century(21).contains(since)


def test_a_gap_is_one_day_between_neighbours_and_nothing_where_a_day_is_shared() -> None:
    year = TimeSpan.year(2004)

    assert year.gap_days(TimeSpan.year(2005)) == 1
    assert year.gap_days(TimeSpan.year(2002)) == 366
    assert year.gap_days(TimeSpan.month(2004, 12)) == 0
    assert year.gap_days(TimeSpan(start=None, end=date(2003, 12, 30))) == 2


def test_what_is_approximate_may_be_off_by_its_length_and_by_its_unit_where_it_is_open() -> None:
    circa, open_end = replace(TimeSpan.year(2004), approximate=True), TimeSpan(start=date(2004, 1, 1), end=None)

    assert circa.widened() == replace(circa, start=date(2002, 12, 31), end=date(2006, 1, 1))
    assert (TimeSpan.year(2004).widened(), TimeSpan.year(2004).slack_days) == (TimeSpan.year(2004), 0)
    assert replace(open_end, granularity="year", approximate=True).widened().start == date(2003, 1, 1)
    first = TimeSpan(start=date(1, 1, 1), end=date(9999, 12, 31), approximate=True)
    assert first.widened() == first


def test_a_range_is_longer_than_its_unit() -> None:
    assert not TimeSpan.year(2004).is_range
    assert not TimeSpan.month(2004, 2).is_range
    assert TimeSpan(start=date(2004, 1, 1), end=date(2005, 12, 31), granularity="year").is_range
    assert TimeSpan(start=date(2004, 1, 1), end=date(2004, 1, 2)).is_range
    assert not TimeSpan(start=date(2004, 1, 1), end=None).is_range


@pytest.mark.parametrize(
    ("role", "span", "holds"),
    [
        ("valid_from", TimeSpan.year(2004), "since 2004"),
        ("valid_until", TimeSpan.year(2004), "until 2004"),
        ("event", TimeSpan.year(2004), "2004"),
        ("valid_from", TimeSpan(start=date(2004, 1, 1), end=date(2006, 12, 31), granularity="year"), "2004 to 2006"),
        ("valid_from", TimeSpan(start=date(2004, 1, 1), end=None, granularity="year"), "since 2004"),
    ],
)
def test_one_time_at_which_something_began_or_ended_is_open_there(role: Role, span: TimeSpan, holds: str) -> None:
    assert str(TimeMention(span=span, start=0, end=4, role=role).holds) == holds


@pytest.mark.parametrize(
    ("a", "relation", "b"),
    [
        (TimeSpan.year(2003), "before", TimeSpan.year(2005)),
        (TimeSpan.year(2004), "meets", TimeSpan.year(2005)),
        (TimeSpan.season(2004, "winter"), "overlaps", TimeSpan.year(2005)),
        (TimeSpan.month(2005, 1), "starts", TimeSpan.year(2005)),
        (TimeSpan.month(2005, 2), "during", TimeSpan.year(2005)),
        (TimeSpan.quarter(2005, 4), "finishes", TimeSpan.year(2005)),
        (TimeSpan.parse("2005-05-05"), "equals", TimeSpan.parse("2005-05-05")),
        (TimeSpan(start=date(2005, 1, 1), end=None), "finishes", TimeSpan(start=date(2004, 1, 1), end=None)),
        (TimeSpan(start=None, end=date(2004, 12, 31)), "meets", TimeSpan.year(2005)),
        (TimeSpan(start=None, end=date(2005, 12, 31)), "finished_by", TimeSpan.year(2005)),
    ],
)
def test_two_spans_lie_to_each_other_as_allen_names_it(a: TimeSpan, relation: str, b: TimeSpan) -> None:
    assert allen_relation(a, b) == relation
