import pytest

from agents.routing import is_nested, needs_plan


@pytest.mark.parametrize(
    "question",
    [
        "Who mapped Lake Orta?",
        "How deep is Lake Orta?",
        "When was Ada Brandt born?",
        "Which ship reached Port Ros in May 1912?",
    ],
)
def test_a_question_for_one_fact_needs_no_plan(question: str) -> None:
    assert not needs_plan(question)


@pytest.mark.parametrize(
    "question",
    [
        "Where was the man born who mapped Lake Iseo?",
        "Are Lake Orta and Lake Iseo in the same country?",
        "Which is deeper, Orta or Iseo?",
        "Was the Vela built earlier?",
        "Where did the wife of the captain's brother live?",
        "How did the Vela reach Port Ros?",
        "How long did the crossing of a lake by steam boat last in spring storms?",
    ],
)
def test_a_question_that_compares_relates_or_is_long_needs_one(question: str) -> None:
    assert needs_plan(question)


@pytest.mark.parametrize(
    ("question", "nested"),
    [
        ("When did the rocket that launched the ship first fly?", True),
        ("What is the capital of Mozart's country?", True),
        ("Which ship found the crew led by the first woman at the pole?", True),
        ("Who won the race in 1998?", False),
        ("The book was written by who?", False),
        ("Which is longer, the Rhine or the river that crosses Vienna?", False),
    ],
)
def test_a_question_that_describes_by_another_fact_is_nested(question: str, nested: bool) -> None:
    assert is_nested(question) is nested
