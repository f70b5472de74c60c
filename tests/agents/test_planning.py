"""Plans and goals, by hand and by law."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.planning import anchored_goals, final_goals, is_established, make_goals, ready, references, with_whole
from agents.state import Goal, GoalStatus
from app.core.timespan import Relation, TimeConstraint

CHAIN = "In which year was the woman born who mapped Lake Orta?"
PAIR = "Which is deeper, Lake Orta or Lake Iseo?"
MAPPED = "Who mapped Lake Orta?"


def patterns_of(question: str, *steps: str, most: int = 4) -> list[str]:
    return [goal.pattern for goal in make_goals(question, steps, most=most)]


def goals_of(*patterns: str) -> tuple[Goal, ...]:
    return tuple(Goal(number=number, pattern=pattern) for number, pattern in enumerate(patterns, start=1))


def told(goal: Goal, answer: str, status: GoalStatus = "satisfied") -> Goal:
    return replace(goal, status=status, answer=answer)


@pytest.mark.parametrize(
    ("question", "steps"),
    [
        (CHAIN, (MAPPED, "In which year was #1 born?")),
        (PAIR, ("How deep is Lake Orta?", "How deep is Lake Iseo?")),
        (
            "Who is the mayor of the town where the founder of Vela Lines was born?",
            ("Who is the founder of Vela Lines?", "In which town was #1 born?", "Who is the mayor of #2?"),
        ),
        (
            "Did the builders of the Vela and the Corona die in the same year?",
            ("Who built the Vela?", "Who built the Corona?", "In which year did #1 die?", "In which year did #2 die?"),
        ),
    ],
)
def test_a_chain_or_a_pair_that_keeps_the_names_is_a_plan(question: str, steps: tuple[str, ...]) -> None:
    goals = make_goals(question, steps, most=4)

    assert [goal.pattern for goal in goals] == list(steps)
    assert [goal.number for goal in goals] == list(range(1, len(steps) + 1))
    assert not any(goal.is_whole for goal in goals)


@pytest.mark.parametrize(
    ("question", "steps", "why"),
    [
        (CHAIN, (), "no step"),
        (CHAIN, (MAPPED,), "one step"),
        (CHAIN, ("Who mapped the lake?", "In which year was #1 born?"), "leaves a name out"),
        ("Who led the firm that built the Vela in 1912?", ("Who built the Vela?", "Who led #1?"), "leaves a year out"),
        (CHAIN, (MAPPED, "In which year was #1 born in Zurich?"), "brings a name"),
        (CHAIN, (MAPPED, "In which year was the woman born?"), "names nothing and no answer"),
        (CHAIN, (MAPPED, MAPPED, "In which year was #1 born?"), "a step twice"),
        (CHAIN, (CHAIN, "In which year was #1 born?"), "a step is the question"),
        (CHAIN, ("Who mapped #2?", "Was #1 at Lake Orta?"), "names a later answer"),
        (CHAIN, (MAPPED, "In which year was #2 born?"), "names its own answer"),
        (CHAIN, (MAPPED, "In which year was #0 born?"), "names no answer"),
        (CHAIN, (MAPPED, "Where was #1 born?"), "ends in another kind of thing"),
        (PAIR, ("How deep is Lake Orta?", "How deep is Lake Iseo?", "Which lake is Lake Orta?"), "three ends"),
    ],
)
def test_any_other_plan_is_refused_whole(question: str, steps: tuple[str, ...], why: str) -> None:
    assert make_goals(question, steps, most=4) == (Goal(number=1, pattern=question, is_whole=True),), why


def test_a_plan_of_too_many_steps_is_refused_and_empty_steps_count_as_none() -> None:
    steps = ("How deep is Lake Orta?", " ", "How deep is  Lake Iseo?")

    assert patterns_of(PAIR, *steps, most=2) == ["How deep is Lake Orta?", "How deep is Lake Iseo?"]
    assert patterns_of(PAIR, *steps, most=1) == [PAIR]


@pytest.mark.parametrize(
    ("step", "pattern"),
    [
        ("In which year was this woman born?", "In which year was #1 born?"),
        ("In which year was this person born?", "In which year was #1 born?"),
        ("In which year was #1 of that lake born?", "In which year was #1 of that lake born?"),
    ],
)
def test_words_that_point_at_the_answer_before_name_it(step: str, pattern: str) -> None:
    assert patterns_of(CHAIN, MAPPED, step)[-1] == pattern


def test_references_are_told_in_order_each_once() -> None:
    assert references("Did #2 meet #1 before #2 left?") == (2, 1)
    assert references("Who is number 1?") == ()


def test_a_goal_is_ready_once_the_answers_that_it_names_are_there() -> None:
    first, second = goals_of(MAPPED, "In which year was #1 born?")

    assert [goal.text for goal in ready([first, second])] == [MAPPED]
    assert [goal.text for goal in ready([told(first, "Ada Brandt"), second])] == ["In which year was Ada Brandt born?"]
    assert [goal.text for goal in ready([told(first, "Brandt", "partly"), second])] == [
        "In which year was Brandt born?"
    ]
    assert ready([replace(first, status="unsatisfied"), second]) == ()
    assert ready([told(first, "Ada Brandt"), told(second, "1840")]) == ()


def test_goals_that_need_none_are_ready_together() -> None:
    assert len(ready(goals_of("How deep is Lake Orta?", "How deep is Lake Iseo?"))) == 2


def test_the_final_goals_are_those_that_no_other_needs_or_the_whole() -> None:
    chain, pair = goals_of(MAPPED, "In which year was #1 born?"), goals_of("How deep is it?", "How wide is it?")

    assert [goal.number for goal in final_goals(chain)] == [2]
    assert [goal.number for goal in final_goals(pair)] == [1, 2]
    assert [goal.pattern for goal in final_goals(with_whole(chain, CHAIN))] == [CHAIN]
    assert final_goals(()) == ()


def test_all_final_goals_must_be_established_and_no_other() -> None:
    first, second = goals_of("How deep is Lake Orta?", "How deep is Lake Iseo?")
    whole = with_whole((first,), CHAIN)[-1]

    assert not is_established([told(first, "290"), second])
    assert is_established([told(first, "290"), told(second, "251", "partly")])
    assert is_established([replace(first, status="unsatisfied"), told(whole, "1840")])


WORDS = st.sampled_from(["who", "Lake", "Orta", "mapped", "that", "woman", "#1", "#2", "#3", "#0", "born", "1871", "?"])
STEPS = st.lists(st.lists(WORDS, max_size=6).map(" ".join), max_size=5)


@given(STEPS, st.integers(1, 4))
def test_goals_are_numbered_in_order_and_name_earlier_answers_only(steps: list[str], most: int) -> None:
    goals = make_goals(CHAIN, steps, most=most)

    assert 1 <= len(goals) <= most
    assert [goal.number for goal in goals] == list(range(1, len(goals) + 1))
    assert all(number < goal.number for goal in goals for number in references(goal.pattern))


@given(st.permutations(["mapped", "Lake", "Orta"]), st.lists(st.text(alphabet="ab #1", max_size=8), min_size=2))
def test_every_goal_of_a_plan_becomes_ready_and_its_text_keeps_no_reference(
    order: list[str], answers: list[str]
) -> None:
    names = [re.sub(r"#\d?", "", answer) for answer in answers]
    goals = make_goals(
        CHAIN, (f"Who {' '.join(order)}?", "Where did #1 meet #1?", "In which year was #2 born?"), most=4
    )
    done: dict[int, Goal] = {}
    while now := ready([done.get(goal.number, goal) for goal in goals]):
        for goal in now:
            assert not re.search(r"#\d", goal.text)
            done[goal.number] = told(goal, names[goal.number % len(names)])

    assert len(done) == len(goals)


@pytest.mark.parametrize(
    ("relation", "anchor", "expected"),
    [
        ("during", "the ship was launched", "Who led the yard on #1?"),
        ("before", "she became minister", "Who led the yard before #1?"),
        ("before", "Ada Brandt", None),
        ("after", "attending a dinner in Graz", None),
        ("first", "the loss of the ship", None),
    ],
)
def test_an_event_that_bounds_a_question_is_dated_first(relation: Relation, anchor: str, expected: str | None) -> None:
    goals = anchored_goals(TimeConstraint(relation=relation, anchor=anchor, rest="Who led the yard?"))

    patterns = [f"On what date was this: {anchor}?", expected] if expected else []
    assert [goal.pattern for goal in goals] == patterns


@pytest.mark.parametrize(
    ("date", "written"),
    [
        ("1901", "Who led the yard in 1901?"),
        ("May 1901", "Who led the yard in May 1901?"),
        ("4 May 1901", "Who led the yard on 4 May 1901?"),
        ("1901-05-04", "Who led the yard on 1901-05-04?"),
    ],
)
def test_a_date_is_written_in_with_its_preposition(date: str, written: str) -> None:
    first, second = anchored_goals(TimeConstraint(relation="during", anchor="it sank", rest="Who led the yard?"))

    [goal] = ready([replace(first, status="satisfied", answer=date), second])

    assert goal.text == written
