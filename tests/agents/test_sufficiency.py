"""Whether a reading establishes a goal, by hand."""

import pytest

from agents.notes import write_note
from agents.state import Goal
from agents.sufficiency import is_truth, is_unknown, judged, rewritten, tells_of
from app.core.types import EvidenceNote
from fakes import a_passage

ORTA = a_passage("Lake Orta was mapped by Ada Brandt in 1871.", passage_id="orta.md@0#0", title="Lake Orta")
NOTE = write_note(ORTA, 0, len(ORTA.text), claim="Ada Brandt mapped it.")
MAPPED = "Who mapped Lake Orta?"


def a_goal(answer: str = "", text: str = MAPPED, queries: tuple[str, ...] = ()) -> Goal:
    return Goal(number=1, pattern=text, text=text, answer=answer, queries=queries)


@pytest.mark.parametrize("answer", ["", " unknown. ", "None", "n/a", "Not stated"])
def test_words_that_say_that_there_is_no_answer_are_unknown(answer: str) -> None:
    assert is_unknown(answer)


def test_a_name_is_known_and_yes_and_no_are_truths() -> None:
    assert not is_unknown("Nona")
    assert is_truth(" Yes. ")
    assert not is_truth("yesterday")


@pytest.mark.parametrize(
    ("answer", "text", "status", "kept"),
    [
        ("Ada Brandt", MAPPED, "satisfied", "Ada Brandt"),
        ("1871", "When was Lake Orta mapped?", "satisfied", "1871"),
        ("the lake Orta", "What did she map?", "satisfied", "the lake Orta"),
        ("yes", "Was Lake Orta mapped?", "satisfied", "yes"),
        ("Ada Brandt of Zurich", MAPPED, "partly", "Ada Brandt of"),
        ("Karl Weiss", MAPPED, "unsatisfied", "Karl Weiss"),
        ("1872", "When was Lake Orta mapped?", "unsatisfied", "1872"),
        ("unknown", MAPPED, "unsatisfied", "unknown"),
        ("yes", MAPPED, "unsatisfied", "yes"),
        ("Ada Brandt", "Was Lake Orta mapped?", "unsatisfied", "Ada Brandt"),
    ],
)
def test_a_goal_is_established_as_far_as_the_quotes_hold_its_answer(
    answer: str, text: str, status: str, kept: str
) -> None:
    goal = judged(a_goal(answer, text), [NOTE], ["Lake Orta"])

    assert (goal.status, goal.answer) == (status, kept)


def test_a_goal_without_a_quote_is_not_established() -> None:
    assert judged(a_goal("Ada Brandt"), [], []).status == "unsatisfied"


def test_the_titles_of_the_quotes_count_as_told() -> None:
    deep = a_passage("It is 290 metres deep.", title="Lake Orta")
    notes = [write_note(deep, 0, len(deep.text), claim="")]

    assert judged(a_goal("Lake Orta", "Which lake is deep?"), notes, ["Lake Orta"]).status == "satisfied"
    assert judged(a_goal("Lake Orta", "Which lake is deep?"), notes, []).status == "unsatisfied"


BORN = "Where was the woman born?"
WHOLE = "Where was the woman born who mapped Lake Orta?"


@pytest.mark.parametrize(
    ("queries", "notes", "query"),
    [
        ((), [NOTE], "Lake Orta Ada Brandt woman born"),
        (("Woman born: Ada Brandt, Lake Orta",), [NOTE], ""),
        ((), [], "Where was the woman born? mapped Lake Orta"),
        (("Where was the woman born? mapped Lake Orta",), [], ""),
    ],
)
def test_the_next_query_brings_new_names_or_the_rest_of_the_question_and_is_never_asked_twice(
    queries: tuple[str, ...], notes: list[EvidenceNote], query: str
) -> None:
    assert rewritten(a_goal("", BORN, queries), WHOLE, notes, ["Lake Orta"] if notes else []) == query


@pytest.mark.parametrize(
    ("answer", "told", "expected"),
    [
        ("Saturn IB", "The Saturn V first flew in 1967.", False),
        ("Saturn V", "The Saturn V first flew in 1967.", True),
        ("Apollo 14", "Apollo 14 was recovered by a ship.", True),
        ("Apollo 14", "Apollo 13 was recovered by a ship.", False),
        ("Michael D. Griffin", "Griffin studied physics.", True),
        ("Ada Brandt", "It was mapped in 1870.", False),
        ("12 May 1901", "She led the yard.", True),
        ("a spirit", "It was mapped in 1870.", True),
    ],
)
def test_what_tells_a_later_answer_speaks_of_the_earlier_one(answer: str, told: str, expected: bool) -> None:
    assert tells_of(answer, told) is expected
