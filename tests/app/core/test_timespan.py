from datetime import date

import pytest

from app.core.timespan import TimeConstraint, TimeSpan


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
