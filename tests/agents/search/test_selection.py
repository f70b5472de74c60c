import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.search.nodes import Action, Choice, Outcome
from agents.search.selection import (
    Leaf,
    Vote,
    embedding_consistency,
    finished,
    is_decided,
    jaccard_consistency,
    leaves_of,
    path_reward,
    weighted_vote,
)
from agents.search.tree import Tree, ask, new_tree, tell
from agents.search.uct import Uct


def leaves(*weighed: tuple[str, float]) -> list[Leaf]:
    return [Leaf(node_id=at, answer=answer, weight=weight) for at, (answer, weight) in enumerate(weighed, start=1)]


LEAVES = st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.0, 1.0)), max_size=8)


def answered(*values: float) -> Tree:
    """Return a tree of one search and answers below it."""
    tree = new_tree((Choice(action=Action(kind="search")),), seed=0)
    [first] = ask(tree, Uct())
    answer = Choice(action=Action(kind="answer"), samples=len(values))
    tell(tree, first.trial_id, Outcome(value=0.5, choices=(answer,)))
    for at, value in enumerate(values):
        [trial] = ask(tree, Uct())
        tell(tree, trial.trial_id, Outcome(value=value, digest=f"{at // 2}", is_terminal=True))
    return tree


def test_the_reward_of_a_path_is_the_product_of_its_nodes() -> None:
    tree = answered(0.8)

    assert path_reward(tree, 2) == pytest.approx(0.4)
    assert path_reward(tree, 0) == 1.0


def test_leaves_are_the_finished_paths_one_of_each_state() -> None:
    tree = answered(0.8, 0.9, 0.6)

    assert [node.node_id for node in finished(tree)] == [2, 4]
    assert [(leaf.node_id, leaf.answer, leaf.weight) for leaf in leaves_of(tree, lambda node: node.digest)] == [
        (2, "0", pytest.approx(0.4)),
        (4, "1", pytest.approx(0.3)),
    ]


def test_the_vote_adds_up_the_rewards_of_equal_answers() -> None:
    vote = weighted_vote(leaves(("mir", 0.5), ("iss", 0.3), ("iss", 0.4), ("skylab", 0.2)))

    assert (vote.answer, vote.node_id) == ("iss", 3)
    assert vote.confidence == pytest.approx(0.5)
    assert list(vote.shares) == ["iss", "mir", "skylab"]
    assert list(vote.shares.values()) == pytest.approx([0.7 / 1.4, 0.5 / 1.4, 0.2 / 1.4])


def test_the_first_leaf_is_not_always_chosen() -> None:
    assert weighted_vote(leaves(("mir", 0.1), ("iss", 0.9))).answer == "iss"


def test_without_leaves_there_is_no_answer() -> None:
    assert weighted_vote([]) == Vote(answer=None, node_id=None, confidence=0.0, shares={})


def test_leaves_that_weigh_nothing_count_the_same() -> None:
    vote = weighted_vote(leaves(("mir", 0.0), ("iss", 0.0), ("iss", 0.0)))

    assert (vote.answer, vote.confidence) == ("iss", pytest.approx(2 / 3))


def test_equal_groups_go_to_the_heavier_leaf_then_to_the_lower_id() -> None:
    assert weighted_vote(leaves(("mir", 0.25), ("mir", 0.25), ("iss", 0.5))).answer == "iss"
    assert weighted_vote(leaves(("mir", 0.5), ("iss", 0.5))).answer == "mir"


@given(LEAVES, st.randoms(use_true_random=False))
def test_the_order_of_the_leaves_does_not_matter(weighed: list[tuple[str, float]], shuffle: object) -> None:
    given_leaves = leaves(*weighed)
    shuffled = [*given_leaves]
    shuffle.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives no narrower type

    assert weighted_vote(shuffled) == weighted_vote(given_leaves)


@given(LEAVES.filter(bool))
def test_shares_add_up_to_one_and_the_first_is_the_confidence(weighed: list[tuple[str, float]]) -> None:
    vote = weighted_vote(leaves(*weighed))

    assert sum(vote.shares.values()) == pytest.approx(1.0)
    assert vote.confidence == max(vote.shares.values()) == vote.shares[vote.answer]


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="leaf 1 weighs"):
        Leaf(node_id=1, answer="mir", weight=weight)


def test_jaccard_consistency_is_the_mean_share_of_common_words() -> None:
    found = jaccard_consistency(["Apollo 8", "apollo 11", "Mir"])

    assert found == pytest.approx([(1 + 1 / 3 + 0) / 3, (1 / 3 + 1 + 0) / 3, 1 / 3])


def test_answers_without_words_agree_with_one_another() -> None:
    assert jaccard_consistency(["", " ", "mir"]) == pytest.approx([2 / 3, 2 / 3, 1 / 3])


def test_embedding_consistency_is_the_mean_cosine() -> None:
    found = embedding_consistency(np.array([[2.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]]))

    half = np.sqrt(0.5)
    assert found == pytest.approx([(1 + half) / 4, (1 + half) / 4, (1 + 2 * half) / 4, 0.0])


def test_consistency_of_nothing_is_empty() -> None:
    assert jaccard_consistency([]).shape == (0,)
    assert embedding_consistency(np.empty((0, 3))).shape == (0,)


@pytest.mark.parametrize(
    ("weighed", "remaining", "decided"),
    [
        ([("mir", 1.0), ("mir", 1.0), ("iss", 0.5)], 1, True),  # 2 > 0.5 + 1
        ([("mir", 1.0), ("mir", 1.0), ("iss", 0.5)], 2, False),
        ([("mir", 1.0), ("mir", 1.0)], 1, True),
        ([("mir", 1.0)], 1, False),  # another answer could draw level
        ([], 1, False),
        ([], 0, True),
        ([("mir", 0.1), ("iss", 0.1)], 0, True),
    ],
)
def test_a_vote_is_decided_when_the_leader_cannot_be_reached(
    weighed: list[tuple[str, float]], remaining: int, *, decided: bool
) -> None:
    assert is_decided(leaves(*weighed), remaining=remaining) is decided


@given(LEAVES, LEAVES)
def test_a_decided_vote_stays(weighed: list[tuple[str, float]], more: list[tuple[str, float]]) -> None:
    if is_decided(leaves(*weighed), remaining=len(more)) and weighed:
        assert weighted_vote(leaves(*weighed, *more)).answer == weighted_vote(leaves(*weighed)).answer
