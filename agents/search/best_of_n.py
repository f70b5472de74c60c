"""Best-of-N: one path after the other from the root to an end, drawn by the priors; the baseline of every tree search.

Repeated sampling as in Brown et al., Large Language Monkeys, arXiv 2407.21787; N is what the budget allows. What an
earlier path has done already is not paid again: a path goes through states that it shares and is drawn on from there.
"""

from dataclasses import dataclass

from numpy.random import Generator

from agents.search.play_out import draw, tip
from agents.search.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOfN:
    """Goes on with the path that it began, and begins another when that has ended or is under way."""

    def select(self, tree: Tree, rng: Generator) -> tuple[int, int] | None:
        """Return where to search on; no value of any node counts. Costs a look at every node."""
        node = tip(tree) or tree.root
        while node.untried:
            child, place = draw(tree, node, rng)
            if child is None:
                return node.node_id, place
            node = child
        return None
