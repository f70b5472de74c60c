"""The state machine: understand → plan → search → note → (search on) → answer → check → conclude.

Each round searches and reads for every goal whose question is known; an answer of one goal makes the next one's
question. A question that is bound to a time may go from note to version, which answers it by code where it can; one
that comes with pinned notes is answered from them without a search.
"""

from functools import cache
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from agents.keeping import kept
from agents.nodes.answer import answer
from agents.nodes.check import check
from agents.nodes.conclude import conclude
from agents.nodes.note import note
from agents.nodes.plan import plan, take_whole
from agents.nodes.search import search
from agents.nodes.understand import understand
from agents.nodes.version import is_decidable, version
from agents.planning import is_established, ready
from agents.state import State, Tools


@cache
def build_graph() -> CompiledStateGraph[State, Tools, State, State]:
    """Return the compiled graph: nodes and edges, nothing else."""
    graph = StateGraph(State, context_schema=Tools)
    for node in (understand, plan, take_whole, search, note, version, answer, check, conclude):
        graph.add_node(node.__name__, kept(node))
    graph.add_edge(START, "understand")
    graph.add_conditional_edges("understand", after_understand)
    graph.add_edge("plan", "search")
    graph.add_edge("take_whole", "search")
    graph.add_conditional_edges("search", after_search)
    graph.add_conditional_edges("note", after_note)
    graph.add_conditional_edges("version", after_version)
    graph.add_edge("answer", "check")
    graph.add_edge("check", "conclude")
    graph.add_edge("conclude", END)
    return graph.compile()


def after_understand(state: State) -> Literal["plan", "answer"]:
    """Return the next node: at once to the answer where the asker pinned the notes that it is to be made of."""
    return "answer" if state.get("notes") else "plan"


def after_search(state: State) -> Literal["note", "conclude"]:
    """Return the next node: reading, or out when the collection does not know what the question is about."""
    found = any(state["hits"].values()) or state.get("notes")
    return "conclude" if state["unknown_names"] or not found else "note"


def after_note(
    state: State, runtime: Runtime[Tools]
) -> Literal["search", "take_whole", "version", "answer", "conclude"]:
    """Return the next node: back to search, on to the answer, or out where nothing was established.

    What can be looked up now is searched; once nothing can be and the parts do not tell, the whole question is.
    """
    goals, notes = state["goals"], state.get("notes", ())
    if ready(goals):
        return "search"
    if notes and runtime.context.agent.versions and is_decidable(state.get("time")):
        return "version"
    if not is_established(goals) and not goals[-1].is_whole:
        return "take_whole"
    return "answer" if any(note.stance == "supports" for note in notes) else "conclude"


def after_version(state: State) -> Literal["check", "answer", "conclude"]:
    """Return the next node: on with the draft, out where only other times are told, to the model where none is."""
    if state.get("draft"):
        return "check"
    return "conclude" if state.get("time_gap") else "answer"
