from datetime import date

import pytest

from app.core.asked_time import source_of, time_json, time_words
from app.core.timespan import TimeConstraint, TimeSpan

YEARS = TimeSpan(start=date(2004, 1, 1), end=date(2006, 12, 31), granularity="year")
SINCE = TimeSpan(start=date(2002, 1, 1), end=None, granularity="year")


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (TimeConstraint(relation="between", span=YEARS, surface="between 2004 and 2006"), "between 2004–2006"),
        (TimeConstraint(relation="as_of", span=TimeSpan.parse("2014-03"), surface="as of March 2014"), "as of 2014-03"),
        (TimeConstraint(relation="before", anchor="he retired", surface="before he retired"), "before 'he retired'"),
        (TimeConstraint(relation="nth", ordinal=3, span=YEARS, surface="third"), "number 3 in 2004–2006"),
        (TimeConstraint(relation="first", span=SINCE, surface="first after 2001"), "first since 2002"),
        (TimeConstraint(relation="between", span=SINCE, surface="after 2001 and since 1999"), "since 2002"),
        (TimeConstraint(relation="current", surface="now"), "current"),
    ],
)
def test_a_constraint_is_told_with_the_words_it_was_read_from(time: TimeConstraint, words: str) -> None:
    assert time_words(time) == f"{words}, read from '{time.surface}'"
    assert source_of(time) == "question"


def test_a_constraint_without_words_of_a_question_is_the_users() -> None:
    time = TimeConstraint(relation="since", span=TimeSpan.parse("2004"), rest="Who led it?")

    assert time_words(time) == "since 2004, as you set it"
    body = time_json(time)
    assert body is not None
    assert (body["source"], body["relation"], body["span"]["start"]) == ("user", "since", "2004-01-01")
    assert time_json(None) is None
