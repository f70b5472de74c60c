"""The agent without decisions: one search, one reading, one answer. Baseline, and what a decision must beat."""

from functools import cache
from itertools import pairwise
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from agents.keeping import kept
from agents.nodes.answer import answer
from agents.nodes.check import check
from agents.nodes.conclude import conclude
from agents.nodes.note import note
from agents.nodes.search import search
from agents.nodes.understand import understand
from agents.planning import with_whole
from agents.state import State, Tools


@cache
def build_fixed() -> CompiledStateGraph[State, Tools, State, State]:
    """Return the compiled chain; without notes the answer node is told nothing and the chain abstains."""
    graph = StateGraph(State, context_schema=Tools)
    chain = {
        "understand": understand,
        "one_goal": one_goal,
        "search": search,
        "note": note,
        "answer": answer,
        "check": check,
        "conclude": conclude,
    }
    for name, node in chain.items():
        graph.add_node(name, kept(node))
    names = [START, *chain, END]
    for before, after in pairwise(names):
        graph.add_edge(before, after)
    return graph.compile()


def one_goal(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return the question as the only goal."""
    runtime.context.emit("plan.created", {"parts": [state["question"].text]})
    return {"goals": with_whole((), state["question"].text)}
