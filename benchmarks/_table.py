"""What benchmarks share: the scale of a quick look, timing in turns, and the table with its JSON.

`SCALE=0.1` in the environment makes inputs and repeats smaller; `BENCH_RESULTS` is another folder for the JSON.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

RESULTS = Path(__file__).parent / "results"
T = TypeVar("T")
_COLUMNS = ("what", "ours", "peer", "ratio", "goal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of ours beside a peer's; the ratio is larger where ours is better, and should reach the goal."""

    what: str
    ours: float
    peer: float
    ratio: float
    goal: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """The median seconds that a piece of work took, and what it gave for each item."""

    seconds: float
    results: list[Any]


def less(what: str, ours: float, peer: float, goal: float | None = None) -> Row:
    """Return the row of two figures of which the smaller is better, such as seconds."""
    return Row(what=what, ours=ours, peer=peer, ratio=peer / ours, goal=goal)


def more(what: str, ours: float, peer: float, goal: float | None = None) -> Row:
    """Return the row of two figures of which the larger is better, such as passages a second."""
    return Row(what=what, ours=ours, peer=peer, ratio=ours / peer, goal=goal)


def scale() -> float:
    """Return the share of a full run that was asked for: 1 without SCALE."""
    share = float(os.environ.get("SCALE") or 1.0)
    if not 0.0 < share <= 1.0:
        sys.exit(f"SCALE is a share of the full benchmark, above 0 and at most 1, not {share:g}")
    return share


def scaled(count: int, *, least: int = 1) -> int:
    """Return that share of a count, at least `least`."""
    return max(least, round(count * scale()))


def in_turns(works: Mapping[str, Callable[[T], object]], items: Sequence[T]) -> dict[str, Timed]:
    """Do every work with each item, item by item, so that what disturbs the machine disturbs all works alike."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    results: dict[str, list[Any]] = {name: [] for name in works}
    for item in items:
        for name, work in works.items():
            started = time.perf_counter()
            results[name].append(work(item))
            seconds[name].append(time.perf_counter() - started)
    return {name: Timed(seconds=median(seconds[name]), results=results[name]) for name in works}


def report(name: str, rows: Sequence[Row], **conditions: object) -> None:
    """Print the rows as a table and write them, with machine and conditions, to `results/<name>.json`."""
    rounded = [
        {key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in asdict(row).items()}
        for row in rows
    ]
    print(_table(rounded))
    folder = Path(os.environ.get("BENCH_RESULTS") or RESULTS)
    folder.mkdir(parents=True, exist_ok=True)
    content = {"machine": {**_machine(), **conditions, "scale": scale()}, "rows": rounded}
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _table(rows: Sequence[Mapping[str, object]]) -> str:
    cells = [_COLUMNS, *(tuple("" if row[key] is None else str(row[key]) for key in _COLUMNS) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_COLUMNS))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    lines.insert(1, "-|-".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


def _machine() -> dict[str, object]:
    return {"processor": _processor(), "cores": os.cpu_count(), "torch": version("torch")}


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
