"""Each policy against values worked out by hand."""

from math import log, sqrt

import numpy as np
import pytest

from agents.search.ab_mcts import AbMcts, gaussian
from agents.search.beam import Beam
from agents.search.best_first import BestFirst
from agents.search.best_of_n import BestOfN
from agents.search.nodes import Action, Choice, Outcome
from agents.search.play_out import PlayOut
from agents.search.puct import Puct
from agents.search.tree import Policy, Tree, ask, new_tree, tell
from agents.search.uct import Uct


def choices(*priors: float, samples: int = 1) -> tuple[Choice, ...]:
    return tuple(
        Choice(action=Action(kind=str(place)), prior=prior, samples=samples) for place, prior in enumerate(priors)
    )


BOTH = choices(1.0, 1.0)


def step(tree: Tree, policy: Policy, value: float, options: tuple[Choice, ...] = BOTH) -> int:
    """Ask for one trial, tell its value, and return the id of the node that it searched from."""
    [trial] = ask(tree, policy)
    tell(tree, trial.trial_id, Outcome(value=value, choices=options, is_terminal=not options))
    return trial.parent


def parents(tree: Tree, policy: Policy, n: int) -> list[int]:
    return [trial.parent for trial in ask(tree, policy, n)]


def test_uct_tries_all_choices_then_follows_the_highest_bound() -> None:
    tree = new_tree(BOTH, seed=0)

    assert [step(tree, Uct(), 0.8), step(tree, Uct(), 0.4)] == [0, 0]
    # 0.8 + sqrt(2 ln 2) = 1.977 and 0.4 + sqrt(2 ln 2) = 1.577
    assert step(tree, Uct(), 0.1) == 1
    # (0.8 + 0.1) / 2 + sqrt(2 ln 3 / 2) = 1.498 and 0.4 + sqrt(2 ln 3) = 1.882
    assert 0.45 + sqrt(log(3)) < 0.4 + sqrt(2 * log(3))
    assert parents(tree, Uct(), 1) == [2]


def test_uct_without_exploration_follows_the_mean() -> None:
    tree = new_tree(BOTH, seed=0)
    for value in (0.8, 0.4, 0.1):
        step(tree, Uct(exploration_weight=0.0), value)

    assert parents(tree, Uct(exploration_weight=0.0), 1) == [1]  # 0.45 and 0.4


def test_uct_spreads_a_batch_because_what_is_pending_counts_as_a_loss() -> None:
    tree = new_tree(BOTH, seed=0)
    for value in (0.8, 0.4):
        step(tree, Uct(), value)

    # second: 0.8 / 2 + sqrt(2 ln 3 / 2) = 1.448 and 0.4 + sqrt(2 ln 3) = 1.882
    assert parents(tree, Uct(), 2) == [1, 2]


def test_puct_begins_with_the_most_likely_choice() -> None:
    tree = new_tree(choices(0.2, 0.5, 0.3), seed=0)

    assert [trial.choice for trial in ask(tree, Puct(), 3)] == [1, 2, 0]


@pytest.mark.parametrize(
    ("value", "parent"),
    [
        (0.5, 1),  # 0.5 + 0.6 * 1.25 / 2 = 0.875 against 0.4 * 1.25 = 0.5
        (0.1, 0),  # 0.475 against 0.5
    ],
)
def test_puct_weighs_a_child_against_what_was_not_tried(value: float, parent: int) -> None:
    tree = new_tree(choices(0.6, 0.4), seed=0)
    step(tree, Puct(), value)

    assert parents(tree, Puct(), 1) == [parent]


def test_puct_takes_priors_relative_to_one_another() -> None:
    tree = new_tree(choices(0.06, 0.04), seed=0)
    step(tree, Puct(), 0.1)

    assert parents(tree, Puct(), 1) == [0]


def test_puct_without_any_prior_follows_the_caller_s_order() -> None:
    tree = new_tree(choices(0.0, 0.0), seed=0)

    assert [trial.choice for trial in ask(tree, Puct(), 3)] == [0, 1]


@pytest.mark.parametrize(
    ("scores", "kappa", "mean", "tau_squared"), [((0.8,), 2.0, 0.4, 0.21), ((0.8, 0.4), 3.0, 0.4, 0.14)]
)
def test_the_gaussian_posterior_is_that_of_the_worked_example(
    scores: tuple[float, ...], kappa: float, mean: float, tau_squared: float
) -> None:
    known = np.array([[len(scores), sum(scores), sum(score * score for score in scores)]])

    posterior = gaussian(known)

    assert (posterior.kappa[0], posterior.nu[0]) == (kappa, kappa)
    assert posterior.mean[0] == pytest.approx(mean)
    assert posterior.tau_squared[0] == pytest.approx(tau_squared)


def test_no_score_leaves_the_prior() -> None:
    prior = gaussian(np.zeros((1, 3)))

    assert (prior.mean[0], prior.kappa[0], prior.nu[0], prior.tau_squared[0]) == (0.0, 1.0, 1.0, 0.1)


@pytest.mark.parametrize(
    ("posterior", "mean"),
    [("gaussian", 0.8 * 20 / 21), ("beta", (0.5 + 0.8 * 20) / 21)],  # kappa' 21; a + b = 21
)
def test_what_is_drawn_lies_about_the_mean_of_the_posterior(posterior: str, mean: float) -> None:
    policy = AbMcts(posterior=posterior)  # type: ignore[arg-type]

    drawn = policy.draw(np.array([[20.0, 16.0, 12.8]] * 4000), np.random.default_rng(0))

    assert drawn.mean() == pytest.approx(mean, abs=0.01)


@pytest.mark.parametrize("policy", [AbMcts(), AbMcts(posterior="beta")], ids=["gaussian", "beta"])
@pytest.mark.parametrize(("wide", "deep"), [(0.95, 0.05), (0.05, 0.95)])
def test_ab_mcts_goes_where_the_scores_were_better(policy: AbMcts, wide: float, deep: float) -> None:
    """Six children, of which one has six of its own: the own scores are for wider, those below for deeper."""
    wider = 0
    for seed in range(100):
        tree = new_tree(choices(1.0, samples=100), seed=seed)
        for _ in range(6):
            step(tree, Uct(), wide, choices(1.0, samples=100))
        for _ in range(6):
            step(tree, _Below(1), deep, choices(1.0, samples=100))
        wider += parents(tree, policy, 1) == [0]

    assert wider > 80 if wide > deep else wider < 20


class _Below:
    """Searches from one node."""

    def __init__(self, node_id: int) -> None:
        self._node_id = node_id

    def select(self, tree: Tree, rng: np.random.Generator) -> tuple[int, int]:
        return self._node_id, 0


def test_ab_mcts_chooses_the_action_whose_scores_were_better() -> None:
    chosen = []
    for seed in range(100):
        tree = new_tree(choices(1.0, 1.0, samples=50), seed=seed)
        for _ in range(40):
            [trial] = ask(tree, AbMcts(posterior="beta"))
            tell(tree, trial.trial_id, Outcome(value=0.9 if trial.choice else 0.1, is_terminal=True))
        chosen += [trial.choice for trial in ask(tree, AbMcts(posterior="beta"))]

    assert sum(chosen) > 90


def test_best_first_adds_up_the_increases_of_what_is_lacking() -> None:
    tree = new_tree(BOTH, seed=0)
    one = choices(1.0)
    asked = [
        step(tree, BestFirst(), 0.75, one),  # f = 0 + 0.25
        step(tree, BestFirst(), 0.625, one),  # f = 0 + 0.375
        step(tree, BestFirst(), 0.5, one),  # below the first: f = 0.25 + 0.5
        step(tree, BestFirst(), 0.5625, one),  # below the second: f = 0.0625 + 0.4375
        step(tree, BestFirst(), 0.4375, one),  # below that: f = 0.0625 + 0.125 + 0.5625, as that of node 3
    ]

    assert asked == [0, 0, 1, 2, 4]
    assert parents(tree, BestFirst(), 1) == [3]


def test_best_first_tries_all_choices_of_a_state_before_it_looks_at_another() -> None:
    tree = new_tree(BOTH, seed=0)
    step(tree, BestFirst(), 1.0)

    assert parents(tree, BestFirst(), 3) == [0, 1, 1]


def test_a_beam_keeps_the_best_of_each_depth() -> None:
    tree = new_tree(choices(1.0, 1.0, 1.0), seed=0)

    asked = [step(tree, Beam(width=2), value) for value in (0.3, 0.1, 0.2, 0.9, 0.0, 0.0, 0.1, 0.5)]

    assert asked == [0, 0, 0, 1, 1, 3, 3, 4]


def test_a_beam_waits_until_a_depth_is_told_whole() -> None:
    tree = new_tree(BOTH, seed=0)
    first, second = ask(tree, Beam(), 5)
    tell(tree, first.trial_id, Outcome(value=0.5, choices=BOTH))

    assert ask(tree, Beam(), 5) == []
    tell(tree, second.trial_id, Outcome(value=0.5, choices=BOTH))
    assert parents(tree, Beam(), 5) == [1, 1, 2, 2]


def test_best_of_n_walks_one_path_to_its_end_before_the_next() -> None:
    tree = new_tree(BOTH, seed=0)
    one = choices(1.0)

    assert [step(tree, BestOfN(), 0.0, options) for options in (one, one, (), one, one, ())] == [0, 1, 2, 0, 4, 5]


def test_best_of_n_does_not_pay_again_for_a_shared_beginning() -> None:
    tree = new_tree(choices(1.0), seed=0)

    assert [step(tree, BestOfN(), 0.0, options) for options in (BOTH, (), ())] == [0, 1, 1]


def test_a_rollout_is_played_out_before_the_policy_begins_the_next() -> None:
    tree = new_tree(BOTH, seed=0)
    policy = PlayOut(policy=Uct())

    asked = [step(tree, policy, 0.5, one) for one in (BOTH, BOTH, (), BOTH, ())]

    assert asked == [0, 1, 2, 0, 4]


def test_several_paths_are_played_out_at_once() -> None:
    tree = new_tree(BOTH, seed=0)
    policy = PlayOut(policy=Uct())
    for trial in ask(tree, policy, 2):
        tell(tree, trial.trial_id, Outcome(value=0.5, choices=choices(1.0)))

    assert parents(tree, policy, 4) == [1, 2]


def test_best_of_n_begins_as_many_paths_as_are_asked_at_once() -> None:
    tree = new_tree(choices(1.0, 1.0, 1.0), seed=0)

    assert parents(tree, BestOfN(), 4) == [0, 0, 0]


def test_best_of_n_draws_by_the_priors() -> None:
    first = [ask(new_tree(choices(0.8, 0.2, 0.0), seed=seed), BestOfN())[0].choice for seed in range(300)]

    assert first.count(0) / 300 == pytest.approx(0.8, abs=0.07)
    assert first.count(2) == 0


def test_best_of_n_draws_alike_without_priors() -> None:
    first = {ask(new_tree(choices(0.0, 0.0), seed=seed), BestOfN())[0].choice for seed in range(20)}

    assert first == {0, 1}
