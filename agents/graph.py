"""The state machine: understand → search → note → (search once more) → answer → check → conclude.

A question that is bound to a time may go from note to version, which answers it by code where it can.
"""

from functools import cache
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from agents.nodes.answer import answer
from agents.nodes.check import check
from agents.nodes.conclude import conclude
from agents.nodes.note import note
from agents.nodes.search import search
from agents.nodes.understand import understand
from agents.nodes.version import is_decidable, version
from agents.state import State, Tools


@cache
def build_graph() -> CompiledStateGraph[State, Tools, State, State]:
    """Return the compiled graph: nodes and edges, nothing else."""
    graph = StateGraph(State, context_schema=Tools)
    graph.add_node("understand", understand)
    graph.add_node("search", search)
    graph.add_node("note", note)
    graph.add_node("version", version)
    graph.add_node("answer", answer)
    graph.add_node("check", check)
    graph.add_node("conclude", conclude)
    graph.add_edge(START, "understand")
    graph.add_edge("understand", "search")
    graph.add_conditional_edges("search", after_search)
    graph.add_conditional_edges("note", after_note)
    graph.add_conditional_edges("version", after_version)
    graph.add_edge("answer", "check")
    graph.add_edge("check", "conclude")
    graph.add_edge("conclude", END)
    return graph.compile()


def after_search(state: State) -> Literal["note", "conclude"]:
    """Return the next node: reading, or out when the collection does not know what the question is about."""
    return "conclude" if state["unknown_names"] or not state["hits"] else "note"


def after_note(state: State, runtime: Runtime[Tools]) -> Literal["search", "version", "answer", "conclude"]:
    """Return the next node: back to search for a part without a note, on to the answer, or out with nothing."""
    searches_left = 1 + runtime.context.agent.extra_searches - len(state.get("queries", ()))
    if state.get("missing") and searches_left > 0:
        return "search"
    if not state.get("notes"):
        return "conclude"
    return "version" if runtime.context.agent.versions and is_decidable(state.get("time")) else "answer"


def after_version(state: State) -> Literal["check", "answer", "conclude"]:
    """Return the next node: on with the draft, out where only other times are told, to the model where none is."""
    if state.get("draft"):
        return "check"
    return "conclude" if state.get("time_gap") else "answer"
