"""Rollouts to the end: a path that was begun is finished before a policy is asked for the next.

The simulation phase of Kocsis & Szepesvári, ECML 2006; the searches over steps of a language model run each rollout to
a terminal state too (rStar, arXiv 2408.06195; MCTS-RAG, arXiv 2503.20757). There is an answer after the first path, not
after all choices near the root. States on the way stay in the tree, as they have been paid for.
"""

from dataclasses import dataclass

from numpy.random import Generator

from agents.search.nodes import Node
from agents.search.tree import ROOT, Policy, Tree

Step = tuple[Node | None, int]  # a child and its choice, or None and an open choice


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayOut:
    """Goes on with a path to its end by choices drawn by their priors; `policy` says where the next one leaves."""

    policy: Policy

    def select(self, tree: Tree, rng: Generator) -> tuple[int, int] | None:
        """Return where to search on. Costs a look at every node."""
        node = tip(tree)
        return self.policy.select(tree, rng) if node is None else (node.node_id, draw(tree, node, rng)[1])


def tip(tree: Tree) -> Node | None:
    """Return the end of a path that goes on and from which nothing was tried: of several, that of the lowest id."""
    ends = (one.node_id for one in tree.nodes.values() if one.node_id != ROOT and one.untried and not any(one.tries))
    return tree.nodes.get(min(ends, default=-1))


def draw(tree: Tree, node: Node, rng: Generator) -> Step:
    """Return a step down from a state with something left to try, drawn by the priors; alike where all are 0."""
    steps: list[Step] = [(None, place) for place in node.open_choices()]
    steps += [(child, child.choice) for child in tree.live_children(node)]
    weights = [node.choices[place].prior for _, place in steps]
    if not any(weights):
        return steps[int(rng.integers(len(steps)))]
    point = rng.random() * sum(weights)
    for step, weight in zip(steps, weights, strict=True):
        point -= weight
        if point < 0.0:
            return step
    return steps[-1]
