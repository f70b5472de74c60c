"""What is typed becomes a question with the time it asks for."""

from datetime import date

import pytest

from app.core.errors import InvalidQuestion
from app.core.settings import Settings
from app.core.timespan import TimeConstraint, TimeSpan
from app.core.types import Question
from app.questions import UNSAID, AskedTime, make_question


def asked(text: str, time: AskedTime = UNSAID) -> Question:
    return make_question(text, asked_on=date(2026, 1, 15), settings=Settings(), time=time)


def period(first: str | None, last: str | None) -> AskedTime:
    begins, ends = (TimeSpan.parse(text) if text else None for text in (first, last))
    return AskedTime(first=begins, last=ends)


def constraint(time: AskedTime) -> TimeConstraint:
    assert time.constraint is not None
    return time.constraint


def test_the_time_that_a_question_names_is_read() -> None:
    time = asked("Who led NASA between 2004 and 2006?").time

    assert time is not None
    assert (time.relation, str(time.span), time.surface) == ("between", "2004 to 2006", "between 2004 and 2006")


def test_relative_times_count_from_the_day_of_asking() -> None:
    time = asked("Who led NASA last year?").time

    assert time is not None
    assert str(time.span) == "2025"


def test_a_question_that_names_no_time_has_none() -> None:
    assert asked("Who was the first to walk on the Moon with Apollo 11?", AskedTime(is_read=False)).time is None
    assert asked("Who commanded Apollo 11?").time is None


def test_a_period_takes_the_place_of_the_time_that_the_question_names() -> None:
    time = asked("Who led NASA in 1969?", period("2004", "2006-03")).time

    assert time is not None
    assert (time.relation, time.surface, time.rest) == ("between", "", "Who led NASA?")
    assert time.span == TimeSpan(start=date(2004, 1, 1), end=date(2006, 3, 31), granularity="month")


def test_a_period_goes_before_a_time_that_contradicts_itself() -> None:
    text = "Who led NASA before 1962 and after 1975?"

    time = asked(text, period("1970", None)).time

    assert time is not None
    assert time.rest == text
    with pytest.raises(InvalidQuestion, match="no day is both 'before 1962' and 'after 1975'"):
        asked(text)


@pytest.mark.parametrize(
    ("time", "relation", "days"),
    [
        (period("2004", None), "since", "2004"),
        (period(None, "2004-03"), "until", "2004-03"),
        (period("2004", "2004"), "during", "2004"),
        (period("2004", "2005"), "between", "2004 to 2005"),
    ],
)
def test_the_ends_that_are_given_choose_the_relation(time: AskedTime, relation: str, days: str) -> None:
    assert (constraint(time).relation, str(constraint(time).span)) == (relation, days)


def test_a_period_from_late_to_early_is_refused() -> None:
    with pytest.raises(InvalidQuestion, match=r"ends \(2004\) before it begins \(2006\)"):
        period("2006", "2004")


def test_a_period_and_no_time_exclude_each_other() -> None:
    with pytest.raises(InvalidQuestion, match="leave one of them out"):
        AskedTime(first=TimeSpan.parse("2004"), is_read=False)
