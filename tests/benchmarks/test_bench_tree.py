import json
import os
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_tree_prints_a_figure_for_each_policy_and_stays_within_its_memory(tmp_path: Path) -> None:
    environment = os.environ | {"SCALE": "0.1", "BENCH_RESULTS": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "bench_tree.py")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "tree.json").read_text(encoding="utf-8"))["rows"]
    assert [row["what"] for row in rows if row["what"].startswith(("uct: ", "bytes"))] == [
        "uct: seconds a rollout at 100 nodes",
        "bytes of 1000 nodes",
    ]
    [memory] = [row for row in rows if row["what"].startswith("bytes")]
    assert memory["ours"] < 5e6  # a tenth of 50 MB, for a tenth of 10,000 nodes: no machine changes it
    [at_once] = [row for row in rows if row["what"].startswith("8 rollouts at once")]
    assert at_once["ratio"] > 1.0
