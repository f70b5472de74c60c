"""Benchmarks run and write what they promise; how fast anything is says only a quiet machine."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_causal import save_tiny_model

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run(*names: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(BENCHMARKS / "run.py"), *names]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


def test_answer_prints_what_the_framework_costs(tmp_path: Path) -> None:
    done = run("answer", SCALE="0.02", BENCH_RESULTS=str(tmp_path))

    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))["rows"]
    assert [row["what"] for row in rows[:3]] == [
        "ms a step, bare",
        "ms a step, with events",
        "ms a step, with events and checkpoints",
    ]
    assert all(row["ratio"] > 1.0 for row in rows[:3])  # five times below the goal even on a busy machine


def test_rerank_prints_a_table_and_writes_its_rows(tmp_path: Path) -> None:
    model = save_tiny_model(tmp_path / "tiny", max_position_embeddings=16_384)

    done = run("rerank", SCALE="0.01", BENCH_MODEL=str(model), BENCH_RESULTS=str(tmp_path))

    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "rerank.json").read_text(encoding="utf-8"))
    assert set(content) == {"machine", "rows"}
    assert {"processor", "cores", "torch", "format"} <= set(content["machine"])
    assert content["machine"]["scale"] == 0.01
    for row in content["rows"]:
        assert list(row) == ["what", "ours", "peer", "ratio", "goal"]
        assert f"| {row['what']} " in done.stdout
        assert all(math.isfinite(row[key]) for key in ("ours", "peer", "ratio"))
    goals = [row["goal"] for row in content["rows"] if row["goal"] is not None]
    assert goals == [5.0, 0.833, 1.0, 2.0, 1.7, 2.0, 2.0, 0.98, 0.98]
    [same] = [row for row in content["rows"] if row["goal"] == 1.0]
    assert same["ratio"] == 1.0  # the one figure that no machine changes: attention is that of the eager passes


def test_a_model_that_is_not_there_is_one_line_that_says_how_to_get_it(tmp_path: Path) -> None:
    done = run("rerank", BENCH_RESULTS=str(tmp_path), GNOMON_MODELS_DIR=str(tmp_path))

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"model 'qwen2.5-coder-0.5b-instruct-q4_k_m' is not in {tmp_path}; "
        "run `gnomon models pull qwen2.5-coder-0.5b-instruct-q4_k_m`"
    ]


def test_an_unknown_benchmark_is_named_beside_those_there_are() -> None:
    done = run("rerankk")

    assert done.returncode == 1
    assert "there is no benchmark 'rerankk'; choose from answer, bm25, ingest, models, rerank, " in done.stderr


@pytest.mark.parametrize("share", ["0", "1.5"])
def test_a_scale_that_is_no_share_is_refused(share: str) -> None:
    done = run("rerank", SCALE=share)

    assert done.returncode == 1
    assert f"above 0 and at most 1, not {share}" in done.stderr
