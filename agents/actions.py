"""What may be done next in a search for evidence: which actions are legal in a state, and how each changes it.

Typed actions after MCTS-RAG (arXiv 2503.20757) and AirRAG (arXiv 2501.10053), but code says which are legal, and all
of them but `answer` look something up: so each brings evidence that it can be valued by, or is pruned.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from agents.planning import is_established, ready, with_whole
from agents.routing import needs_plan
from agents.search.nodes import Action, Choice
from agents.state import Goal, State, merged
from agents.sufficiency import normal_query
from app.core.settings import Agent, Tree

Kind = Literal["decompose", "search", "read_on", "follow_entity", "reformulate", "narrow_time", "widen_time", "answer"]

TOLD: dict[Kind, str] = {
    "decompose": "split the question into facts and look the first ones up",
    "search": "search for what was not looked up yet",
    "read_on": "read further down what the last search found",
    "follow_entity": "search for the names that the notes brought",
    "reformulate": "search with other words",
    "narrow_time": "search again for the time that the question names",
    "widen_time": "search again for any time",
    "answer": "answer from the notes",
}
"""What each action does, in words for a model or a reader."""


_SECOND_THOUGHT = 0.05
"""Prior of what looks again for something that is known, or answers while something is missing; others have 1.

So a path is begun as the graph would go, and the others are left to the policy.
"""


def choices(state: State, *, agent: Agent, tree: Tree, depth: int) -> tuple[Choice, ...]:
    """Return the legal actions of a state at that depth with priors, always in the same order; none at a dead end.

    Only what a model words anew each time has more than one sample. A goal is read for again as often as in the graph;
    other tries begin at its parent. The last step that the depth allows is an answer.
    """
    ending = [_choice("answer", is_likely=is_established(state.get("goals", ())))] if _can_answer(state) else []
    if depth + 1 >= tree.depth or state.get("unknown_names"):
        return tuple(ending)
    return (*_looking_up(state, agent, samples=tree.samples), *ending)


def focus(state: State) -> Goal | None:
    """Return the goal that the next action is about: the first that was searched and is open, else the last searched.

    No goal that needs its answer was searched, so its answer may change.
    """
    goals = state.get("goals", ())
    searched = [goal for goal in ready(goals) if goal.queries] or [goal for goal in goals if goal.queries][-1:]
    return searched[0] if searched else None


def prepared(state: State, action: Action) -> State:
    """Return the state whose open goals are to be looked up, as an action that needs no model has it."""
    goals = state.get("goals", ())
    goal = focus(state)
    if action.kind == "search" or goal is None:
        whole = with_whole(goals, state["question"].text)
        return state if ready(goals) else merged(state, {"goals": whole})
    if action.kind == "follow_entity":
        return searching_for(state, action.text)
    if action.kind == "narrow_time":
        return _with_goal(state, replace(goal, pattern=f"{goal.pattern} ({action.text})", query=""))
    if action.kind == "widen_time":
        return merged(_with_goal(state, replace(goal, query="", queries=())), {"time": None})
    return searching_for(state, goal.queries[-1])


def searching_for(state: State, query: str) -> State:
    """Return the state whose goal in focus is open again, to be searched for with that query."""
    goal = focus(state)
    return state if goal is None else _with_goal(state, replace(goal, query=query))


def is_new(state: State, query: str) -> bool:
    """Tell whether the goal in focus was not searched for with the words of a query yet."""
    goal = focus(state)
    return goal is None or normal_query(query) not in {normal_query(one) for one in goal.queries}


def _with_goal(state: State, changed: Goal) -> State:
    opened = replace(changed, status="open", answer="", claim="", missing="", note_ids=())
    goals = tuple(opened if goal.number == opened.number else goal for goal in state["goals"])
    return merged(state, {"goals": goals})


def _can_answer(state: State) -> bool:
    return any(note.stance == "supports" for note in state.get("notes", ()))


def _looking_up(state: State, agent: Agent, *, samples: int) -> Iterator[Choice]:
    goals, question = state.get("goals", ()), state["question"].text
    if not goals and agent.goals > 1 and needs_plan(question):
        yield _choice("decompose", samples=samples)
    fresh = [goal.text for goal in ready(goals) if not goal.queries]
    is_lost = not ready(goals) and not is_established(goals) and not goals[-1].is_whole if goals else True
    if fresh or is_lost:
        yield _choice("search", " · ".join(fresh) or question)
    goal = focus(state)
    if goal is not None and goal.tries <= agent.rewrites:
        yield from _again(state, goal, samples, is_likely=goal.status == "open" and not fresh)


def _again(state: State, goal: Goal, samples: int, *, is_likely: bool) -> Iterator[Choice]:
    """Yield what may be tried for a goal that was searched before: once more, even if its answer seems to be known."""
    read = {passage for number, passage in state.get("read", ()) if number == goal.number}
    if any(hit.passage.passage_id not in read for hit in state["hits"].get(goal.number, ())):
        yield _choice("read_on", goal.queries[-1], is_likely=is_likely)
    if goal.status == "open" and is_new(state, goal.query):
        yield _choice("follow_entity", goal.query, is_likely=is_likely)
    yield _choice("reformulate", goal.text, samples=samples, is_likely=is_likely)
    time = state.get("time")
    if goal.status == "open" and time is not None:
        if goal.is_whole or time.surface.lower() in goal.text.lower():
            yield _choice("widen_time", goal.text, is_likely=is_likely)
        elif time.surface:
            yield _choice("narrow_time", time.surface, is_likely=is_likely)


def _choice(kind: Kind, text: str = "", *, samples: int = 1, is_likely: bool = True) -> Choice:
    prior = 1.0 if is_likely else _SECOND_THOUGHT
    return Choice(action=Action(kind=kind, text=text), prior=prior, samples=samples)
