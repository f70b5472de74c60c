"""UCT: whatever has not been tried first, then the child of the highest upper confidence bound.

Kocsis & Szepesvári, Bandit based Monte-Carlo planning, ECML 2006; the bound is UCB1 of Auer, Cesa-Bianchi & Fischer,
Machine Learning 47, 2002: `Q(s,a) / N(s,a) + C * sqrt(ln N(s) / N(s,a))`.
"""

from dataclasses import dataclass
from math import log, sqrt

from numpy.random import Generator

from agents.search.nodes import Node
from agents.search.tree import Tree

UCB1_CONSTANT = sqrt(2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uct:
    """Widens a node by each of its choices, in their order, before it goes below its children.

    `exploration_weight` is C: sqrt(2) is UCB1's for values from 0 to 1; the code of MCTS-RAG (arXiv 2503.20757) has 2.
    """

    exploration_weight: float = UCB1_CONSTANT

    def select(self, tree: Tree, rng: Generator) -> tuple[int, int] | None:
        """Return where to search on; ties go to the lower id."""
        node = tree.root
        while node.untried:
            if places := node.open_choices():
                return node.node_id, places[0]
            node = self._best(node, tree.live_children(node))
        return None

    def _best(self, parent: Node, children: list[Node]) -> Node:
        logarithm = log(max(1, parent.visits + parent.pending))

        def bound(child: Node) -> float:
            return child.mean + self.exploration_weight * sqrt(logarithm / (child.visits + child.pending))

        return max(children, key=bound)
