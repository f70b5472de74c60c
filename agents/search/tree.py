"""A search tree that is asked what to try next and told what came of it; pure: no model, no I/O, no clock.

One rollout is one trial: a policy selects a node and a choice there (select), the caller carries the action out and
values the state (expand, evaluate), and `tell` adds the node and its value up to the root (backpropagate). So any
policy, alone or in batches, works on the same tree; the form is that of `ask_batch` and `tell` of Inoue et al., Wider
or Deeper?, arXiv 2503.04412.

A tree belongs to one caller, in one thread, and is changed in place: a copy for each rollout would make a search
quadratic. Whoever needs a value of it takes a checkpoint (`agents.search.checkpoint`). What stands in a tree follows
from its seed, the asks and the outcomes; the order in which those of a batch are told does not matter.
"""

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.random import Generator

from agents.search.nodes import Action, Choice, Node, Outcome, Trial, exact

ROOT = 0
SEEDS = 2**128  # what the generator's key holds


@dataclass(slots=True, kw_only=True)
class Tree:
    """Nodes by id; a node's id is that of the trial that made it, the root's is 0.

    `trials` are those under way, `next_trial` is the id of the next. `states` has the one node of each digest.
    """

    seed: int
    nodes: dict[int, Node]
    trials: dict[int, Trial] = field(default_factory=dict)
    next_trial: int = 1
    states: dict[str, int] = field(default_factory=dict)

    @property
    def root(self) -> Node:
        """The state that the search began with."""
        return self.nodes[ROOT]

    def path(self, node_id: int) -> list[Node]:
        """Return the nodes from the root, which is the first, to this one."""
        return [*self.upwards(node_id)][::-1]

    def live_children(self, node: Node) -> list[Node]:
        """Return the children below which there is something to try, by id."""
        return [child for child in map(self.nodes.__getitem__, node.children) if child.untried]

    def upwards(self, node_id: int | None) -> Iterator[Node]:
        """Yield the node, its parent and so on to the root; nothing for None."""
        while node_id is not None:
            node = self.nodes[node_id]
            yield node
            node_id = node.parent


class Policy(Protocol):
    """A rule that says where to search on; it holds its constants and nothing else."""

    def select(self, tree: Tree, rng: Generator) -> tuple[int, int] | None:
        """Return the id of a node and the place of one of its open choices; None if there is none to take now.

        Never changes the tree, and draws from nothing but `rng`.
        """
        ...


def new_tree(choices: tuple[Choice, ...], *, seed: int, digest: str = "") -> Tree:
    """Return a tree of one state, from which these choices may be taken.

    Raises:
        ValueError: the seed is below 0 or has more than 128 bits.
    """
    if not 0 <= seed < SEEDS:
        raise ValueError(f"a seed is a whole number from 0 to 2 ** 128 - 1, not {seed}")
    root = Node(node_id=ROOT, parent=None, action=Action(kind="root"), digest=digest)
    tree = Tree(seed=seed, nodes={ROOT: root}, states={digest: ROOT} if digest else {})
    _open(tree, root, choices)
    return tree


def ask(tree: Tree, policy: Policy, n: int = 1) -> list[Trial]:
    """Return up to `n` trials to carry out, in any order or at once; each counts as a loss until it is told.

    Fewer, or none, come back when the policy has nothing to select: for good if none of `tree.trials` is under way,
    otherwise until one is told or expires. The draws of a trial follow from the tree's seed and the trial's id.
    """
    trials = []
    for _ in range(n):
        selected = policy.select(tree, _draws(tree))
        if selected is None:
            break
        trials.append(_begin(tree, *selected))
    return trials


def tell(tree: Tree, trial_id: int, outcome: Outcome) -> Node | None:
    """Return the node that the trial made, after adding its value to all above; told again, it changes nothing.

    A state that another node has, or that adds no evidence, is pruned: it counts as a visit worth 0 and is never
    searched (AirRAG, arXiv 2501.10053, keeps one of identical states too). None where the trial has expired. Costs as
    many steps as the node is deep.

    Raises:
        ValueError: there never was such a trial.
    """
    trial = _end(tree, trial_id)
    if trial is None:
        return tree.nodes.get(trial_id)
    node = _add(tree, trial, outcome)
    _backpropagate(tree, node.node_id, visits=1, value=node.value)
    if not outcome.adds_evidence:
        _prune(tree, node)
    elif node.digest:
        _keep_one(tree, node)
    return node


def expire(tree: Tree, trial_id: int) -> None:
    """Undo a trial that was not carried out, so that it may be asked again; one that has ended stays as it is.

    Raises:
        ValueError: there never was such a trial.
    """
    trial = _end(tree, trial_id)
    if trial is not None:
        node = tree.nodes[trial.parent]
        node.tries[trial.choice] -= 1
        _count_untried(tree, node.node_id, 1)


def _draws(tree: Tree) -> Generator:
    """Return the random numbers of the next trial: 2 ** 64 blocks of the seed's stream are its own."""
    return np.random.Generator(np.random.Philox(key=tree.seed, counter=tree.next_trial << 64))


def _begin(tree: Tree, node_id: int, choice: int) -> Trial:
    node = tree.nodes[node_id]
    trial = Trial(trial_id=tree.next_trial, parent=node_id, choice=choice, action=node.choices[choice].action)
    tree.next_trial += 1
    tree.trials[trial.trial_id] = trial
    node.tries[choice] += 1
    _count_untried(tree, node_id, -1)
    for above in tree.upwards(node_id):
        above.pending += 1
    return trial


def _end(tree: Tree, trial_id: int) -> Trial | None:
    """Take a trial from those under way; None where it has ended already."""
    if not ROOT < trial_id < tree.next_trial:
        raise ValueError(f"there is no trial {trial_id}; the last one asked is {tree.next_trial - 1}")
    trial = tree.trials.pop(trial_id, None)
    if trial is not None:
        for above in tree.upwards(trial.parent):
            above.pending -= 1
    return trial


def _add(tree: Tree, trial: Trial, outcome: Outcome) -> Node:
    parent = tree.nodes[trial.parent]
    node = Node(
        node_id=trial.trial_id,
        parent=trial.parent,
        action=outcome.action or trial.action,
        choice=trial.choice,
        depth=parent.depth + 1,
        prior=parent.choices[trial.choice].prior,
        value=exact(outcome.value),
        digest=outcome.digest,
        cost=outcome.cost,
        is_terminal=outcome.is_terminal,
    )
    tree.nodes[node.node_id] = node
    insort(parent.children, node.node_id)
    _open(tree, node, outcome.choices)
    return node


def _open(tree: Tree, node: Node, choices: tuple[Choice, ...]) -> None:
    node.choices, node.tries = choices, [0] * len(choices)
    _count_untried(tree, node.node_id, sum(choice.samples for choice in choices))


def _backpropagate(tree: Tree, node_id: int, *, visits: int, value: float) -> None:
    """Add a value, or take one away where it is below 0, from the node to the root."""
    square = exact(value * value) if value >= 0.0 else -exact(value * value)
    for node in tree.upwards(node_id):
        node.visits += visits
        node.value_sum += value
        node.square_sum += square


def _count_untried(tree: Tree, node_id: int | None, more: int) -> None:
    for node in tree.upwards(node_id):
        node.untried += more


def _prune(tree: Tree, node: Node) -> None:
    _backpropagate(tree, node.node_id, visits=0, value=-node.value)
    _count_untried(tree, node.node_id, -node.untried)
    node.is_pruned = True


def _keep_one(tree: Tree, node: Node) -> None:
    """Prune all nodes of one state but the lowest id, so that it does not matter which is told first.

    Only one that has been searched already stays against a lower id: what was found below it is not thrown away.
    """
    other = tree.nodes[tree.states.setdefault(node.digest, node.node_id)]
    if other is node:
        return
    lost = other if other.node_id > node.node_id and not any(other.tries) else node
    tree.states[node.digest] = other.node_id if lost is node else node.node_id
    _prune(tree, lost)
