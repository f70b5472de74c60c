"""A search tree as its readers see it: rows of plain values, for events, traces and exports."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.search.nodes import Node
from agents.search.rewards import Reward
from agents.search.tree import Tree
from agents.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A node's state, what its path costs in tokens, its reward, and the failure where its action failed."""

    state: State
    tokens: float = 0.0
    reward: Reward | None = None
    error: str = ""


def rows_of(tree: Tree, reached: Mapping[int, Reached]) -> list[dict[str, Any]]:
    """Return a row per node, by id; the root is first."""
    return [row_of(tree, reached, node_id) for node_id in sorted(tree.nodes)]


def row_of(tree: Tree, reached: Mapping[int, Reached], node_id: int) -> dict[str, Any]:
    """Return a node: its action, what it searched for and noted, its visits, mean and own value, and what that is of.

    `cost` are the tokens of its own action, `status` is open, answered, pruned (it brought nothing new) or failed.
    """
    node, this = tree.nodes[node_id], reached[node_id]
    before: State = reached[node.parent].state if node.parent is not None else {}
    draft = this.state.get("draft") if node.is_terminal else None
    return {
        "node_id": node.node_id,
        "parent": node.parent,
        "action": node.action.kind,
        "text": node.action.text,
        "queries": [*this.state.get("queries", ())[len(before.get("queries", ())) :]],
        "visits": node.visits,
        "mean": round(node.mean, 4),
        "value": round(node.value, 4),
        "prior": round(node.prior, 4),
        "cost": node.cost,
        "reward": _reward(this.reward),
        "read": len(this.state.get("read", ())) - len(before.get("read", ())),
        "evidence": [
            {"note_id": note.note_id, "doc_id": note.doc_id, "quote": note.quote}
            for note in this.state.get("notes", ())[len(before.get("notes", ())) :]
            if note.stance == "supports"
        ],
        "status": _status(node, this),
        "answer": draft.short or draft.claims[0].text if draft else "",
        "error": this.error,
    }


def _reward(reward: Reward | None) -> dict[str, Any]:
    """Return the parts that counted, what its path's tokens take away, and the parts that were no number."""
    if reward is None:
        return {}
    parts = {part: round(value, 4) for part, value in reward.parts.items()}
    return {"parts": parts, "cost": round(reward.cost, 4), "dropped": list(reward.dropped)}


def _status(node: Node, reached: Reached) -> str:
    if reached.error:
        return "failed"
    if node.is_pruned:
        return "pruned"
    return "answered" if node.is_terminal else "open"
