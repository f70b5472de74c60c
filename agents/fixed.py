"""The agent without decisions: one search, one reading, one answer. Baseline, and what a decision must beat."""

from functools import cache
from itertools import pairwise

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agents.nodes.answer import answer
from agents.nodes.check import check
from agents.nodes.conclude import conclude
from agents.nodes.note import note
from agents.nodes.search import search
from agents.nodes.understand import understand
from agents.state import State, Tools


@cache
def build_fixed() -> CompiledStateGraph[State, Tools, State, State]:
    """Return the compiled chain; without notes the answer node is told nothing and the chain abstains."""
    graph = StateGraph(State, context_schema=Tools)
    chain = {
        "understand": understand,
        "search": search,
        "note": note,
        "answer": answer,
        "check": check,
        "conclude": conclude,
    }
    for name, node in chain.items():
        graph.add_node(name, node)
    names = [START, *chain, END]
    for before, after in pairwise(names):
        graph.add_edge(before, after)
    return graph.compile()
