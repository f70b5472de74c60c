"""`gnomon ask --strategy tree` and `gnomon trace show` around a real engine with a scripted model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli.context import Cli
from app.cli.main import main
from app.engine import Engine
from app.models.scripted import Rule, ScriptedModel

Gnomon = Callable[..., tuple[int, str, str]]
NOTE = json.dumps({"sentences": [1], "claim": "A Proton rocket launched Mir.", "answer": "Proton"})
HOSTILE = "Mir [red]x[/red] \x1b]0;owned\x07"


@pytest.fixture
def gnomon(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Gnomon:
    (tmp_path / "mir.md").write_text("---\ntitle: Mir\n---\n\nMir was launched by a Proton rocket in 1986.\n")
    model = ScriptedModel(
        Rule(name="note", replies=(NOTE,)),
        Rule(name="reformulate", replies=(json.dumps({"query": HOSTILE}),)),
    )

    def run(*arguments: str) -> tuple[int, str, str]:
        given = ["-q", "--data-dir", str(tmp_path / "data"), "--set", "models.embedder.name=hashing_embedder"]
        code = main(
            [*given, *arguments], start=Cli(open_engine=lambda settings: Engine.open(settings, generator=model))
        )
        return code, *capfd.readouterr()

    run("ingest", str(tmp_path / "mir.md"))
    return run


def test_the_tree_of_an_answer_is_shown_on_the_terminal(gnomon: Gnomon) -> None:
    code, out, _ = gnomon("ask", "Which rocket launched Mir?", "--strategy", "tree", "--show-tree")

    assert code == 0
    assert "A Proton rocket launched Mir [1]." in out
    assert "├── search Which rocket launched Mir?" in out or "└── search Which rocket launched Mir?" in out
    assert "answer Proton" in out
    assert not set(out) & {"\x1b", "\x07"}
    assert "[red]x[/red]" in out


def test_without_a_tree_there_is_none_to_show(gnomon: Gnomon) -> None:
    _, out, _ = gnomon("ask", "Which rocket launched Mir?", "--show-tree")

    assert "──" not in out.replace("─" * 10, "")


def test_a_kept_answer_tells_its_steps_and_its_tree(gnomon: Gnomon) -> None:
    _, out, _ = gnomon("ask", "Which rocket launched Mir?", "--strategy", "tree", "--conversation", "new", "--json")
    body: dict[str, Any] = json.loads(out)

    code, tree, _ = gnomon("trace", "show", body["answer_id"], "--tree")
    assert (code, "answer Proton" in tree) == (0, True)

    rows = json.loads(gnomon("trace", "show", body["answer_id"], "--tree", "--json")[1])
    assert {"action", "queries", "visits", "value", "cost", "evidence"} <= set(rows[0])
    assert rows == next(step["details"]["tree"] for step in body["trace"]["steps"] if step["node"] == "tree")
    assert "rollouts" in gnomon("trace", "show", body["answer_id"])[1]
    assert json.loads(gnomon("trace", "show", body["answer_id"], "--json")[1]) == body["trace"]


def test_an_answer_without_a_tree_and_one_that_is_not_there_are_one_line(gnomon: Gnomon) -> None:
    _, out, _ = gnomon("ask", "Which rocket launched Mir?", "--conversation", "new", "--json")
    answer_id = json.loads(out)["answer_id"]

    code, out, err = gnomon("trace", "show", answer_id, "--tree")
    assert (code, out) == (1, "")
    assert err == f"gnomon: answer '{answer_id}' has no search tree; ask with --strategy tree\n"
    code, _, err = gnomon("trace", "show", "nothing")
    assert (code, err.count("\n")) == (1, 1)
