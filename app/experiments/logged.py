"""Finished runs of a data set, by name or path, and whether what they answered is right."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.errors import InvalidDataset
from app.evaluation.answers import exact_match, token_f1
from app.evaluation.records import Gold
from app.experiments.datasets import Dataset
from app.experiments.records import Raw, read_raw
from app.experiments.results import Result, read_result
from app.experiments.systems import ANSWERING

F1_OF_RIGHT = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRun:
    """A finished run with its records by question; `golds` are those of its questions."""

    name: str
    result: Result
    raws: Mapping[str, Raw]
    golds: Mapping[str, Gold]


def read_run(named: str, dataset: Dataset, *, runs: Path) -> LoggedRun:
    """Return the run in a folder, or of that name in the folder of `runs`.

    Raises:
        InvalidDataset: there is no finished run, it answered nothing, or it is of another data set.
    """
    folder = Path(named) if Path(named).exists() else runs / named
    folder = folder if folder.is_dir() else folder.parent
    result = read_result(folder)
    if result.system not in ANSWERING:
        raise InvalidDataset(f"{folder}: '{result.system}' answers nothing; name a run of {' or '.join(ANSWERING)}")
    golds = {gold.query_id: gold for gold in dataset.golds}
    for one in result.scored:
        if one.query_id not in golds or golds[one.query_id].text != one.text:
            raise InvalidDataset(f"{folder}: its question '{one.query_id}' is none of {dataset.name}'s")
    asked = {one.query_id: golds[one.query_id] for one in result.scored}
    return LoggedRun(name=folder.name, result=result, raws=read_raw(folder / "records.jsonl"), golds=asked)


def is_right(gold: Gold, short: str) -> bool | None:
    """Tell whether a short answer is right: exactly, or at a token F1 of 0.5, since an answer may be told at length.

    An answer to what cannot be answered is wrong. None where the set does not say what is right.
    """
    if gold.answerable is False:
        return False
    if not gold.answers:
        return None
    return exact_match(short, gold.answers) == 1.0 or (token_f1(short, gold.answers) or 0.0) >= F1_OF_RIGHT


def steps_of(raw: Raw, node: str) -> list[Mapping[str, Any]]:
    """Return the details of the steps of a node, in order."""
    steps = (raw["answer"].get("trace") or {}).get("steps", [])
    return [step["details"] for step in steps if step["node"] == node]
