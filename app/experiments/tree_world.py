"""A scripted world whose best path is known: how far each search policy stays from it, apart from any model.

A state is a node of a full tree. Each step has a quality, drawn from 0 to 1; a state is worth the mean quality of the
steps that led to it, and a search sees that with noise. Of a leaf's worth a part may be hidden until it is reached.
Simple regret (Bubeck, Munos & Stoltz, Pure exploration in multi-armed bandits, ALT 2009) is what the best leaf is worth
more than the leaf that the search would answer with; no leaf yet is worth 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from agents.search.ab_mcts import AbMcts
from agents.search.beam import Beam
from agents.search.best_first import BestFirst
from agents.search.best_of_n import BestOfN
from agents.search.nodes import Action, Choice, Node, Outcome
from agents.search.play_out import PlayOut
from agents.search.puct import Puct
from agents.search.selection import leaves_of, weighted_vote
from agents.search.tree import ROOT, Policy, Tree, ask, new_tree, tell
from agents.search.uct import Uct
from app.evaluation.significance import Bootstrap, Interval

_TREE_POLICIES: Mapping[str, Policy] = {
    "uct": Uct(),
    "puct": Puct(),
    "ab_mcts_gaussian": AbMcts(posterior="gaussian"),
    "ab_mcts_beta": AbMcts(posterior="beta"),
    "best_first": BestFirst(),
}
POLICIES: Mapping[str, Policy] = {
    **_TREE_POLICIES,
    **{f"{name}_played_out": PlayOut(policy=policy) for name, policy in _TREE_POLICIES.items()},
    "beam": Beam(),
    "best_of_n": BestOfN(),
}
ALL, WITH_HINTS, WITHOUT_HINTS = "all", "all with hints", "all without hints"
ROLLOUTS = (8, 16, 32, 64)
SEEDS = range(200)
_SHARPNESS = 4.0  # a hint's logit from the worst step to the best, against noise of deviation 1


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A kind of world: `noise` is the deviation of what is seen, `hidden` the part of a leaf's worth not seen before.

    `has_hints` tells whether priors know something of the qualities, or nothing at all.
    """

    width: int
    depth: int
    noise: float
    hidden: float
    has_hints: bool

    @property
    def name(self) -> str:
        """Its size and what is known in it."""
        hints = "hints" if self.has_hints else "no hints"
        return f"{self.width}^{self.depth} noise {self.noise:g} hidden {self.hidden:g} {hints}"


WORLDS = tuple(
    World(width=width, depth=depth, noise=noise, hidden=hidden, has_hints=has_hints)
    for (width, depth), noise, hidden, has_hints in product(
        ((2, 6), (4, 4), (8, 3)), (0.1, 0.3), (0.0, 0.5), (False, True)
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegretRow:
    """The mean simple regret of a policy after so many rollouts, over seeds; of one world or of several together."""

    world: str
    policy: str
    rollouts: int
    regret: Interval


class Drawn:
    """One world drawn from a seed: what its states are worth, what is seen of them and the priors, all level by level.

    Place p of a level has the children `p * width` to `p * width + width - 1` of the next.
    """

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        rng = np.random.default_rng(seed)
        sums = np.zeros(1)
        self._seen: list[NDArray[np.float64]] = [sums]
        self._priors: list[NDArray[np.float64]] = []
        for level in range(1, world.depth + 1):
            quality = rng.random(world.width**level)
            sums = np.repeat(sums, world.width) + quality
            self.worth = sums / level
            if level == world.depth:
                self.worth = (1.0 - world.hidden) * self.worth + world.hidden * rng.random(len(sums))
            self._seen.append(np.clip(self.worth + world.noise * rng.standard_normal(len(sums)), 0.0, 1.0))
            logits = _SHARPNESS * world.has_hints * quality + rng.standard_normal(len(sums))
            odds = np.exp(logits).reshape(-1, world.width)
            self._priors.append(odds / odds.sum(axis=1, keepdims=True))

    def choices(self, level: int, place: int) -> tuple[Choice, ...]:
        """Return the steps from a state, none from a leaf."""
        if level == self._world.depth:
            return ()
        steps = enumerate(self._priors[level][place])
        return tuple(Choice(action=Action(kind="step", text=str(step)), prior=float(prior)) for step, prior in steps)

    def outcome(self, level: int, place: int) -> Outcome:
        """Return what a search sees of a state that it has reached."""
        is_leaf = level == self._world.depth
        return Outcome(
            value=float(self._seen[level][place]), choices=self.choices(level, place), is_terminal=is_leaf, cost=1.0
        )

    def regret(self, place: int | None) -> float:
        """Return what the best leaf is worth more than this one, or than nothing."""
        return float(self.worth.max() - (0.0 if place is None else self.worth[place]))


def play(drawn: Drawn, policy: Policy, *, rollouts: Sequence[int], seed: int) -> list[float]:
    """Return the regret after each of those numbers of rollouts, which ascend; a search that ends early stays at it."""
    tree = new_tree(drawn.choices(0, 0), seed=seed)
    places = {ROOT: 0}
    regrets = []
    for done in range(1, rollouts[-1] + 1):
        for trial in ask(tree, policy):
            place = places[trial.parent] * len(tree.nodes[trial.parent].choices) + trial.choice
            places[trial.trial_id] = place
            tell(tree, trial.trial_id, drawn.outcome(tree.nodes[trial.parent].depth + 1, place))
        if done in rollouts:
            answer = _answer(tree)
            regrets.append(drawn.regret(None if answer is None else places[answer]))
    return regrets


def regret_rows(
    worlds: Sequence[World] = WORLDS,
    policies: Mapping[str, Policy] = POLICIES,
    *,
    seeds: Sequence[int] = SEEDS,
    rollouts: Sequence[int] = ROLLOUTS,
) -> list[RegretRow]:
    """Return a row for each world, policy and number of rollouts; then of all worlds, and those with and without hints.

    All policies search the same draws, one rollout at a time. Intervals are bootstrap intervals over the seeds; for
    worlds together, over each seed's mean. The default takes some five minutes.
    """
    found = {world.name: _regrets(world, policies, seeds, rollouts) for world in worlds}
    groups = {
        ALL: [world.name for world in worlds],
        WITH_HINTS: [world.name for world in worlds if world.has_hints],
        WITHOUT_HINTS: [world.name for world in worlds if not world.has_hints],
    }
    found |= {group: np.mean([found[name] for name in names], axis=0) for group, names in groups.items() if names}
    bootstrap = Bootstrap(len(seeds), seed=0)
    rows = []
    for world, regrets in found.items():
        for name, table in zip(policies, regrets, strict=True):
            columns = {str(done): column.tolist() for done, column in zip(rollouts, table.T, strict=True)}
            rows += [
                RegretRow(world=world, policy=name, rollouts=int(done), regret=regret)
                for done, regret in bootstrap.means(columns).items()
            ]
    return rows


def _regrets(
    world: World, policies: Mapping[str, Policy], seeds: Sequence[int], rollouts: Sequence[int]
) -> NDArray[np.float64]:
    """Return the regrets of one world, shape (policies, seeds, rollouts)."""
    regrets = np.empty((len(policies), len(seeds), len(rollouts)))
    for at, seed in enumerate(seeds):
        drawn = Drawn(world, seed)
        for of_policy, policy in zip(regrets, policies.values(), strict=True):
            of_policy[at] = play(drawn, policy, rollouts=rollouts, seed=seed)
    return regrets


def _answer(tree: Tree) -> int | None:
    return weighted_vote(leaves_of(tree, _itself)).node_id


def _itself(node: Node) -> int:
    return node.node_id
