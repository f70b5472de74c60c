"""PUCT: the bound of a child grows with the prior that the model gives its action, before it was ever tried.

Silver et al., Mastering chess and shogi by self-play with a general reinforcement learning algorithm, Science 362,
2018 (pseudocode of the supplement): `Q(s,a) + P(s,a) * sqrt(N(s)) / (1 + N(s,a)) * (c + ln((N(s) + b + 1) / b))` with
c = 1.25, b = 19652, and Q = 0 for what was not tried. The priors are the caller's: first-token probabilities.
"""

from dataclasses import dataclass
from math import log, sqrt
from operator import itemgetter

from numpy.random import Generator

from agents.search.nodes import Node
from agents.search.tree import Tree

EXPLORATION_INIT = 1.25
EXPLORATION_BASE = 19_652.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Puct:
    """Weighs choices that were not tried and children against one another; priors are relative within a node."""

    exploration_weight: float = EXPLORATION_INIT
    exploration_base: float = EXPLORATION_BASE

    def select(self, tree: Tree, rng: Generator) -> tuple[int, int] | None:
        """Return where to search on; ties go to children, then to the caller's order."""
        node = tree.root
        while node.untried:
            weight = self._weight(node)
            bounds = [(self._bound(one, weight), one, one.choice) for one in tree.live_children(node)]
            bounds += [(_prior(node, place) * weight, node, place) for place in node.open_choices()]
            _, best, place = max(bounds, key=itemgetter(0))
            if best is node:
                return node.node_id, place
            node = best
        return None

    def _weight(self, node: Node) -> float:
        """Return what a prior is multiplied by for a choice without visits."""
        visits = node.visits + node.pending
        growth = self.exploration_weight + log((visits + self.exploration_base + 1.0) / self.exploration_base)
        total = sum(choice.prior for choice in node.choices)
        return sqrt(max(1, visits)) * growth / (total or 1.0)

    @staticmethod
    def _bound(child: Node, weight: float) -> float:
        return child.mean + child.prior * weight / (1 + child.visits + child.pending)


def _prior(node: Node, place: int) -> float:
    """Return the prior of a choice, shared among the samples that it has had and the next."""
    return node.choices[place].prior / (1 + node.tries[place])
