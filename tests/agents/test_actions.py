"""Which actions are legal in a state, and what is remembered between branches."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import MIR, PROTON, SATURN

from agents.actions import TOLD, choices, focus, prepared
from agents.notes import write_note
from agents.remembering import Memory
from agents.search.nodes import Action
from agents.state import Goal, State, merged
from agents.valuing import digest_of
from app.core.errors import ModelError
from app.core.settings import Agent, Tree
from app.core.timespan import TimeConstraint, TimeSpan
from app.core.types import EvidenceNote
from fakes import a_hit, a_question

TWO = "When did the rocket that launched Skylab fly for the first time?"
NOTE: EvidenceNote = write_note(SATURN, 0, 10, claim="")
FIRST = Goal(number=1, pattern="Which rocket launched Skylab?", text="Which rocket launched Skylab?")
SECOND = Goal(number=2, pattern="When did #1 fly?")
LOOKED_UP = replace(FIRST, queries=(FIRST.pattern,), tries=1)
KNOWN = replace(LOOKED_UP, status="satisfied", answer="Saturn V", claim="It was a Saturn V.")
IN_2001 = TimeConstraint(relation="during", span=TimeSpan.parse("2001"), surface="in 2001", rest="")


def a_state(*goals: Goal, question: str = TWO, **more: Any) -> State:
    return merged({"question": a_question(question)}, {"goals": goals, "hits": {}, **more})


def legal(state: State, *, depth: int = 1, **tree: Any) -> dict[str, float]:
    found = choices(state, agent=Agent(), tree=Tree(**tree), depth=depth)
    return {choice.action.kind: choice.prior for choice in found}


def test_a_question_of_several_facts_may_be_split_or_looked_up_whole() -> None:
    found = choices({"question": a_question(TWO)}, agent=Agent(), tree=Tree(samples=2), depth=0)

    assert [(choice.action.kind, choice.samples) for choice in found] == [("decompose", 2), ("search", 1)]


def test_a_question_of_one_fact_is_only_looked_up() -> None:
    assert set(legal({"question": a_question("Who built Mir?")}, depth=0)) == {"search"}


def test_what_is_missing_is_likelier_than_a_second_look_or_an_early_answer() -> None:
    found = legal(a_state(KNOWN, SECOND, notes=(NOTE,)))

    assert found["search"] == 1.0
    assert {found["reformulate"], found["answer"]} == {0.05}


def test_a_fact_that_was_not_found_may_be_looked_up_in_every_way() -> None:
    open_goal = replace(LOOKED_UP, query="Skylab Saturn V")
    found = legal(a_state(open_goal, hits={1: (a_hit(MIR), a_hit(PROTON))}, read=((1, MIR.passage_id),)))

    assert set(found) == {"read_on", "follow_entity", "reformulate"}


def test_what_was_read_to_the_end_is_not_read_on_and_the_same_query_is_not_followed() -> None:
    open_goal = replace(LOOKED_UP, query="Which rocket launched the Skylab?")
    found = legal(a_state(open_goal, hits={1: (a_hit(MIR),)}, read=((1, MIR.passage_id),)))

    assert set(found) == {"reformulate"}


def test_a_goal_that_was_tried_often_enough_is_left_to_other_branches() -> None:
    assert set(legal(a_state(replace(LOOKED_UP, tries=2, status="unsatisfied"), SECOND))) == {"search"}


def test_when_all_is_known_the_answer_is_likeliest() -> None:
    found = legal(a_state(KNOWN, notes=(NOTE,)))

    assert max(found, key=lambda kind: found[kind]) == "answer"


def test_the_last_step_is_an_answer_and_a_near_miss_has_none() -> None:
    found = choices(a_state(KNOWN, SECOND, notes=(NOTE,)), agent=Agent(), tree=Tree(depth=3), depth=2)

    assert [choice.action.kind for choice in found] == ["answer"]
    assert not legal(a_state(FIRST, unknown_names=("Apollo 16",)))


@pytest.mark.parametrize(("pattern", "kind"), [("Who led it?", "narrow_time"), ("Who led it in 2001?", "widen_time")])
def test_a_time_is_narrowed_where_the_goal_leaves_it_out_and_widened_where_it_binds(pattern: str, kind: str) -> None:
    goal = replace(LOOKED_UP, pattern=pattern, text=pattern, queries=(pattern,))
    state = a_state(goal, time=IN_2001)

    assert kind in legal(state)
    text = "in 2001" if kind == "narrow_time" else pattern
    after = prepared(state, Action(kind=kind, text=text))
    if kind == "narrow_time":
        assert after["goals"][0].pattern == "Who led it? (in 2001)"
    else:
        assert after["time"] is None
    assert state["time"] is IN_2001


def test_a_look_at_what_is_known_opens_it_again_and_leaves_the_parent_as_it_was() -> None:
    state = a_state(KNOWN)
    after = prepared(state, Action(kind="read_on", text=KNOWN.text))

    assert (after["goals"][0].status, after["goals"][0].answer) == ("open", "")
    assert state["goals"] == (KNOWN,)
    assert focus(state) == KNOWN


def test_every_action_is_told_in_words() -> None:
    assert all(TOLD.values())


@given(st.permutations([(1, "a"), (1, "b"), (2, "a")]), st.permutations(["one query", "query two"]))
def test_a_state_has_one_name_whatever_the_order_it_was_reached_in(read: list[Any], queries: list[str]) -> None:
    state = a_state(KNOWN, read=tuple(read), queries=tuple(queries))

    same = a_state(KNOWN, read=((2, "a"), (1, "a"), (1, "b")), queries=("two QUERY", "one query"))
    assert digest_of(state) == digest_of(same)
    assert digest_of(state) != digest_of(a_state(LOOKED_UP, read=tuple(read), queries=tuple(queries)))


def test_what_is_known_is_made_once_and_a_failure_not_remembered() -> None:
    memory, made = Memory(), list[str]()

    def make(new: list[str]) -> list[str]:
        made.extend(new)
        if "bad" in new:
            raise ModelError("broken")
        return [one.upper() for one in new]

    assert memory.recall([("a", "a"), ("b", "b"), ("a", "a")], make) == ["A", "B", "A"]
    with pytest.raises(ModelError):
        memory.recall([("a", "a"), ("bad", "bad")], make)
    with pytest.raises(ModelError):
        memory.recall([("bad", "bad")], make)
    assert made == ["a", "b", "bad", "bad"]


def test_who_asks_for_what_is_just_made_waits_for_it_and_makes_it_where_that_fails() -> None:
    memory, begun, go_on, made = Memory(), threading.Event(), threading.Event(), list[str]()

    def slow(new: list[str]) -> list[str]:
        begun.set()
        go_on.wait(10)
        raise ModelError("broken")

    def quick(new: list[str]) -> list[str]:
        made.extend(new)
        return new

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(memory.recall, [("a", "a")], slow)
        begun.wait(10)
        second = pool.submit(memory.recall, [("a", "a")], quick)
        go_on.set()
        assert second.result(10) == ["a"]
        with pytest.raises(ModelError):
            first.result(10)
    assert made == ["a"]
