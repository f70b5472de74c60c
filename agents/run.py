"""Runs an agent on one question; when the budget ends first, what was found so far is the answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import START

from agents.fixed import build_fixed
from agents.graph import build_graph
from agents.nodes.conclude import answer_of, tell_answer
from agents.state import Pinned, State, Tools
from agents.tagged import run_tagged
from agents.tree_search import run_tree
from app.core.errors import BudgetExhausted
from app.core.types import Answer, Question

_GRAPHS = {"graph": build_graph, "fixed": build_fixed}
_OTHERS = {"tagged": run_tagged, "tree": run_tree}

_NOTHING = Pinned()


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """Where the checkpoints of one question are kept; `state` is that of the last one, None before the first."""

    saver: BaseCheckpointSaver[str]
    name: str
    state: State | None = None

    @classmethod
    def open(cls, saver: BaseCheckpointSaver[str], name: str) -> "Thread":
        """Return the thread of that name as it was left.

        Raises:
            StaleCheckpoint: another version of Gnomon wrote it, or it was written under other settings.
        """
        found = saver.get_tuple({"configurable": {"thread_id": name}})
        if found is None:
            return cls(saver=saver, name=name)
        values = found.checkpoint["channel_values"]
        values = values.get(START, values)  # before the first node the state is what it will be given
        state = {key: values[key] for key in State.__annotations__ if key in values}
        return cls(saver=saver, name=name, state=cast("State", state))


def run_agent(question: Question, tools: Tools, *, thread: Thread | None = None, pinned: Pinned = _NOTHING) -> Answer:
    """Return the answer of the strategy that the settings name.

    With a thread the state is written down after every step, and where it has one already the question goes on from
    there: steps that are done are not done again, the one that was under way is begun again. Only graphs do so: a tree
    search and a tagged talk begin anew. Pinned notes are answered from by the graph, whatever the strategy.

    Raises:
        Cancelled: the caller stopped the work.
        AppError: a model or an index failed, or a checkpoint cannot be written.
    """
    before = thread.state if thread else None
    if (other := _OTHERS.get(tools.agent.strategy)) and not pinned.notes:
        return other(question, tools)
    state: State = before or _beginning(question, tools, pinned)
    if "answer" in state:
        return state["answer"]
    try:
        for values in _states(None if before else state, tools, thread):
            state = cast("State", values)
    except BudgetExhausted as error:
        answer = answer_of(state, tools, exhausted=str(error))
        if answer.status == "partial":
            tell_answer(answer, tools)
        return answer
    return state["answer"]


def _beginning(question: Question, tools: Tools, pinned: Pinned) -> State:
    state: State = {"question": question, "books": tools.tracer.books()}
    return {**state, "notes": pinned.notes, "passages": pinned.passages} if pinned.notes else state


def shape() -> str:
    """Return what names the nodes of all strategies: a checkpoint is of use to the graph that wrote it."""
    return repr({name: sorted(build().nodes) for name, build in _GRAPHS.items()})


def _states(begin: State | None, tools: Tools, thread: Thread | None) -> Iterator[dict[str, Any]]:
    """Return the states after each step, the first one before any."""
    graph = _GRAPHS.get(tools.agent.strategy, build_graph)()
    if thread is None:
        return graph.stream(begin, context=tools, stream_mode="values")
    config: RunnableConfig = {"configurable": {"thread_id": thread.name}}
    graph = graph.copy({"checkpointer": thread.saver})
    return graph.stream(begin, config, context=tools, stream_mode="values", durability="sync")
