from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.values import figures, is_known, known_figures, same_value, values_of

WRITTEN = [
    "{0:%B} {0.day}, {0:%Y}",
    "{0.day} {0:%B} {0:%Y}",
    "{0:%b}. {0.day} , {0:%Y}",
    "the {0.day}th of {0:%B} {0:%Y}",
]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,233", "1233"),
        ("1233.0", "1233"),
        ("-0.50", "-1/2"),
        ("eight", "8"),
        ("twenty-one", "21"),
        ("two hundred and five thousand", "205000"),
        ("nineteen hundred", "1900"),
        ("1.5 million", "1500000"),
        ("1966", "1966"),
        ("first", "#1"),
        ("the Twenty-First.", "#21"),
        ("21st", "#21"),
        ("Dec. 10 , 1817", "1817-12-10"),
        ("6th of May 2021", "2021-05-06"),
        ("2021-05-06", "2021-05-06"),
        ("Sept 1999", "1999-09"),
        ("1999-09", "1999-09"),
        ("June 6", "--06-06"),
        ("29 February", "--02-29"),
    ],
)
def test_a_whole_number_or_date_has_one_value(text: str, value: str) -> None:
    assert values_of(text) == {value}


def test_eight_digits_that_are_a_day_are_also_a_number() -> None:
    assert values_of("20210506") == {"20210506", "2021-05-06"}
    assert values_of("20211306") == {"20211306"}


@pytest.mark.parametrize(
    "text",
    [
        *("", "and", "hundred", "one hundred and", "two three", "twenty eleven", "thousand thousand", "a dozen"),
        *("one hundred one hundred", "twenty zero"),
        *("8 minutes", "about 7", "15%", "$5", "1,23", "3,5", "007", "1e6", "2010–11", "1 " * 40, "9" * 5000),
        *("03/04/2021", "31 February 2020", "29 February 2021", "2021-13", "May", "0 May 2021", "6 May 21"),
        *("circa 1958-03", "in May 1958", "one hundred " * 500),
    ],
)
def test_what_no_strict_pattern_admits_is_no_value(text: str) -> None:
    assert values_of(text) == frozenset()


def test_two_values_are_compared_and_other_texts_are_not() -> None:
    assert same_value("8", "eight") is True
    assert same_value("2021", "6 May 2021") is False
    assert same_value("8", "#1") is None
    assert same_value("eight minutes", "8 minutes") is None


@given(st.dates(min_value=date(1000, 1, 1), max_value=date(2099, 12, 31)), st.sampled_from(WRITTEN))
def test_a_day_has_one_value_however_it_is_written(day: date, written: str) -> None:
    assert values_of(written.format(day)) == {day.isoformat()}
    assert same_value(written.format(day), f"{day:%Y%m%d}") is True
    assert same_value(written.format(day), f"{day:%B %Y}") is False


@given(st.integers(0, 10**15), st.integers(0, 3))
def test_a_number_has_one_value_with_separators_and_decimals(number: int, zeros: int) -> None:
    assert values_of(f"{number:,}" + "." * bool(zeros) + "0" * zeros) >= {str(number)}
    assert values_of(f"-{number}") == {str(-number)}


@given(st.text(max_size=20), st.text(max_size=20))
def test_same_value_is_symmetric_and_total(one: str, other: str) -> None:
    assert same_value(one, other) == same_value(other, one)
    assert figures(one) == figures(f"  {one} ")


def test_figures_are_dates_and_then_numbers() -> None:
    text = "On 6 May 2021 one of twenty-one crews, 1,233 people and 1.5 million dollars, flew a B-29 in the 3rd test."

    assert figures(text) == ["2021-05-06", "21", "1233", "1500000", "29", "3"]
    assert figures("One went first; a second came in May.") == []
    assert figures("the 2010-11 season") == ["2010", "11"]
    assert figures("two and three in nineteen ninety") == ["2", "3", "19", "90"]
    assert figures("31 February 2021") == ["2021-02", "31"]


def test_a_text_tells_its_figures_and_the_parts_of_its_dates() -> None:
    known = known_figures("One ship left on May 6 , 2021; it may return third in June.")

    assert known == {"1", "2021-05-06", "2021-05", "2021", "--05-06", "--05", "6", "--06", "3"}


@pytest.mark.parametrize(
    ("figure", "text", "expected"),
    [
        ("2021-05-06", "It left on May 6, 2021.", True),
        ("2021-05", "It left on May 6, 2021.", True),
        ("2021", "It left on May 6, 2021.", True),
        ("--05-06", "It left on May 6, 2021.", True),
        ("2021-05-06", "It left on 6 May. In 2021 that was new.", True),
        ("2021-05", "2021 began; it left in May.", True),
        ("2021-05", "2021 began; it may leave.", False),
        ("2021-05-06", "It left in May 2021 with 6 men.", False),
        ("2021-05-06", "It left on 7 May 2021.", False),
        ("1500000", "some 1.5 million", True),
        ("8", "eight of them", True),
        ("8", "the eighth", True),
        ("8", "1888", False),
    ],
)
def test_a_figure_is_known_by_value_or_as_part_of_a_finer_date(figure: str, text: str, expected: bool) -> None:
    assert is_known(figure, known_figures(text)) is expected


@given(st.text(alphabet="ay M2016,-.th5", max_size=25))
def test_a_text_tells_every_figure_that_it_states(text: str) -> None:
    assert all(is_known(figure, known_figures(text)) for figure in figures(text))
