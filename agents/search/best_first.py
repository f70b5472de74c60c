"""Best-first search by `f = g + h`, an A* whose heuristic is what the evidence still lacks.

Chatziveroglou, A*-Decoding: Token-Efficient Inference Scaling, arXiv 2505.13672: `h = 1 - r(s)` with a reward r from 0
to 1, and g is the sum of the increases of h along the path, so that a path never looks cheap by having been bad.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from numpy.random import Generator

from agents.search.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class BestFirst:
    """Takes the state of the lowest f and tries all its choices before it looks at another."""

    def select(self, tree: Tree, rng: Generator) -> tuple[int, int] | None:
        """Return where to search on; ties go to the lower id. Costs a look at every node that is not closed."""
        found = min(_frontier(tree), default=None)
        if found is None:
            return None
        node = tree.nodes[found[-1]]
        return node.node_id, node.open_choices()[0]


def _frontier(tree: Tree) -> Iterator[tuple[bool, float, int]]:
    """Yield whether a state with open choices is new, its f and its id."""
    stack = [(tree.root, 0.0)]
    while stack:
        node, so_far = stack.pop()
        children = tree.live_children(node) if node.children else []
        if node.untried > sum([child.untried for child in children]):
            yield not any(node.tries), so_far + 1.0 - node.value, node.node_id
        stack += [(child, so_far + max(0.0, node.value - child.value)) for child in children]
