"""Runs benchmarks one after the other and prints what they print.

Usage: python benchmarks/run.py [NAME...], as `bm25` for bench_bm25.py; without names, those of `DEFAULT`. The others
want arguments or a package that is no dependency. `SCALE=0.1` in the environment makes a quick look of it.
"""

import subprocess
import sys
from pathlib import Path

DEFAULT = ("answer", "bm25", "models", "scoring", "rerank")


def main() -> int:
    """Return the first exit status that is not 0."""
    scripts = {path.stem.removeprefix("bench_"): path for path in sorted(Path(__file__).parent.glob("bench_*.py"))}
    names = sys.argv[1:] or DEFAULT
    if unknown := [name for name in names if name not in scripts]:
        sys.exit(f"there is no benchmark '{unknown[0]}'; choose from {', '.join(scripts)}")
    for name in names:
        print(f"== {name}", flush=True)
        done = subprocess.run([sys.executable, str(scripts[name])], check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
