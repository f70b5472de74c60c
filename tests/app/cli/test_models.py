import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def test_the_catalogue_says_what_is_here_and_in_use(gnomon: Any, tmp_path: Path) -> None:
    ran = gnomon("--set", f"models_dir={tmp_path}", "models", "list", "--json")
    rows = {row["name"]: row for row in map(json.loads, ran.out.splitlines())}
    assert {name for name, row in rows.items() if row["is_used"]} == {
        "qwen2.5-coder-1.5b-instruct-q4_k_m",
        "all-minilm-l6-v2",
    }
    assert not any(row["is_present"] for row in rows.values())


def test_a_model_that_is_not_here_names_the_pull_command(gnomon: Any, tmp_path: Path) -> None:
    ran = gnomon("--set", f"models_dir={tmp_path}", "models", "verify", "all-minilm-l6-v2")
    assert (ran.code, ran.out) == (1, "")
    assert "models pull all-minilm-l6-v2" in ran.err


def test_an_unknown_model_names_the_choices(gnomon: Any, tmp_path: Path) -> None:
    ran = gnomon("--set", f"models_dir={tmp_path}", "models", "pull", "magic")
    assert (ran.code, ran.out) == (1, "")
    assert "no model 'magic'; choose from" in ran.err


def test_bytes_that_are_wrong_are_refused_in_one_line(tmp_path: Path) -> None:
    local = tmp_path / "SmolLM2-135M-Instruct.Q4_1.gguf"
    local.write_bytes(b"not a model")
    name = "smollm2-135m-instruct-q4_1"
    options = ("-q", "--offline", "--set", f"models_dir={tmp_path / 'm'}", "models", "pull", name, "--from", str(local))
    done = subprocess.run([sys.executable, "-m", "app.cli.main", *options], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "SHA-256" in done.stderr
    assert not (tmp_path / "m" / f"{name}.gguf").exists()
