"""Runs the benchmarks that need no arguments, one after the other, and prints what they print."""

import subprocess
import sys
from pathlib import Path

SCRIPTS = ("bench_bm25.py", "bench_models.py", "bench_scoring.py")


def main() -> int:
    """Return the first exit status that is not 0."""
    folder = Path(__file__).parent
    for script in SCRIPTS:
        print(f"== {script}", flush=True)
        done = subprocess.run([sys.executable, str(folder / script)], check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
