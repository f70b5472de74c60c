"""Beam search: the best states of a depth are widened by all their choices before the next depth is looked at.

Lowerre, The Harpy Speech Recognition System, 1976; over thoughts of a language model: Yao et al., Tree of Thoughts,
NeurIPS 2023 (breadth-first search, b = 5).
"""

from dataclasses import dataclass

from numpy.random import Generator

from agents.search.nodes import Node
from agents.search.tree import Tree

WIDTH = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Beam:
    """Keeps `width` states of each depth, by value; states that are finished or lead nowhere take no place."""

    width: int = WIDTH

    def select(self, tree: Tree, rng: Generator) -> tuple[int, int] | None:
        """Return where to search on; None, too, while the rest of a depth is under way, and at the end of the beams.

        Ties go to the lower id.
        """
        beam = [tree.root]
        while beam:
            for node in beam:
                if places := node.open_choices():
                    return node.node_id, places[0]
            if any(sum(node.tries) > len(node.children) for node in beam):
                return None
            beam = self._best([tree.nodes[child] for node in beam for child in node.children])
        return None

    def _best(self, nodes: list[Node]) -> list[Node]:
        going_on = [node for node in nodes if node.choices and not node.is_pruned]
        return sorted(going_on, key=lambda node: (-node.value, node.node_id))[: self.width]
