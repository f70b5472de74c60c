"""The grammar of times: what each form means, what is no time, and laws that hold for any text."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.temporal.grammar import Found, named_times, read_times

TODAY = date(2024, 6, 12)  # a Wednesday


def spans(text: str, today: date | None = TODAY) -> list[tuple[str | None, str | None]]:
    return [ends(found) for found in read_times(text, today=today)]


def ends(found: Found) -> tuple[str | None, str | None]:
    assert found.span is not None
    return found.span.start and found.span.start.isoformat(), found.span.end and found.span.end.isoformat()


def the_only(text: str, today: date | None = TODAY) -> Found:
    (found,) = read_times(text, today=today)
    return found


@pytest.mark.parametrize(
    ("text", "start", "end", "granularity"),
    [
        ("2021-05-05", "2021-05-05", "2021-05-05", "day"),
        ("2021-05-05T10:00:00+02:00", "2021-05-05", "2021-05-05", "day"),
        ("5 May 2021", "2021-05-05", "2021-05-05", "day"),
        ("the 3rd of September, 1939", "1939-09-03", "1939-09-03", "day"),
        ("the first of May 1999", "1999-05-01", "1999-05-01", "day"),
        ("May 5th, 2021", "2021-05-05", "2021-05-05", "day"),
        ("Tuesday, 5 May 2021", "2021-05-05", "2021-05-05", "day"),
        ("on 20210505", "2021-05-05", "2021-05-05", "day"),
        ("31/12/2009", "2009-12-31", "2009-12-31", "day"),
        ("12/31/2009", "2009-12-31", "2009-12-31", "day"),
        ("March 2014", "2014-03-01", "2014-03-31", "month"),
        ("Sept. 2020", "2020-09-01", "2020-09-30", "month"),
        ("2021-04", "2021-04-01", "2021-04-30", "month"),
        ("Q3 2010", "2010-07-01", "2010-09-30", "quarter"),
        ("2010Q3", "2010-07-01", "2010-09-30", "quarter"),
        ("the third quarter of 2010", "2010-07-01", "2010-09-30", "quarter"),
        ("H1 2015", "2015-01-01", "2015-06-30", "month"),
        ("the second half of 2015", "2015-07-01", "2015-12-31", "month"),
        ("summer 2003", "2003-06-01", "2003-08-31", "season"),
        ("the winter of 1916/17", "1916-12-01", "1917-02-28", "season"),
        ("in 1967", "1967-01-01", "1967-12-31", "year"),
        ("AD 79", "0079-01-01", "0079-12-31", "year"),
        ("in 476", "0476-01-01", "0476-12-31", "year"),
        ("the year 79", "0079-01-01", "0079-12-31", "year"),
        ("the 1990s", "1990-01-01", "1999-12-31", "decade"),
        ("the nineteenth century", "1801-01-01", "1900-12-31", "century"),
        ("the 2nd century", "0101-01-01", "0200-12-31", "century"),
        ("the first quarter of the 20th century", "1901-01-01", "1925-12-31", "century"),
        ("year-end 2012", "2012-12-31", "2012-12-31", "day"),
        ("the end of March 2014", "2014-03-31", "2014-03-31", "day"),
    ],
)
def test_a_date_in_words_or_figures_means_its_days(text: str, start: str, end: str, granularity: str) -> None:
    found = the_only(text, today=None)

    assert ends(found) == (start, end)
    assert found.span is not None
    assert (found.span.granularity, found.span.approximate) == (granularity, False)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("circa 1850", "1850-01-01", "1850-12-31"),
        ("about March 1850", "1850-03-01", "1850-03-31"),
        ("early 1990s", "1990-01-01", "1993-12-31"),
        ("mid-1990s", "1994-01-01", "1996-12-31"),
        ("late 1990s", "1997-01-01", "1999-12-31"),
        ("late 19th century", "1867-01-01", "1900-12-31"),
        ("early 2012", "2012-01-01", "2012-04-30"),
        ("the '90s", "1990-01-01", "1999-12-31"),
        ("the nineties", "1990-01-01", "1999-12-31"),
        ("'93", "1993-01-01", "1993-12-31"),
        ("fiscal year 2010", "2009-10-01", "2010-09-30"),
        ("FY10", "2009-10-01", "2010-09-30"),
        ("03/04/2021", "2021-03-04", "2021-04-03"),
        ("2010-11", "2010-01-01", "2011-12-31"),
    ],
)
def test_what_is_not_told_exactly_is_approximate(text: str, start: str, end: str) -> None:
    found = the_only(text)

    assert ends(found) == (start, end)
    assert found.span is not None
    assert found.span.approximate


@pytest.mark.parametrize(("day_first", "day"), [(True, "2021-04-03"), (False, "2021-03-04")])
def test_figures_are_one_day_where_the_order_is_known(day_first: bool, day: str) -> None:
    (found,) = read_times("03/04/2021", today=None, day_first=day_first)

    assert ends(found) == (day, day)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("1990–93", "1990-01-01", "1993-12-31"),
        ("1999-00", "1999-01-01", "2000-12-31"),
        ("from 1990 to 1993", "1990-01-01", "1993-12-31"),
        ("from May 1967 to July 1968", "1967-05-01", "1968-07-31"),
        ("between 1936 and 1939", "1936-01-01", "1939-12-31"),
        ("between May and July 2010", "2010-05-01", "2010-07-31"),
        ("from November to February 2010", "2009-11-01", "2010-02-28"),
        ("5 May to 7 June 1944", "1944-05-05", "1944-06-07"),
        ("June 5-7, 1944", "1944-06-05", "1944-06-07"),
        ("between 5 and 7 June 1944", "1944-06-05", "1944-06-07"),
        ("Q1 to Q3 2010", "2010-01-01", "2010-09-30"),
        ("the 12th and 13th centuries", "1101-01-01", "1300-12-31"),
        ("from the late 1960s to the early 1970s", "1967-01-01", "1973-12-31"),
    ],
)
def test_a_range_goes_from_the_start_of_the_first_to_the_end_of_the_last(text: str, start: str, end: str) -> None:
    found = the_only(text, today=None)

    assert ends(found) == (start, end)
    assert found.form == "range"


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("until 2009", None, "2009-12-31"),
        ("since 2009", "2009-01-01", None),
        ("before 2009", None, "2008-12-31"),
        ("after 2009", "2010-01-01", None),
        ("by March 2009", None, "2009-03-31"),
        ("from 1990 onwards", "1990-01-01", None),
        ("1990 or later", "1990-01-01", None),
        ("1998–present", "1998-01-01", None),
    ],
)
def test_words_of_bounds_leave_an_end_open(text: str, start: str | None, end: str | None) -> None:
    found = the_only(text, today=None)

    assert ends(found) == (start, end)
    assert (found.start, found.end, found.form) == (0, len(text), "open")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("yesterday", "2024-06-11", "2024-06-11"),
        ("the day before yesterday", "2024-06-10", "2024-06-10"),
        ("last week", "2024-06-03", "2024-06-09"),
        ("last month", "2024-05-01", "2024-05-31"),
        ("this quarter", "2024-04-01", "2024-06-30"),
        ("last year", "2023-01-01", "2023-12-31"),
        ("next year", "2025-01-01", "2025-12-31"),
        ("last century", "1901-01-01", "2000-12-31"),
        ("a week ago", "2024-06-05", "2024-06-05"),
        ("two months ago", "2024-04-01", "2024-04-30"),
        ("five years earlier", "2019-01-01", "2019-12-31"),
        ("the last 30 days", "2024-05-13", "2024-06-12"),
        ("in the past five years", "2019-06-12", "2024-06-12"),
        ("last Friday", "2024-06-07", "2024-06-07"),
        ("on Wednesday", "2024-06-12", "2024-06-12"),
        ("in May", "2024-05-01", "2024-05-31"),
        ("in July", "2023-07-01", "2023-07-31"),
        ("last autumn", "2023-09-01", "2023-11-30"),
        ("on 20 June", "2023-06-20", "2023-06-20"),
        ("on 29 February", "2024-02-29", "2024-02-29"),
    ],
)
def test_relative_times_count_from_the_day_they_are_read(text: str, start: str, end: str) -> None:
    assert spans(text) == [(start, end)]
    assert spans(text, today=None) == []


@pytest.mark.parametrize(
    "text",
    [
        "30 February 2019",
        "31 April",
        "13/13/2020",
        "the year 0",
        "the year 10191",
        "44 BC",
        "the 5th century BC",
        "193 AH",
        "12 Ramadan 1440",
        "the Jewish year 5780",
        "Heisei 3",
        "in 1440 in the Islamic calendar",
    ],
)
def test_a_time_that_no_span_can_hold_is_found_without_one(text: str) -> None:
    assert the_only(text).span is None


def test_a_range_that_ends_before_it_starts_has_no_span() -> None:
    found = the_only("from 2000 to 1990")

    assert (found.span, found.form) == (None, "reversed")


@pytest.mark.parametrize(
    "text",
    [
        "page 1995 is missing",
        "a Peugeot 2008",
        "the RX-2000",
        "RFC 1918",
        "it cost $1995",
        "1995 dollars",
        "2,010 respondents",
        "1900 ms",
        "between 1000 and 2000 metres",
        "in 300 words",
        "Flight 1549",
        "2 to the power of 2024",
        "more than 1900",
        "version 2021.04.1",
        "call 555-1987",
        "protesters march in front",
        "you may go",
        "a second opinion",
        "20th Century Fox",
        "Entertainment Tonight",
        "written by August Wilson",
        "in her 60s",
        "The Winter's Tale",
    ],
)
def test_a_number_or_name_that_is_no_time_is_not_found(text: str) -> None:
    assert read_times(text, today=TODAY) == []


def test_offsets_lead_to_the_words_in_a_longer_text() -> None:
    text = "Skylab (1973–1979) was launched on 14 May 1973, four years after Apollo 11; it fell in early July 1979."

    found = read_times(text, today=None)

    words = [text[one.start : one.end] for one in found]
    assert words == ["1973–1979", "14 May 1973", "early July 1979"]


def test_the_time_itself_is_told_apart_from_its_bound() -> None:
    (bounded,), (named,) = read_times("until 2009", today=None), named_times("until 2009", today=None)

    assert ends(bounded) == (None, "2009-12-31")
    assert (ends(named), named.start) == (("2009-01-01", "2009-12-31"), len("until "))


def test_words_that_belong_to_one_time_are_not_those_of_the_next() -> None:
    first, second = read_times("FY2010 AD 5", today=None)

    assert (first.end, second.start) == (len("FY2010 AD"), len("FY2010 AD"))


PIECES = st.sampled_from(
    """the of from between and to until since before after in on by - – , . ' ’ 's 5 5th 30 31 79 90 93 1990 2000 2024
    0 9999 10000 20210505 03/04/2021 2010-11 May March sept. February Q3 H1 FY2010 first third century centuries 1990s
    '90s nineties summer winter last next this past two few a years months ago year week Friday today now BC AD circa
    early end half quarter present onwards Ramadan""".split()
)
PHRASES = st.lists(PIECES, max_size=8).map(" ".join)
DAYS = st.dates(min_value=date(1, 1, 1), max_value=date(9999, 12, 31))


@given(st.text(max_size=80) | PHRASES, st.none() | DAYS)
def test_any_text_is_read_and_offsets_are_in_order(text: str, today: date | None) -> None:
    found = read_times(text, today=today)

    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 1, 1)), st.integers(1, 500))
def test_weeks_move_with_the_day_of_reading(today: date, weeks: int) -> None:
    text = "yesterday, last week, on Friday, next Monday, two weeks ago, the past 10 days"
    later = today + timedelta(weeks=weeks)

    moved = [
        (one.span.start + timedelta(weeks=weeks), one.span.end + timedelta(weeks=weeks))
        for one in read_times(text, today=today)
        if one.span and one.span.start and one.span.end
    ]

    assert moved == [(one.span.start, one.span.end) for one in read_times(text, today=later) if one.span]
    assert len(moved) == 6


@given(DAYS)
def test_every_day_is_read_back_from_its_forms(day: date) -> None:
    year, both = f"{day.year:04}", (day.isoformat(), day.isoformat())

    forms = (
        day.isoformat(),
        f"{day.day} {day:%B} {year}",
        f"{day:%B} {day.day}, {year}",
        f"{day.day} {day:%b}. {year}",
    )
    assert [spans(form, today=None) for form in forms] == [[both]] * len(forms)
