"""Laws of the search tree, for every policy and any course of a search."""

import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.search.ab_mcts import AbMcts
from agents.search.beam import Beam
from agents.search.best_first import BestFirst
from agents.search.best_of_n import BestOfN
from agents.search.checkpoint import from_json, to_json
from agents.search.nodes import Action, Choice, Node, Outcome, Trial
from agents.search.play_out import PlayOut
from agents.search.puct import Puct
from agents.search.tree import Policy, Tree, ask, expire, new_tree, tell
from agents.search.uct import Uct

POLICIES = [
    Uct(),
    Puct(),
    AbMcts(),
    AbMcts(posterior="beta"),
    BestFirst(),
    Beam(width=2),
    BestOfN(),
    PlayOut(policy=Uct()),
]
every_policy = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: repr(policy)[:30])
SEEDS = st.integers(0, 2**32)
CHOICES = tuple(
    Choice(action=Action(kind=kind), prior=prior, samples=samples)
    for kind, prior, samples in (("search", 0.5, 2), ("decompose", 0.3, 1), ("answer", 0.0, 1))
)


def outcome_of(trial: Trial, world: int) -> Outcome:
    """Return what comes of a trial: it follows from trial and world, so that orders can be compared."""
    rng = random.Random(world * 1_000_003 + trial.trial_id)  # noqa: S311
    is_terminal = rng.random() < 0.2
    return Outcome(
        value=rng.choice([0.0, 1.0, rng.random()]),
        digest=rng.choice(["", "a", "b", f"state {trial.trial_id}"]),
        choices=() if is_terminal else CHOICES[: rng.randrange(4)],
        is_terminal=is_terminal,
        adds_evidence=rng.random() < 0.8,
        cost=rng.randrange(1000),
    )


def searched(policy: Policy, world: int, *, steps: int = 30, watch: Callable[[Tree], None] = lambda tree: None) -> Tree:
    """Return a tree after a search in batches whose trials are told, left under way, or expire."""
    tree, rng = new_tree(CHOICES, seed=world, digest="a"), random.Random(world)  # noqa: S311
    for _ in range(steps):
        ask(tree, policy, rng.randrange(1, 5))
        watch(tree)
        for trial in rng.sample(list(tree.trials.values()), k=rng.randint(0, len(tree.trials))):
            if rng.random() < 0.2:
                expire(tree, trial.trial_id)
            else:
                tell(tree, trial.trial_id, outcome_of(trial, world))
            watch(tree)
    return tree


def finish(tree: Tree, world: int) -> None:
    for trial in list(tree.trials.values()):
        tell(tree, trial.trial_id, outcome_of(trial, world))


def below(tree: Tree, node: Node) -> list[Node]:
    return [node, *(one for child in node.children for one in below(tree, tree.nodes[child]))]


@every_policy
@given(world=SEEDS)
@settings(max_examples=25, deadline=None)
def test_the_books_of_every_node_are_those_of_the_nodes_below_it(policy: Policy, world: int) -> None:
    tree = searched(policy, world)

    for node in tree.nodes.values():
        family = below(tree, node)
        told = [one for one in family if one.parent is not None]
        assert node.visits == len(told) >= sum(tree.nodes[child].visits for child in node.children)
        assert node.value_sum == sum(one.credit for one in told)
        assert 0.0 <= node.value_sum <= node.visits
        assert 0.0 <= node.mean <= 1.0
        assert node.square_sum == pytest.approx(sum(one.credit**2 for one in told), abs=1e-6)
        ids = {one.node_id for one in family}
        assert node.pending == sum(trial.parent in ids for trial in tree.trials.values())
        live = [one for one in family if not one.is_pruned]
        assert node.untried == (0 if node.is_pruned else sum(_left(one) for one in live))


def _left(node: Node) -> int:
    return sum(choice.samples - tries for choice, tries in zip(node.choices, node.tries, strict=True))


@every_policy
@given(world=SEEDS)
@settings(max_examples=25, deadline=None)
def test_what_is_asked_was_open_and_is_not_below_a_pruned_or_terminal_state(policy: Policy, world: int) -> None:
    def watch(tree: Tree) -> None:
        for trial in tree.trials.values():
            parent = tree.nodes[trial.parent]
            assert not any(node.is_pruned or node.is_terminal for node in tree.path(parent.node_id))
            assert parent.tries[trial.choice] <= parent.choices[trial.choice].samples

    searched(policy, world, watch=watch)


@every_policy
@given(world=SEEDS)
@settings(max_examples=25, deadline=None)
def test_the_same_seed_gives_the_same_tree(policy: Policy, world: int) -> None:
    assert to_json(searched(policy, world)) == to_json(searched(policy, world))


@every_policy
@given(world=SEEDS, shuffle=st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_order_in_which_a_batch_is_told_changes_nothing(policy: Policy, world: int, shuffle: random.Random) -> None:
    one, other = (new_tree(CHOICES, seed=world, digest="a") for _ in range(2))
    for _ in range(5):
        batch = ask(one, policy, 8)
        assert ask(other, policy, 8) == batch
        for trial in batch:
            tell(one, trial.trial_id, outcome_of(trial, world))
        for trial in shuffle.sample(batch, k=len(batch)):
            tell(other, trial.trial_id, outcome_of(trial, world))

        assert to_json(one) == to_json(other)
        assert one.states == other.states


@every_policy
@given(world=SEEDS)
@settings(max_examples=25, deadline=None)
def test_telling_again_or_late_changes_nothing(policy: Policy, world: int) -> None:
    tree = searched(policy, world)
    before = to_json(tree)

    for trial_id in set(range(1, tree.next_trial)) - set(tree.trials):
        node = tell(tree, trial_id, Outcome(value=1.0, digest="new", choices=CHOICES))
        assert node is tree.nodes.get(trial_id)
        expire(tree, trial_id)

    assert to_json(tree) == before


@every_policy
@given(world=SEEDS)
@settings(max_examples=25, deadline=None)
def test_a_tree_from_json_is_the_same_and_goes_on_the_same(policy: Policy, world: int) -> None:
    tree = searched(policy, world)

    again = from_json(json.loads(json.dumps(to_json(tree))))

    assert again == tree
    assert ask(again, policy, 8) == ask(tree, policy, 8)
    for one in (tree, again):
        finish(one, world)
    assert again == tree
    assert ask(again, policy, 8) == ask(tree, policy, 8)


@every_policy
@given(world=SEEDS, expired=st.booleans())
@settings(max_examples=25, deadline=None)
def test_nothing_is_pending_once_all_is_told_or_expired(policy: Policy, world: int, *, expired: bool) -> None:
    tree = searched(policy, world)

    for trial in list(tree.trials.values()):
        if expired:
            expire(tree, trial.trial_id)
        else:
            tell(tree, trial.trial_id, outcome_of(trial, world))

    assert not tree.trials
    assert not any(node.pending for node in tree.nodes.values())


@every_policy
@given(world=SEEDS)
@settings(max_examples=25, deadline=None)
def test_a_batch_that_expires_leaves_the_statistics_as_they_were(policy: Policy, world: int) -> None:
    tree = searched(policy, world)
    finish(tree, world)
    before = to_json(tree)

    for trial in ask(tree, policy, 8):
        expire(tree, trial.trial_id)

    assert {**to_json(tree), "next_trial": None} == {**before, "next_trial": None}
