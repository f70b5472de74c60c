"""Carries an action of the tree search out with the nodes of the graph, and asks the model which one it would take."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from langgraph.runtime import Runtime
from pydantic import BaseModel

from agents.actions import TOLD, focus, is_new, prepared, searching_for
from agents.asking import ask
from agents.composing import compose
from agents.graph import after_search, after_version
from agents.nodes.answer import answer
from agents.nodes.check import check
from agents.nodes.note import note
from agents.nodes.plan import plan
from agents.nodes.search import search
from agents.nodes.version import is_decidable, version
from agents.notes import numbered
from agents.reading import one_line
from agents.search.nodes import Action, Choice
from agents.state import State, Tools, merged
from app.core.errors import MissingCapability
from app.core.prompts import load_prompt
from app.core.protocols import FirstTokenScorer, LanguageModel
from app.core.run import Run
from app.core.types import Completion, Prompt, Sampling

_LETTERS = "ABCDEFGHIJ"
_FACTS = 8  # notes that a short prompt shows, the newest


class Reformulation(BaseModel):
    """Another query."""

    query: str


class _Warm:
    """A model that draws from its whole distribution, so that samples differ (AirRAG's q_div); a LanguageModel."""

    def __init__(self, model: LanguageModel) -> None:
        self.model_id = model.model_id
        self._model = model

    def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
        return self._model.generate(prompts, sampling=replace(sampling, temperature=1.0), run=run)


def perform(state: State, action: Action, tools: Tools, *, sample: int) -> tuple[State, Action]:
    """Return the state that an action leads to, and the action with the words that have become clear.

    `sample` counts from 1 how often it is taken from this state: what is worded by the model is greedy at first, drawn
    later. A state that comes back as it was means that nothing new could be done.

    Raises:
        AppError: a model or an index failed, or the budget ran out.
    """
    if action.kind == "answer":
        ended = _answered(state, tools)
        draft = ended.get("draft")
        return ended, replace(action, text=draft.short or draft.claims[0].text if draft else "")
    if action.kind == "decompose":
        planned = merged(state, plan(state, _with(_worded(tools, sample))))
        action = replace(action, text=" · ".join(goal.pattern for goal in planned["goals"]))
        return _looked_up(planned, tools), action
    if action.kind != "reformulate":
        return _looked_up(prepared(state, action), tools), action
    query = _reformulated(state, _worded(tools, sample))
    action = replace(action, text=query)
    return (_looked_up(searching_for(state, query), tools) if is_new(state, query) else state), action


def composed(state: State) -> State:
    """Return the state with the answer that code makes of what is established; as it was where there is none."""
    draft = compose(state["question"].text, state.get("goals", ()), numbered(state.get("notes", ())))
    return state if draft is None else merged(state, {"draft": draft})


def with_priors(choices: tuple[Choice, ...], state: State, *, model: LanguageModel, run: Run) -> tuple[Choice, ...]:
    """Return the choices with the probability of each one's letter as the model's first token.

    They stay alike where there is nothing to choose, and where the model cannot tell. One short call else.
    """
    if len(choices) <= 1 or not isinstance(model, FirstTokenScorer):
        return choices
    letters = _LETTERS[: len(choices)]
    actions = [
        f"{letter}. {TOLD[choice.action.kind]}{': ' if choice.action.text else ''}{one_line(choice.action.text)}"  # type: ignore[index]
        for letter, choice in zip(letters, choices, strict=True)
    ]
    prompt = load_prompt("agents", "act").render(
        question=one_line(state["question"].text),
        facts=_facts(state),
        nonce=run.nonce,
        actions="\n".join(actions),
    )
    try:
        logprobs = model.first_token_logprobs([prompt], choices=list(letters), run=run)[0].astype(np.float64)
    except MissingCapability:  # the server behind it tells none
        return choices
    odds = np.exp(np.nan_to_num(logprobs, nan=-np.inf))
    if not odds.sum() > 0.0:
        return choices
    return tuple(replace(choice, prior=float(p)) for choice, p in zip(choices, odds / odds.sum(), strict=True))


def _with(tools: Tools) -> Runtime[Tools]:
    return Runtime(context=tools)


def _worded(tools: Tools, sample: int) -> Tools:
    """Return the tools with which the model words something: as it thinks best at first, later drawn by a seed."""
    if sample == 1:
        return tools
    return replace(tools, model=_Warm(tools.model), run=replace(tools.run, seed=tools.run.seed + sample - 1))


def _looked_up(state: State, tools: Tools) -> State:
    state = merged(state, search(state, _with(tools)))
    return merged(state, note(state, _with(tools))) if after_search(state) == "note" else state


def _answered(state: State, tools: Tools) -> State:
    if tools.agent.versions and is_decidable(state.get("time")):
        state = merged(state, version(state, _with(tools)))
        if after_version(state) == "conclude":
            return state
    if not state.get("draft"):
        state = merged(state, answer(state, _with(tools)))
    return merged(state, check(state, _with(tools)))


def _reformulated(state: State, tools: Tools) -> str:
    goal = focus(state)
    if goal is None:
        return ""
    prompt = load_prompt("agents", "reformulate").render(
        facts=_facts(state),
        nonce=tools.run.nonce,
        question=one_line(goal.text),
        tried="; ".join(map(one_line, goal.queries)),
    )
    with tools.tracer.step("reformulate") as step:
        tools.run.check()
        query = " ".join(ask(tools, prompt, shape=Reformulation, max_tokens=60).query.split())
        step.tell(query)
    return query


def _facts(state: State) -> str:
    notes = [note for note in state.get("notes", ()) if note.stance == "supports"][-_FACTS:]
    return "\n".join(f"- {one_line(note.quote)}" for note in notes) or "none"
