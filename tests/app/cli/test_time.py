import json
from typing import Any


def test_the_times_of_a_text_are_listed_with_what_they_are_for(gnomon: Any) -> None:
    ran = gnomon("time", "parse", "Born in 1990, he left last month.", "--published", "2020-03-05", "--json")

    body = json.loads(ran.out)
    assert [(one["surface"], one["from"], one["to"], one["role"]) for one in body["mentions"]] == [
        ("1990", "1990-01-01", "1990-12-31", "birth"),
        ("last month", "2020-02-01", "2020-02-29", "event"),
    ]
    assert body["impossible"] == 0


def test_impossible_times_are_told(gnomon: Any) -> None:
    ran = gnomon("time", "parse", "on 30 February 2010")

    assert (ran.code, ran.err) == (0, "times that no calendar of the years 1 to 9999 holds: 1\n")


def test_a_day_of_publication_that_is_none_is_wrong_usage(gnomon: Any) -> None:
    ran = gnomon("time", "parse", "yesterday", "--published", "soon")

    assert ran.code == 2
    assert "--published" in ran.err


def test_the_constraint_of_a_question_is_told(gnomon: Any) -> None:
    ran = gnomon("time", "constraint", "Who led it two years ago?", "--asked-on", "2024-06-12", "--json")

    body = json.loads(ran.out)
    assert (body["relation"], body["from"], body["to"]) == ("during", "2022-01-01", "2022-12-31")
    assert body["rest"] == "Who led it?"


def test_a_question_without_time_has_no_constraint(gnomon: Any) -> None:
    assert gnomon("time", "constraint", "Who wrote it?", "--json").out.strip() == "null"
    assert gnomon("time", "constraint", "Who wrote it?").out == "no constraint\n"


def test_a_question_that_contradicts_itself_is_one_line(gnomon: Any) -> None:
    ran = gnomon("time", "constraint", "Who led it after 2000 and before 1990?")

    assert ran.code == 1
    assert "no day is both" in ran.err
