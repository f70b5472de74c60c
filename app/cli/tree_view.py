"""A search tree as terminal text: one line a node, what it did first, then what came of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.style import Style
from rich.text import Text
from rich.tree import Tree

from app.cli.screen import one_line
from app.core.trace import Step

_STYLES = {"answered": "green", "pruned": "dim", "failed": "red"}
Rows = Sequence[Mapping[str, Any]]


def tree_rows(steps: Sequence[Step]) -> Rows:
    """Return the rows of the tree that a trace's steps tell of, the root first; none where none was searched."""
    return next((step.details["tree"] for step in reversed(steps) if step.node == "tree"), [])


def tree_view(rows: Rows) -> Tree:
    """Return the tree; each node with its queries or answer, mean value, visits, tokens and what it noted."""
    shown = {row["node_id"]: Tree(_line(row), guide_style=Style(dim=True)) for row in rows}
    for row in rows:
        if row["parent"] is not None:
            shown[row["parent"]].children.append(shown[row["node_id"]])
    return shown[rows[0]["node_id"]]


def _line(row: Mapping[str, Any]) -> Text:
    if row["parent"] is None:
        return Text(f"question · {row['visits']} rollouts", style="bold")
    text = Text(row["action"].replace("_", " "), style=_STYLES.get(row["status"], "bold"))
    words = row["answer"] or row["text"] or " · ".join(row["queries"])
    text.append(f" {one_line(words)}" if words else "", style="not bold")
    noted = f" · {len(row['evidence'])} noted" if row["evidence"] else ""
    figures = f"  {row['mean']:.2f} in {row['visits']} · own {row['value']:.2f} · {row['cost']:.0f} tokens{noted}"
    text.append(figures, style="not bold dim default")
    if row["status"] in ("pruned", "failed"):
        text.append(f" · {row['status']} {one_line(row['error'])}".rstrip(), style="not bold")
    return text
