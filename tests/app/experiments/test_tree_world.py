from dataclasses import replace

import numpy as np
import pytest

from agents.search.best_of_n import BestOfN
from agents.search.uct import Uct
from app.experiments.tree_world import (
    ALL,
    POLICIES,
    ROLLOUTS,
    WITH_HINTS,
    WITHOUT_HINTS,
    WORLDS,
    Drawn,
    World,
    play,
    regret_rows,
)

SMALL = World(width=2, depth=3, noise=0.0, hidden=0.0, has_hints=False)


def test_a_leaf_is_worth_the_mean_of_the_steps_to_it() -> None:
    drawn = Drawn(SMALL, seed=1)
    rng = np.random.default_rng(1)
    first = rng.random(2)
    rng.standard_normal(4)  # what is seen of them, and the priors
    second = rng.random(4)

    assert drawn.outcome(1, 1).value == first[1]
    assert drawn.outcome(2, 3).value == pytest.approx((first[1] + second[3]) / 2)


def test_the_best_leaf_has_no_regret_and_no_leaf_has_all() -> None:
    drawn = Drawn(SMALL, seed=1)

    assert drawn.regret(int(drawn.worth.argmax())) == 0.0
    assert drawn.regret(None) == drawn.worth.max()


def test_leaves_are_terminal_and_states_have_choices_whose_priors_add_up() -> None:
    drawn = Drawn(SMALL, seed=1)

    assert drawn.outcome(3, 0).is_terminal
    assert [choice.prior for choice in drawn.choices(1, 1)] == pytest.approx(
        [choice.prior for choice in drawn.outcome(1, 1).choices]
    )
    assert sum(choice.prior for choice in drawn.choices(2, 2)) == pytest.approx(1.0)


def test_hints_make_a_better_step_likelier() -> None:
    worlds = [replace(WORLDS[0], width=50, depth=1, has_hints=has_hints, noise=0.0) for has_hints in (False, True)]
    correlated = []
    for world in worlds:
        drawn = Drawn(world, seed=0)
        priors = [choice.prior for choice in drawn.choices(0, 0)]
        correlated.append(float(np.corrcoef(np.log(priors), drawn.worth)[0, 1]))

    assert abs(correlated[0]) < 0.3
    assert correlated[1] > 0.5


@pytest.mark.parametrize("name", [name for name in POLICIES if name != "beam"])
def test_every_policy_that_may_look_at_all_leaves_finds_the_best_one_where_nothing_deceives(name: str) -> None:
    """A product of rewards prefers even paths, so the best path is asked for among all leaves, one level deep."""
    world = replace(SMALL, width=6, depth=1)

    assert play(Drawn(world, seed=3), POLICIES[name], rollouts=(6, 20), seed=3) == [0.0, 0.0]


def test_before_the_first_leaf_all_is_missed() -> None:
    drawn = Drawn(SMALL, seed=2)

    assert play(drawn, BestOfN(), rollouts=(1, 2, 3), seed=2)[:2] == [drawn.worth.max()] * 2
    assert play(drawn, BestOfN(), rollouts=(3,), seed=2)[0] < drawn.worth.max()


def test_rows_are_of_each_world_and_policy_and_of_all_together() -> None:
    worlds = (SMALL, replace(SMALL, has_hints=True))

    rows = regret_rows(worlds, {"uct": Uct(), "best_of_n": BestOfN()}, seeds=range(4), rollouts=(4, 8))

    assert [(row.world, row.policy, row.rollouts) for row in rows] == [
        (world, policy, rollouts)
        for world in (*(world.name for world in worlds), ALL, WITH_HINTS, WITHOUT_HINTS)
        for policy in ("uct", "best_of_n")
        for rollouts in (4, 8)
    ]
    assert rows == regret_rows(worlds, {"uct": Uct(), "best_of_n": BestOfN()}, seeds=range(4), rollouts=(4, 8))
    of_uct = [row.regret.value for row in rows if (row.policy, row.rollouts) == ("uct", 8)]
    without, with_hints = of_uct[:2]
    assert of_uct[2:] == pytest.approx([((without or 0.0) + (with_hints or 0.0)) / 2, with_hints, without])
    for row in rows:
        assert row.regret.n == 4
        assert row.regret.low is not None
        assert row.regret.high is not None
        assert 0.0 <= row.regret.low <= row.regret.high <= 1.0


def test_the_worlds_differ_in_size_noise_and_what_is_known() -> None:
    assert len({world.name for world in WORLDS}) == len(WORLDS) == 24
    assert max(ROLLOUTS) == 64
