"""A data set of six passages in its three forms, a scripted model that knows it, and `gnomon` in a process of its own.

Everything else is real: engine, stores, indexes, and the embedder that needs no model file.
"""

import csv
import json
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from app.cli.context import Cli
from app.cli.main import main
from app.core.run import Run
from app.core.settings import Agent, Component, Models, Settings
from app.core.types import Completion, Prompt, Sampling
from app.engine import Engine
from app.experiments.datasets import chosen, read_dataset
from app.experiments.run import Evaluation, Finished, run_evaluation
from app.models.scripted import Rule, ScriptedModel

CONFIDENCE = 0.8
PASSAGES = {
    "orta": ("Lake Orta", "Lake Orta was mapped by Ada Brandt in 1871. Lake Orta is 290 metres deep."),
    "brandt": ("Ada Brandt", "Ada Brandt was born in Zurich in 1840."),
    "iseo": ("Lake Iseo", "Lake Iseo was mapped by Karl Weiss in 1902."),
    "weiss": ("Karl Weiss", "Karl Weiss was born in Graz in 1860."),
    "como": ("Lake Como", "Lake Como has the shape of the letter Y."),
    "garda": ("Lake Garda", "Lake Garda is the largest lake of the country."),
}
ROWS: list[dict[str, Any]] = [
    {"id": "q1", "text": "Who mapped Lake Orta?", "answers": ["Ada Brandt"], "documents": ["orta"], "hops": 1},
    {
        "id": "q2",
        "text": "Where was the man born who mapped Lake Iseo?",
        "answers": ["Graz"],
        "documents": ["iseo", "weiss"],
        "hops": 2,
    },
    {"id": "q3", "text": "How deep is Lake Orta?", "answers": ["290 metres"], "documents": ["orta"], "hops": 1},
    {"id": "q4", "text": "Who painted Lake Garda?", "answers": ["[unanswerable]"], "documents": [], "hops": 1},
    {
        "id": "q5",
        "text": "Which letter has the shape of Lake Como?",
        "answers": ["Y"],
        "documents": ["como"],
        "hops": 1,
    },
    {"id": "q6", "text": "When was Ada Brandt born?", "answers": ["1840"], "documents": ["brandt"], "hops": 1},
]
STEPS = {  # what the model looks up one after another, with what it reads each time
    "q2": {"Who mapped Lake Iseo?": "Karl Weiss", "Where was #1 born?": "Graz"},
}
SAID = {  # what the model answers: q3 wrongly, q4 is rightly refused
    "q1": "Ada Brandt",
    "q2": "Graz",
    "q3": "290",
    "q4": "unknown",
    "q5": "Y",
    "q6": "1840",
}


def a_beir_set(
    folder: Path,
    *,
    rows: Sequence[Mapping[str, Any]] = ROWS,
    passages: Mapping[str, tuple[str, str]] = PASSAGES,
    candidates: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """Write `corpus.jsonl`, `queries.jsonl` and `qrels.tsv`, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus = [{"_id": key, "title": title, "text": text} for key, (title, text) in passages.items()]
    write_rows(folder / "corpus.jsonl", corpus)
    asked = [{"_id" if key == "id" else key: row[key] for key in row if key != "documents"} for row in rows]
    write_rows(folder / "queries.jsonl", asked)
    judged = [f"{row['id']}\t{key}\t1\n" for row in rows for key in row.get("documents", ())]
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(judged))
    if candidates is not None:
        lines = [
            f"{query_id} Q0 {key} {rank} {1 / rank} first\n"
            for query_id, keys in candidates.items()
            for rank, key in enumerate(keys, start=1)
        ]
        (folder / "candidates.trec").write_text("".join(lines))
    return folder


def a_folder_of_documents(folder: Path, *, rows: Sequence[Mapping[str, Any]] = ROWS) -> Path:
    """Write a file for each passage into `documents/`, and `questions.jsonl`; return the folder."""
    (folder / "documents").mkdir(parents=True)
    for key, (title, text) in PASSAGES.items():
        (folder / "documents" / f"{key}.md").write_text(f"---\ntitle: {title}\n---\n\n{text}\n")
    write_rows(folder / "questions.jsonl", _of_files(rows))
    return folder


def a_question_file(path: Path, *, rows: Sequence[Mapping[str, Any]] = ROWS) -> Path:
    """Write the questions of files of documents into a .jsonl or .csv file, and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        return write_rows(path, _of_files(rows))
    with path.open("w", newline="") as stream:
        table = csv.DictWriter(stream, fieldnames=list(rows[0]))
        table.writeheader()
        for row in _of_files(rows):
            table.writerow({key: "|".join(cell) if isinstance(cell, list) else cell for key, cell in row.items()})
    return path


def _of_files(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "documents": [f"{key}.md" for key in row["documents"]]} for row in rows]


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


class LakeModel(ScriptedModel):
    """Answers as `SAID`, always as sure; `break_at` is the number of the call, from 1, that raises `problem`."""

    def __init__(self, *, break_at: int = 0, problem: Exception | None = None, pace: float = 0.0) -> None:
        super().__init__(*(rule for row in ROWS for rule in _rules(row)))
        self.break_at = break_at
        self.problem = problem
        self.pace = pace

    @property
    def asked(self) -> list[str]:
        """The ids of the questions that it was asked, in order, each once."""
        return list(dict.fromkeys(row["id"] for prompt in self.seen for row in ROWS if row["text"] in prompt.user))

    def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
        time.sleep(self.pace)
        if self.problem and len(self.seen) + 1 >= self.break_at:
            raise self.problem
        completions = super().generate(prompts, sampling=sampling, run=run)
        return [replace(one, logprobs=((one.text, math.log(CONFIDENCE)),)) for one in completions]


def _rules(row: Mapping[str, Any]) -> list[Rule]:
    steps = STEPS.get(row["id"], {})
    plan = Rule(name="plan", contains=f"Question: {row['text']}", replies=(json.dumps({"steps": list(steps)}),))
    rules = [plan, _reads(row["text"], SAID[row["id"]], picks=(1, 2))]
    before = ""
    for step, said in steps.items():
        rules.append(_reads(step.replace("#1", before), said, picks=(1,)))
        before = said
    return rules


def _reads(question: str, said: str, *, picks: Sequence[int]) -> Rule:
    reply = {"sentences": picks, "claim": f"It is {said}.", "answer": said}
    return Rule(name="note", contains=f"Question: {question}", replies=(json.dumps(reply),))


def settings_in(data_dir: Path) -> Settings:
    """Settings whose data lie in a folder of the test; the agent reads two passages a search."""
    embedder = Component(name="hashing_embedder")
    return Settings(data_dir=data_dir, models=Models(embedder=embedder), agent=Agent(passages=2))


class Bench:
    """Runs evaluations in one data folder; `indexed` and `told` hold what the last one's progress was told."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.model = LakeModel()
        self.indexed: list[tuple[int, int, str]] = []
        self.told: list[tuple[int, int, str]] = []

    def run(
        self,
        path: Path,
        system: str,
        *,
        model: LakeModel | None = None,
        settings: Settings | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        **options: Any,
    ) -> Finished:
        """Return the finished evaluation of a data set, or raise what stopped it."""
        self.model, self.indexed, self.told = model or LakeModel(), [], []
        choice = {name: options.get(name) for name in ("limit", "sample")}
        dataset = chosen(read_dataset(path), seed=options.get("seed", 0), **choice)
        return run_evaluation(
            Evaluation(dataset=dataset, system=system, today=date(2026, 1, 15), command="gnomon eval run", **options),
            settings or settings_in(self.data_dir),
            open_engine=lambda own: Engine.open(own, generator=self.model),
            cancelled=cancelled,
            indexing=lambda *at: self.indexed.append(at),
            progress=lambda *at: self.told.append(at),
        )

    @property
    def results(self) -> list[Path]:
        """The results that were written."""
        return sorted(self.data_dir.glob("eval/runs/*/result.json"))


def records_of(finished: Finished) -> dict[str, dict[str, Any]]:
    """Return the lines of a run's file by question."""
    lines = (finished.folder / "records.jsonl").read_text().splitlines()
    return {raw["query_id"]: raw for raw in map(json.loads, lines)}


def values_of(finished: Finished, metric: str) -> dict[str, float | None]:
    """Return a metric of each question, by id."""
    return {one.query_id: one.values[metric] for one in finished.result.scored}


if __name__ == "__main__":  # the command line around the scripted model; the first argument is its seconds a call
    slow = LakeModel(pace=float(sys.argv.pop(1)))
    sys.exit(main(start=Cli(open_engine=lambda settings: Engine.open(settings, generator=slow))))
