"""Which finished path becomes the answer: votes over the leaves, at any moment, with or without rewards."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from agents.search.nodes import Node
from agents.search.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A finished path: its node, the key under which equal answers meet, and what it weighs, not below 0.

    Raises:
        ValueError: the weight is below 0, or no number.
    """

    node_id: int
    answer: Hashable
    weight: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.weight < float("inf"):
            raise ValueError(f"leaf {self.node_id} weighs {self.weight}; a weight is a number that is not below 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """The answer of the heaviest group, and the leaf that stands for it; both None where no path is finished.

    `shares` has each answer's part of all weight, best first; they add up to 1. `confidence` is the first, else 0.
    """

    answer: Hashable | None = None
    node_id: int | None = None
    confidence: float = 0.0
    shares: Mapping[Hashable, float]


def finished(tree: Tree) -> list[Node]:
    """Return the terminal nodes, by id, one of each state."""
    return [
        tree.nodes[one] for one in sorted(tree.nodes) if tree.nodes[one].is_terminal and not tree.nodes[one].is_pruned
    ]


def path_reward(tree: Tree, node_id: int) -> float:
    """Return the product of the rewards on the path below the root: 1 for the root (MCTS-RAG, section on voting)."""
    return prod(node.value for node in tree.path(node_id)[1:])


def leaves_of(tree: Tree, answer: Callable[[Node], Hashable]) -> list[Leaf]:
    """Return the finished paths, each with its reward as its weight."""
    return [
        Leaf(node_id=node.node_id, answer=answer(node), weight=path_reward(tree, node.node_id))
        for node in finished(tree)
    ]


def weighted_vote(leaves: Sequence[Leaf]) -> Vote:
    """Return the answer with the most weight: `sum of its leaves' rewards / sum of all` (MCTS-RAG, arXiv 2503.20757).

    Where no leaf weighs anything, each counts the same. The heaviest leaf stands for its group. Equal groups: the one
    whose leaf is heavier, then the lower id. The order of the leaves does not matter.
    """
    if leaves and not any(leaf.weight for leaf in leaves):
        leaves = [Leaf(node_id=leaf.node_id, answer=leaf.answer, weight=1.0) for leaf in leaves]
    groups: dict[Hashable, list[Leaf]] = {}
    for leaf in sorted(leaves, key=lambda one: (-one.weight, one.node_id)):
        groups.setdefault(leaf.answer, []).append(leaf)
    weights = {answer: sum(leaf.weight for leaf in group) for answer, group in groups.items()}
    best_first = sorted(weights, key=lambda answer: -weights[answer])  # equal ones stay in the order of their leaves
    if not best_first:
        return Vote(shares={})
    total = sum(weights.values())
    shares = {answer: weights[answer] / total for answer in best_first}
    best = best_first[0]
    return Vote(answer=best, node_id=groups[best][0].node_id, confidence=shares[best], shares=shares)


def jaccard_consistency(answers: Sequence[str]) -> NDArray[np.float64]:
    """Return, for each answer, the mean share of words that it has in common with all answers, shape (len(answers),).

    `(1 / N) sum_j |A_i and A_j| / |A_i or A_j|` over sets of words in lower case, itself included; two without words
    agree. The answer with the highest is chosen, or they are weights of leaves. (AirRAG, arXiv 2501.10053.)
    """
    words = [frozenset(answer.lower().split()) for answer in answers]
    shared = [[len(one & other) / len(one | other) if one | other else 1.0 for other in words] for one in words]
    return np.array([sum(row) / len(words) for row in shared], dtype=np.float64)


def embedding_consistency(embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return, for each answer, the mean cosine between its embedding and all of them, shape (len(embeddings),).

    `(1 / N) sum_j cos(E_i, E_j)`, from -1 to 1, itself included; rows need not have norm 1, a row of zeros is like
    none. The answer with the highest is chosen; below 0 it is no weight of a leaf. (AirRAG, arXiv 2501.10053.)
    """
    rows = np.asarray(embeddings, dtype=np.float64)
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    unit = rows / np.where(norms > 0.0, norms, 1.0)
    return np.asarray(unit @ unit.sum(axis=0) / max(1, len(unit)))


def is_decided(leaves: Sequence[Leaf], *, remaining: int, highest: float = 1.0) -> bool:
    """Tell whether the leading answer stays first whatever the remaining rollouts bring.

    Each may finish one path, of weight `highest` at most, for the runner-up or for an answer that is new.
    """
    if remaining < 1:
        return True
    weights: dict[Hashable, float] = {}
    for leaf in leaves:
        weights[leaf.answer] = weights.get(leaf.answer, 0.0) + leaf.weight
    first, second, *_ = [*sorted(weights.values(), reverse=True), 0.0, 0.0]
    return first > second + remaining * highest
