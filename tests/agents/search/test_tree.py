import json
import math

import pytest

from agents.search.ab_mcts import AbMcts
from agents.search.beam import Beam
from agents.search.best_first import BestFirst
from agents.search.best_of_n import BestOfN
from agents.search.checkpoint import UnreadableTree, from_json, to_json
from agents.search.nodes import Action, Choice, Outcome
from agents.search.play_out import PlayOut
from agents.search.puct import Puct
from agents.search.tree import Policy, Tree, ask, expire, new_tree, tell
from agents.search.uct import Uct

POLICIES = [Uct(), Puct(), AbMcts(), AbMcts(posterior="beta"), BestFirst(), Beam(), BestOfN(), PlayOut(policy=Uct())]
every_policy = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: repr(policy)[:30])


def choices(*kinds: str, samples: int = 1) -> tuple[Choice, ...]:
    return tuple(Choice(action=Action(kind=kind), samples=samples) for kind in kinds)


def told(tree: Tree, policy: Policy, *outcomes: Outcome) -> None:
    for trial, outcome in zip(ask(tree, policy, len(outcomes)), outcomes, strict=True):
        tell(tree, trial.trial_id, outcome)


def test_a_value_goes_up_to_the_root() -> None:
    tree = new_tree(choices("search"), seed=0)
    told(tree, Uct(), Outcome(value=0.5, choices=choices("answer")))
    told(tree, Uct(), Outcome(value=0.75, is_terminal=True, cost=120.0))

    assert [(node.visits, node.value_sum, node.square_sum) for node in tree.nodes.values()] == [
        (2, 1.25, 0.8125),
        (2, 1.25, 0.8125),
        (1, 0.75, 0.5625),
    ]
    assert [node.action.kind for node in tree.path(2)] == ["root", "search", "answer"]
    assert (tree.nodes[2].depth, tree.nodes[2].cost) == (2, 120.0)


def test_an_outcome_may_say_what_was_really_done() -> None:
    tree = new_tree(choices("search"), seed=0)

    told(tree, Uct(), Outcome(value=1.0, action=Action(kind="search", text="first crewed docking")))

    assert tree.nodes[1].action == Action(kind="search", text="first crewed docking")


def test_of_one_state_the_lowest_id_stays_and_the_others_count_nothing() -> None:
    tree = new_tree(choices("search", samples=3), seed=0)
    trials = ask(tree, Uct(), 3)
    for trial, value in zip(reversed(trials), (0.5, 0.25, 1.0), strict=True):
        tell(tree, trial.trial_id, Outcome(value=value, digest="same", choices=choices("answer")))

    assert [tree.nodes[one].is_pruned for one in (1, 2, 3)] == [False, True, True]
    assert (tree.root.visits, tree.root.value_sum, tree.root.untried) == (3, 1.0, 1)


def test_a_state_that_was_searched_stays_when_a_lower_id_comes_to_it_late() -> None:
    tree = new_tree(choices("search", samples=2), seed=0)
    late, early = ask(tree, Uct(), 2)
    tell(tree, early.trial_id, Outcome(value=0.5, digest="same", choices=choices("answer")))
    told(tree, Uct(), Outcome(value=0.75, is_terminal=True))

    tell(tree, late.trial_id, Outcome(value=0.5, digest="same", choices=choices("answer")))

    assert [node.node_id for node in tree.nodes.values() if node.is_pruned] == [late.trial_id]
    assert tree.root.value_sum == 1.25


def test_a_state_without_new_evidence_is_a_visit_worth_nothing() -> None:
    tree = new_tree(choices("search"), seed=0)

    told(tree, Uct(), Outcome(value=0.9, choices=choices("answer"), adds_evidence=False))

    assert (tree.root.visits, tree.root.value_sum) == (1, 0.0)
    assert ask(tree, Uct()) == []


@every_policy
def test_where_nothing_is_left_nothing_is_asked(policy: Policy) -> None:
    tree = new_tree(choices("search", "decompose", samples=2), seed=0, digest="start")
    told(tree, policy, *[Outcome(value=0.9, digest="start", choices=choices("answer"))] * 4)

    assert ask(tree, policy, 5) == []
    assert not tree.trials


@every_policy
def test_a_model_that_always_does_the_same_is_bounded(policy: Policy) -> None:
    tree = new_tree(choices("search", samples=50), seed=0)
    for _ in range(200):
        for trial in ask(tree, policy):
            tell(tree, trial.trial_id, Outcome(value=0.9, digest="same", choices=choices("search", samples=50)))

    assert tree.next_trial - 1 <= 100
    assert ask(tree, policy) == []


@every_policy
def test_a_tree_without_choices_asks_nothing(policy: Policy) -> None:
    assert ask(new_tree((), seed=0), policy, 3) == []


@every_policy
def test_zero_rollouts_ask_nothing_and_change_nothing(policy: Policy) -> None:
    tree = new_tree(choices("search"), seed=0)

    assert ask(tree, policy, 0) == []
    assert tree == new_tree(choices("search"), seed=0)


@every_policy
def test_what_expired_is_asked_again_and_told_late_does_not_count(policy: Policy) -> None:
    tree = new_tree(choices("search"), seed=0)
    [first] = ask(tree, policy)
    expire(tree, first.trial_id)

    [second] = ask(tree, policy)

    assert tell(tree, first.trial_id, Outcome(value=1.0)) is None
    assert (second.trial_id, second.parent, second.choice) == (2, 0, 0)
    assert list(tree.nodes) == [0]


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1, 1.1])
def test_a_value_that_is_none_is_refused_before_anything_changes(value: float) -> None:
    with pytest.raises(ValueError, match="the value of an outcome is from 0 to 1"):
        Outcome(value=value)


@pytest.mark.parametrize("cost", [math.nan, math.inf, -1.0])
def test_a_cost_that_is_none_is_refused(cost: float) -> None:
    with pytest.raises(ValueError, match="the cost of an outcome"):
        Outcome(value=0.5, cost=cost)


def test_a_terminal_state_with_choices_is_refused() -> None:
    with pytest.raises(ValueError, match="terminal"):
        Outcome(value=0.5, is_terminal=True, choices=choices("search"))


@pytest.mark.parametrize("choice", [{"prior": math.nan}, {"prior": 1.5}, {"samples": 0}])
def test_a_choice_without_a_probability_or_a_sample_is_refused(choice: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="a choice has a prior from 0 to 1 and a sample"):
        Choice(action=Action(kind="search"), **choice)  # type: ignore[arg-type]


@pytest.mark.parametrize("trial_id", [-1, 0, 2])
def test_a_trial_that_never_was_is_refused(trial_id: int) -> None:
    tree = new_tree(choices("search"), seed=0)
    ask(tree, Uct())
    before = to_json(tree)

    with pytest.raises(ValueError, match=f"there is no trial {trial_id}"):
        tell(tree, trial_id, Outcome(value=1.0))
    with pytest.raises(ValueError, match=f"there is no trial {trial_id}"):
        expire(tree, trial_id)
    assert to_json(tree) == before


@pytest.mark.parametrize("seed", [-1, 2**128])
def test_a_seed_that_the_generator_cannot_hold_is_refused(seed: int) -> None:
    with pytest.raises(ValueError, match="a seed is a whole number from 0"):
        new_tree((), seed=seed)


def test_the_greatest_seed_can_be_drawn_from() -> None:
    assert len(ask(new_tree(choices("search"), seed=2**128 - 1), AbMcts())) == 1


@pytest.mark.parametrize("version", [0, 2, None, "1"])
def test_a_checkpoint_of_another_version_is_refused(version: object) -> None:
    content = to_json(new_tree(choices("search"), seed=0)) | {"format": version}

    with pytest.raises(UnreadableTree, match="not 1; search anew"):
        from_json(content)


@pytest.mark.parametrize("missing", ["nodes", "trials", "seed"])
def test_a_checkpoint_that_is_not_whole_is_refused(missing: str) -> None:
    content = to_json(new_tree(choices("search"), seed=0))
    del content[missing]

    with pytest.raises(UnreadableTree, match=f"not whole .*{missing}"):
        from_json(content)


def test_a_checkpoint_is_plain_json() -> None:
    tree = new_tree(choices("search", samples=2), seed=7)
    told(tree, Uct(), Outcome(value=1 / 3, choices=choices("answer")))
    ask(tree, Uct())

    content = json.loads(json.dumps(to_json(tree)))

    assert list(content) == ["format", "seed", "next_trial", "nodes", "trials"]
    assert [node["node_id"] for node in content["nodes"]] == [0, 1]
    assert content["trials"] == [{"trial_id": 2, "parent": 0, "choice": 0, "action": {"kind": "search", "text": ""}}]
