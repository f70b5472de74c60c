"""A tree as JSON and back, exactly: what a checkpoint, an export and a replay are made of."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from agents.search.nodes import Action, Choice, Node, Trial
from agents.search.tree import Tree

FORMAT = 1


class UnreadableTree(ValueError):
    """What should be a checkpoint of a search tree is of another version, or is not whole."""


def to_json(tree: Tree) -> dict[str, Any]:
    """Return the tree in dictionaries, lists, strings and numbers: nodes and trials by id, `format` first."""
    return {
        "format": FORMAT,
        "seed": tree.seed,
        "next_trial": tree.next_trial,
        "nodes": [asdict(tree.nodes[node_id]) for node_id in sorted(tree.nodes)],
        "trials": [asdict(tree.trials[trial_id]) for trial_id in sorted(tree.trials)],
    }


def from_json(content: Mapping[str, Any]) -> Tree:
    """Return the tree that was written; it goes on as the first would have.

    Raises:
        UnreadableTree: it is of another version, or not whole.
    """
    if content.get("format") != FORMAT:
        raise UnreadableTree(f"the search tree is of format {content.get('format')}, not {FORMAT}; search anew")
    try:
        nodes = {row["node_id"]: _node(row) for row in content["nodes"]}
        trials = {row["trial_id"]: Trial(**{**row, "action": Action(**row["action"])}) for row in content["trials"]}
        tree = Tree(seed=content["seed"], nodes=nodes, trials=trials, next_trial=content["next_trial"])
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableTree(f"the search tree is not whole ({error}); search anew") from error
    tree.states = {node.digest: node.node_id for node in nodes.values() if node.digest and not node.is_pruned}
    return tree


def _node(row: Mapping[str, Any]) -> Node:
    choices = tuple(Choice(**{**choice, "action": Action(**choice["action"])}) for choice in row["choices"])
    lists = {"tries": list(row["tries"]), "children": list(row["children"])}
    return Node(**{**row, **lists, "action": Action(**row["action"]), "choices": choices})
