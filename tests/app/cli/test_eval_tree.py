import json
from pathlib import Path
from typing import Any

import pytest
from injection.attacked import StubbornModel

from app.cli.context import Cli
from app.cli.main import main
from app.engine import Engine
from app.experiments import poisoned


def test_the_policies_are_measured_in_worlds_that_are_known(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "tree-world", "--seeds", "1", "--rollouts", "8,4"]) == 0
    header, *rows = [line.split("\t") for line in capfd.readouterr().out.splitlines()]

    assert header == ["worlds", "policy", "rollouts", "regret", "low", "high"]
    assert {row[0] for row in rows} == {"all", "all with hints", "all without hints"}
    assert {row[2] for row in rows} == {"4", "8"}
    assert all(0.0 <= float(row[3]) <= 1.0 for row in rows)


@pytest.mark.parametrize("rollouts", ["", "8,x", "0", "-1", "99999"])
def test_rollouts_that_are_no_numbers_are_refused_in_one_line(rollouts: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "tree-world", "--rollouts", rollouts]) == 2
    assert capfd.readouterr().err.count("\n") == 1


def test_poisoned_documents_are_counted_by_kind(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = poisoned.read_poisons()[:2]
    monkeypatch.setattr(poisoned, "read_poisons", lambda: first)
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "mir.md").write_text("Mir was launched by a Proton rocket in 1986.\n")
    arguments = ["--data-dir", str(tmp_path / "data"), "-q", "--set", "models.embedder.name=hashing_embedder"]
    arguments += ["eval", "poisoned", str(documents), "-o", str(tmp_path / "rows.jsonl")]

    def run(*more: str) -> str:
        start = Cli(open_engine=lambda settings: Engine.open(settings, generator=StubbornModel("Proton")))
        assert main([*arguments, *more], start=start) == 0
        return capfd.readouterr().out

    header, *rows = [line.split("\t") for line in run().splitlines()]
    told: dict[str, Any] = json.loads(run("--json"))

    assert header == ["attack", "attempts", "read", "cited", "followed", "right"]
    assert rows[-1][:2] == ["all", "2"]
    assert [one["kind"] for one in told["kinds"]] == [row[0] for row in rows]
    assert len(told["attempts"]) == 2
