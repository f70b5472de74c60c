"""AB-MCTS-A: at each node wider or deeper, by Thompson sampling.

Inoue et al., Wider or Deeper? Scaling LLM Inference-Time Compute with Adaptive Branching Tree Search, arXiv 2503.04412:
variant A, where a node GEN stands for a new child and a node CONT for all that there are. A score counts for GEN and
for the choice at the parent of its node, and for CONT and the child at every node further up.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from agents.search.nodes import QUANTUM, Node
from agents.search.tree import Tree

Posterior = Literal["gaussian", "beta"]
Scores = NDArray[np.float64]
"""Scores of so many groups, shape (groups, 3): how many, their sum and the sum of their squares."""

# the paper's priors: a normal-inverse-chi-squared distribution of mean and variance, and Jeffreys' of a share
_MEAN, _KAPPA, _NU, _TAU_SQUARED = 0.0, 1.0, 1.0, 0.1
_BETA = 0.5

_CREDIT, _BELOW, _CHOICE, _UNTRIED = 0, slice(1, 4), 4, 5  # columns of a table of children


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaussian:
    """Normal-inverse-chi-squared distributions of the mean and the variance of scores, each of shape (groups,)."""

    mean: NDArray[np.float64]
    kappa: NDArray[np.float64]
    nu: NDArray[np.float64]
    tau_squared: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class AbMcts:
    """Samples a mean for GEN and for CONT, then one for each choice or each child; the highest is followed.

    `posterior` is "gaussian", the paper's default, or "beta" from Jeffreys' prior. How wide a node may become is said
    by the samples of its choices. A pending trial counts as a score of 0, which the paper's batches go without.
    """

    posterior: Posterior = "gaussian"

    def select(self, tree: Tree, rng: Generator) -> tuple[int, int] | None:
        """Return where to search on. Costs a look at every child on the way down."""
        node = tree.root
        while node.untried:
            children = _table(tree.nodes[child] for child in node.children)
            live = children[:, _UNTRIED] > 0
            places = node.open_choices()
            if places and (not live.any() or self._goes_wider(node, children, rng)):
                return node.node_id, places[self._best(_of_choices(node, children, places), rng)]
            best = self._best(children[live, _BELOW], rng)
            node = tree.nodes[node.children[int(np.flatnonzero(live)[best])]]
        return None

    def _goes_wider(self, node: Node, children: NDArray[np.float64], rng: Generator) -> bool:
        generated = _own(children, pending=sum(node.tries) - len(children))
        continued = children[:, _BELOW].sum(axis=0)
        return self._best(np.stack([generated, continued]), rng) == 0

    def _best(self, scores: Scores, rng: Generator) -> int:
        return int(self.draw(scores, rng).argmax())

    def draw(self, scores: Scores, rng: Generator) -> NDArray[np.float64]:
        """Return a mean drawn from the posterior of each group, shape (groups,)."""
        if self.posterior == "beta":
            n, total, _ = scores.T
            return np.asarray(rng.beta(_BETA + total, _BETA + n - total))
        known = gaussian(scores)
        variance = known.nu * known.tau_squared / 2 / rng.standard_gamma(known.nu / 2)
        return np.asarray(known.mean + np.sqrt(variance / known.kappa) * rng.standard_normal(len(scores)))


def gaussian(scores: Scores) -> Gaussian:
    """Return the posterior of each group; that of none is the prior.

    `m' = (kappa m + n x) / kappa'`, `nu' tau'^2 = nu tau^2 + SS + n kappa (m - x)^2 / kappa'`, where x is the mean of
    the scores, SS the sum of squares about it, and kappa' and nu' are larger by n.
    """
    n, total, squares = scores.T
    mean = total / np.maximum(n, 1.0)
    kappa, nu = _KAPPA + n, _NU + n
    spread = np.maximum(squares - n * mean * mean, 0.0) + n * _KAPPA * (_MEAN - mean) ** 2 / kappa
    return Gaussian(
        mean=(_KAPPA * _MEAN + total) / kappa, kappa=kappa, nu=nu, tau_squared=(_NU * _TAU_SQUARED + spread) / nu
    )


def _table(children: Iterable[Node]) -> NDArray[np.float64]:
    """Return a row for each child: its own score, the scores below it, its choice and what is left to try."""
    rows = [
        (one.credit, one.visits - 1 + one.pending, one.value_sum, one.square_sum, one.choice, one.untried)
        for one in children
    ]
    table = np.array(rows, dtype=np.float64).reshape(-1, _UNTRIED + 1)
    own = table[:, _CREDIT]
    table[:, 2] -= own
    table[:, 3] -= np.round(own * own / QUANTUM) * QUANTUM  # as it was added up
    return table


def _of_choices(node: Node, children: NDArray[np.float64], places: list[int]) -> Scores:
    made = [children[children[:, _CHOICE] == place] for place in places]
    return np.array(
        [_own(mine, pending=node.tries[place] - len(mine)) for mine, place in zip(made, places, strict=True)]
    )


def _own(children: NDArray[np.float64], *, pending: int) -> NDArray[np.float64]:
    """Return the own scores of these children as one group; those under way count 0."""
    own = children[:, _CREDIT]
    return np.array([len(own) + pending, own.sum(), (own * own).sum()])
