"""What the search tree itself costs: seconds a rollout, bytes a node, and rollouts side by side against one at a time.

Usage: python benchmarks/bench_tree.py

Every policy searches a scripted tree of 5 choices a state, 12 deep, with values drawn from a seed; no model. The goals
are 1 ms a rollout when the tree has 1,000 nodes, 50 MB for 10,000 nodes, and 6 times as fast with 8 rollouts at once
where a rollout waits 200 ms.
"""

import json
import random
import sys
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from _table import Row, less, report, scaled

from agents.search.checkpoint import to_json
from agents.search.nodes import Action, Choice, Outcome, Trial
from agents.search.tree import Policy, Tree, ask, new_tree, tell
from agents.search.uct import Uct
from app.experiments.tree_world import POLICIES

KINDS = ("search", "decompose", "follow", "reformulate", "answer")
DEPTH = 12
NODES = scaled(1_000, least=100)
MANY_NODES = scaled(10_000, least=100)
REPEATS = 3
AT_ONCE = 8
WAITING = scaled(64, least=AT_ONCE)  # rollouts that wait for an evaluation
LATENCY_SECONDS = 0.2
GOAL_SECONDS = 1e-3
GOAL_BYTES = 50e6
GOAL_AT_ONCE = 6.0


def choices(node_id: int) -> tuple[Choice, ...]:
    """Return choices with words of their own, as a model would write them."""
    return tuple(Choice(action=Action(kind=kind, text=f"{kind} what state {node_id} still lacks")) for kind in KINDS)


def outcome(tree: Tree, trial: Trial) -> Outcome:
    """Return a state with a value of its own and five choices, or an end."""
    is_terminal = tree.nodes[trial.parent].depth + 1 == DEPTH or trial.action.kind == "answer"
    value = random.Random(trial.trial_id).random()  # noqa: S311
    return Outcome(
        value=value,
        digest=f"{trial.trial_id:064x}",
        choices=() if is_terminal else choices(trial.trial_id),
        is_terminal=is_terminal,
    )


def grown(policy: Policy, nodes: int) -> Tree:
    """Return a tree of so many nodes, or as many as the policy searches."""
    tree = new_tree(choices(0), seed=0)
    for _ in range(nodes):
        for trial in ask(tree, policy):
            tell(tree, trial.trial_id, outcome(tree, trial))
    return tree


def seconds_a_rollout(policy: Policy) -> float:
    """Return the median seconds of the last tenth of the rollouts, asking and telling, the best of some repeats."""
    return min(median(_last_rollouts(policy)) for _ in range(REPEATS))


def _last_rollouts(policy: Policy) -> Iterator[float]:
    tree = grown(policy, NODES * 9 // 10)
    for _ in range(NODES // 10):
        started = time.perf_counter()
        trials = ask(tree, policy)
        asked = time.perf_counter()
        told = [(trial, outcome(tree, trial)) for trial in trials]
        telling = time.perf_counter()
        for trial, one in told:
            tell(tree, trial.trial_id, one)
        yield asked - started + time.perf_counter() - telling


def bytes_of_a_tree() -> int:
    """Return the bytes that a tree of many nodes holds."""
    tracemalloc.start()
    tree = grown(Uct(), MANY_NODES)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del tree
    return held


def seconds_in_batches(size: int) -> float:
    """Return the seconds of the waiting rollouts, so many at once."""
    tree = new_tree(choices(0), seed=0)

    def evaluate(trial: Trial) -> tuple[Trial, Outcome]:
        time.sleep(LATENCY_SECONDS)
        return trial, outcome(tree, trial)

    started = time.perf_counter()
    with ThreadPoolExecutor(size) as pool:
        while len(tree.nodes) <= WAITING:
            told: Iterable[tuple[Trial, Outcome]] = pool.map(evaluate, ask(tree, Uct(), size))
            for trial, one in told:
                tell(tree, trial.trial_id, one)
    return time.perf_counter() - started


def rows() -> Iterator[Row]:
    """Yield a figure each; the peer is the most that may be used, for the last row one rollout at a time."""
    for name, policy in POLICIES.items():
        yield less(f"{name}: seconds a rollout at {NODES} nodes", seconds_a_rollout(policy), GOAL_SECONDS, goal=1.0)
    yield less(f"bytes of {MANY_NODES} nodes", bytes_of_a_tree(), GOAL_BYTES, goal=1.0)
    yield less(
        f"{AT_ONCE} rollouts at once: seconds of {WAITING}",
        seconds_in_batches(AT_ONCE),
        seconds_in_batches(1),
        goal=GOAL_AT_ONCE,
    )


def main() -> None:
    """Print the table and write it."""
    checkpoint = len(json.dumps(to_json(grown(Uct(), NODES))))
    report("tree", list(rows()), latency_seconds=LATENCY_SECONDS, checkpoint_characters_a_node=checkpoint // NODES)


if __name__ == "__main__":
    main()
