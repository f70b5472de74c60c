"""Answers made by code of what the goals established, by hand."""

from dataclasses import replace

import pytest

from agents.composing import compared, compose
from agents.state import Claim, Goal
from app.core.types import NoteId

ONE, OTHER = NoteId("n1"), NoteId("n2")
NUMBERS = {ONE: 1, OTHER: 2}


def done(number: int, pattern: str, answer: str, note_id: NoteId, confidence: float | None = None) -> Goal:
    return Goal(
        number=number,
        pattern=pattern,
        text=pattern,
        status="satisfied",
        answer=answer,
        claim=f"It is {answer}.",
        note_ids=(note_id,),
        confidence=confidence,
    )


def test_a_chain_ends_in_its_last_answer_and_tells_each_link() -> None:
    goals = [
        done(1, "Who mapped Lake Orta?", "Ada Brandt", ONE, confidence=0.5),
        done(2, "Where was #1 born?", "Zurich", OTHER, confidence=0.9),
    ]

    draft = compose("Where was the woman born who mapped Lake Orta?", goals, NUMBERS)

    assert draft is not None
    assert (draft.short, draft.confidence) == ("Zurich", 0.5)
    assert draft.claims == (
        Claim(text="It is Ada Brandt.", cited=(1,)),
        Claim(text="It is Zurich.", cited=(2,)),
    )


def test_a_whole_question_is_answered_without_the_parts_that_failed() -> None:
    question = "Where was the woman born who mapped Lake Orta?"
    part = Goal(number=1, pattern="Who mapped Lake Orta?", status="unsatisfied")
    whole = replace(done(2, question, "Zurich", OTHER), is_whole=True)

    draft = compose(question, [part, whole], NUMBERS)

    assert draft is not None
    assert (draft.short, draft.cited) == ("Zurich", (2,))
    assert compose(question, [part, replace(whole, status="open")], NUMBERS) is None


def pair(one: str, other: str) -> tuple[Goal, Goal]:
    return done(1, "Tell of the Vela.", one, ONE), done(2, "Tell of the Corona.", other, OTHER)


@pytest.mark.parametrize(
    ("question", "one", "other", "told"),
    [
        ("Which was built first, the Vela or the Corona?", "May 1912", "3 April 1912", "Corona"),
        ("Which was built earlier, the Vela or the Corona?", "1911", "3 April 1912", "Vela"),
        ("Which sailed later, the Vela or the Corona?", "1912-04-03", "1912-04-13", "Corona"),
        ("Who is older, Vela or Corona?", "3 May 1840", "1860", "Vela"),
        ("Which carried more, the Vela or the Corona?", "1,200 tons", "990 tons", "Vela"),
        ("Which is longer, the Vela or the Corona?", "90.5 metres", "91 metres", "Corona"),
        ("Which had fewer masts, the Vela or the Corona?", "three", "two masts", "Corona"),
        ("Which cost more, the Vela or the Corona?", "1.5 million francs", "900,000 francs", "Vela"),
        # a bare year beside a day of that year, the same day, nothing to compare
        ("Which was built first, the Vela or the Corona?", "1912", "3 April 1912", ""),
        ("Which was built first, the Vela or the Corona?", "3 May 1912", "3 May 1912", ""),
        ("Which was built first, the Vela or the Corona?", "long ago", "1912", ""),
        ("Which carried more, the Vela or the Corona?", "200 tons", "200 tons", ""),
        ("Which is longer, the Vela or the Corona?", "2 miles", "900 metres", ""),
        ("Which was built first, the Vela or the Corona?", "1912, for 12 owners", "1912, for 9", ""),
        ("Was the Vela built before the Corona?", "1911", "1912", ""),
        ("Which is finer, the Vela or the Corona?", "1911", "1912", ""),
        ("Which of the two ships was built first?", "1911", "1912", ""),
    ],
)
def test_code_compares_dates_and_numbers_and_leaves_the_rest(question: str, one: str, other: str, told: str) -> None:
    assert compared(question, *pair(one, other)) == told
    draft = compose(question, pair(one, other), NUMBERS)
    assert (draft.short if draft else "") == told


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("Italy", "Italy", "yes"),
        ("American", "America", "yes"),
        ("Italy", "France", "no"),
        ("the Port of Ros", "Ros", "yes"),
        ("1912", "1913", "no"),
        ("125000", "125001", "no"),
    ],
)
def test_whether_two_answers_are_the_same_is_yes_or_no(one: str, other: str, told: str) -> None:
    assert compared("Are the Vela and the Corona from the same country?", *pair(one, other)) == told


def test_a_comparison_tells_both_sides_with_their_notes() -> None:
    draft = compose("Which was built first, the Vela or the Corona?", pair("1911", "1912"), NUMBERS)

    assert draft is not None
    assert [(claim.text, claim.cited) for claim in draft.claims] == [("It is 1911.", (1,)), ("It is 1912.", (2,))]


def test_an_answer_that_is_missing_leaves_no_draft() -> None:
    open_goal = Goal(number=2, pattern="Tell of the Corona.")

    assert (
        compose("Which was built first, the Vela or the Corona?", [pair("1911", "1912")[0], open_goal], NUMBERS) is None
    )
