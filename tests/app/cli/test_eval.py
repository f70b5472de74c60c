"""`gnomon eval run` and `eval datasets` with a real engine around a scripted model."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import measured
import pytest
from measured import ROWS, LakeModel, a_beir_set, a_folder_of_documents, a_question_file

from app.cli import progress
from app.cli.context import Cli
from app.cli.main import main
from app.cli.progress import one_at_a_time
from app.engine import Engine
from app.experiments.results import read_result

ROOT = Path(__file__).parents[3]
PATIENCE = 240  # seconds for a process that starts on a busy machine
OWN = ("--set", "models.embedder.name=hashing_embedder", "--set", "agent.passages=2")


@pytest.fixture
def lakes(tmp_path: Path) -> Path:
    return a_beir_set(tmp_path / "lakes")


@pytest.fixture
def evaluate(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Run `gnomon eval` and return its exit code, stdout and stderr; how slow the machine is makes no line."""
    monkeypatch.setattr(progress, "LINE_SECONDS", math.inf)

    def run(*arguments: object, model: LakeModel | None = None, globally: tuple[str, ...] = ()) -> tuple[int, str, str]:
        given = ["--data-dir", str(tmp_path / "data"), *OWN, *globally, "eval", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", ["gnomon", *given])
        script = model or LakeModel()
        code = main(given, start=Cli(open_engine=lambda settings: Engine.open(settings, generator=script)))
        return code, *capfd.readouterr()

    return run


def test_the_tree_search_is_measured_like_the_agent(evaluate: Any, lakes: Path) -> None:
    code, out, err = evaluate("run", lakes, "--system", "tree", globally=("--set", "tree.policy=best_of_n"))

    assert (code, err) == (0, "")
    assert "EM\t" in out


def test_a_run_is_a_table_of_metrics_and_what_it_spent(evaluate: Any, tmp_path: Path, lakes: Path) -> None:
    code, out, err = evaluate("run", lakes)

    assert (code, err) == (0, "")
    rows = [line.split("\t") for line in out.splitlines()]
    assert rows[0] == ["metric", "value", "low", "high", "n"]
    em = next(row for row in rows if row[0] == "EM")
    assert (em[1], em[4]) == ("0.8000", "5")  # 4 of 5
    assert next(row for row in rows if row[0] == "wrong_time") == ["wrong_time", "-", "-", "-", "0"]
    *_, left_out, lost, last = out.splitlines()
    assert left_out == "left out: 1 questions with no relevant document: not in the retrieval figures"
    assert lost == "lost: 1 answer wrong"
    [result] = (tmp_path / "data").glob("eval/runs/lakes-agent-*/result.json")
    assert last.startswith("6 questions, ")
    assert last.endswith(f" tokens in; {result}")


def test_a_retrieval_has_no_losses_and_calls_no_model(evaluate: Any, lakes: Path) -> None:
    *table, left_out, last = evaluate("run", lakes, "--system", "lexical")[1].splitlines()

    assert table[-1].split("\t")[:2] == ["full@10", "1.0000"]
    assert left_out.startswith("left out: 1 questions")
    assert ", 0 model calls, 0 tokens in; " in last


@pytest.mark.parametrize("system", ["lexical", "agent"])
def test_as_json_the_output_is_one_object_on_the_last_line(
    evaluate: Any, tmp_path: Path, lakes: Path, system: str
) -> None:
    (lakes / "qrels.tsv").write_text((lakes / "qrels.tsv").read_text() + "q1\tatlantis\t1\n")
    code, out, err = evaluate("run", lakes, "--system", system, "--json", "--limit", "4", "--seed", "3")

    assert (code, out.count("\n")) == (0, 1)
    told = json.loads(out)
    assert told["complete"] is True
    assert (told["questions"], told["limit"], told["sample"], told["seed"]) == (4, 4, None, 3)
    assert all(one.keys() == {"value", "low", "high", "n"} for one in told["metrics"].values())
    assert ("EM" in told["metrics"]) == (system == "agent")
    models = {"generator", "embedder"} if system == "agent" else set()
    assert told["digests"].keys() == {"dataset", "settings", "code", "metrics", *models}
    where = f"--data-dir {tmp_path / 'data'} {' '.join(OWN)}"
    assert told["command"] == f"gnomon {where} eval run {lakes} --system {system} --json --limit 4 --seed 3"
    assert told["cost"]["questions"] == 4
    assert told["warnings"] == [
        f"1 relevant documents are not in {lakes / 'corpus.jsonl'}, first 'atlantis'; they count as not found"
    ]
    assert err == f"gnomon: warning: {told['warnings'][0]}\n"
    result = read_result(Path(told["result"]))
    assert (result.metrics["RR"].value, len(result.scored)) == (told["metrics"]["RR"]["value"], 4)


def test_a_question_file_is_asked_of_a_collection(evaluate: Any, tmp_path: Path, capfd: Any) -> None:
    documents = a_folder_of_documents(tmp_path / "own") / "documents"
    main(["--data-dir", str(tmp_path / "data"), *OWN, "ingest", str(documents), "-c", "mine"])
    capfd.readouterr()

    code, out, _ = evaluate("run", a_question_file(tmp_path / "q.csv"), "-c", "mine", "--json", "--workers", "3")

    assert (code, json.loads(out)["metrics"]["EM"]["value"]) == (0, 0.8)


def test_a_run_that_is_broken_off_has_no_exit_code_0(evaluate: Any, tmp_path: Path, lakes: Path) -> None:
    code, out, err = evaluate("run", lakes, "--json", model=LakeModel(break_at=4, problem=RuntimeError("power")))
    assert (code, out) == (1, "")
    assert "power" in err
    assert not list(tmp_path.glob("data/eval/runs/*/result.json"))

    code, out, err = evaluate("run", lakes, "--json")
    assert (code, err, json.loads(out)["questions"]) == (0, "", 6)


def test_a_folder_may_be_the_one_at_hand(evaluate: Any, lakes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lakes)

    code, out, _ = evaluate("run", ".", "--system", "lexical", "--json")

    assert (code, json.loads(out)["dataset"]) == (0, "lakes")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ("--system", "magic"),
            "no system 'magic'; choose from candidates, lexical, dense, hybrid, temporal, fixed, agent",
        ),
        (("--system", "candidates"), "lakes has no candidates.trec; choose another system"),
        (("--reranker", "magic"), "no 'magic' in rerankers/; choose from"),
        (("-c", "mine"), "lakes has a corpus of its own; leave --collection away"),
        (("--qrels", "nowhere.tsv"), "nowhere.tsv: cannot be read (No such file or directory); check the path"),
    ],
)
def test_what_cannot_be_run_is_one_line(evaluate: Any, lakes: Path, options: tuple[str, ...], told: str) -> None:
    code, out, err = evaluate("run", lakes, *options)

    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"gnomon: {told}")


@pytest.mark.parametrize("options", [("--limit", "0"), ("--sample", "0"), ("--workers", "0"), ("--seed", "-1")])
def test_numbers_out_of_bounds_are_wrong_usage(evaluate: Any, lakes: Path, options: tuple[str, ...]) -> None:
    assert evaluate("run", lakes, *options)[0] == 2


def test_bytes_are_shown_while_it_indexes_and_then_questions(
    evaluate: Any, lakes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)

    err = evaluate("run", lakes, "--system", "fixed")[2]
    *indexing, begin, first, second, third, fourth, fifth, last = err.splitlines()
    assert {line.split(":")[0] for line in indexing} == {"index 0.0 MB/0.0 MB"}
    assert indexing[-1] == "index 0.0 MB/0.0 MB: 6 documents"
    assert [begin, last] == ["eval 0/6", "eval 6/6: q6"]
    assert [line.split(",")[0] for line in (first, second, third, fourth, fifth)] == [
        f"eval {n}/6" for n in range(1, 6)
    ]

    assert evaluate("run", lakes, "--system", "fixed")[2] == "eval 0\n"  # nothing to index, nothing to ask
    assert evaluate("run", lakes, "--system", "fixed", "--seed", "1", globally=("--quiet",))[2] == ""


def test_a_meter_ends_where_the_next_one_begins() -> None:
    events: list[str] = []

    @contextmanager
    def meter(name: str) -> Iterator[progress.Report]:
        events.append(f"{name} begins")
        yield lambda done, total, current="", /: events.append(f"{name} {done}")
        events.append(f"{name} ends")

    with ExitStack() as shown:
        first, second = (one_at_a_time(shown, partial(meter, name)) for name in ("first", "second"))
        assert events == []
        for report, done in ((first, 1), (first, 2), (second, 0), (second, 1)):
            report(done, 2)

    told = "first begins, first 1, first 2, first ends, second begins, second 0, second 1, second ends"
    assert events == told.split(", ")


# Ctrl-C, sent to a real process.


def start(pace: float, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, measured.__file__, str(pace), *(str(argument) for argument in arguments)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def lines_of(folder: Path) -> int:
    return sum(path.read_text().count("\n") for path in folder.glob("eval/runs/*/records.jsonl"))


def test_an_interrupted_run_reports_nothing_and_goes_on(tmp_path: Path, lakes: Path) -> None:
    command = ("-q", "--data-dir", tmp_path / "data", *OWN, "eval", "run", lakes, "--json")
    process = start(0.3, *command)
    deadline = time.monotonic() + PATIENCE
    while lines_of(tmp_path / "data") < 2:
        assert time.monotonic() < deadline, "it answered nothing"
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)

    assert (process.returncode, out) == (130, "")
    assert err == "gnomon: interrupted; nothing is reported, the same command goes on\n"
    assert not list((tmp_path / "data").glob("eval/runs/*/result.json"))
    assert 2 <= lines_of(tmp_path / "data") < 6

    again = start(0.0, *command)
    out, err = again.communicate(timeout=PATIENCE)
    assert (again.returncode, err) == (0, "")
    assert json.loads(out)["metrics"]["EM"] == {**json.loads(out)["metrics"]["EM"], "value": 0.8, "n": 5}
    assert lines_of(tmp_path / "data") == 6


# Data sets.


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "sets"
    a_beir_set(folder / "lakes of the north")
    a_folder_of_documents(folder / "documents", rows=ROWS[:2])
    (folder / "broken").mkdir()
    (folder / "README.md").write_text("about")
    return folder


def test_data_sets_are_listed_with_their_counts(evaluate: Any, root: Path) -> None:
    code, out, err = evaluate("datasets", root)

    rows = [line.split("\t") for line in out.splitlines()]
    assert (code, err.count("\n")) == (0, 1)
    assert err.startswith(f"{root / 'broken'}: no questions; put one of")
    assert rows[0][:3] == ["name", "questions", "judged"]
    assert [row[:5] for row in rows[1:]] == [
        ["documents", "2", "2", "2", "0"],
        ["lakes of the north", "6", "5", "5", "1"],
    ]
    assert [len(cell) for cell in rows[2][-2:]] == [12, 12]


def test_data_sets_as_json_tell_whole_digests(evaluate: Any, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNOMON_EVAL_DATA", str(root))

    code, out, _ = evaluate("datasets", "--json")

    told = json.loads(out)
    assert (code, [one["name"] for one in told]) == (0, ["documents", "lakes of the north"])
    assert all(len(one["digest"]) == len(one["corpus"]) == 64 for one in told)


def test_a_folder_without_data_sets_is_told(evaluate: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    code, out, err = evaluate("datasets", tmp_path / "empty")

    assert (code, out) == (1, "")
    assert err == f"gnomon: {tmp_path / 'empty'}: no data set in it; see docs/evaluation.md for their form\n"


def test_variants_are_written_counted_and_scored_together(evaluate: Any, tmp_path: Path, lakes: Path) -> None:
    led = {"text": "Who mapped the lake from 1901 to 1905?", "answers": ["Karl Weiss"], "type": "answerable"}
    time = {"start": "1901", "end": "1905"}
    rows = [{"_id": "q1", "page": "lake", "relation": "mapped", "time": time, **led}]
    measured.write_rows(lakes / "queries.jsonl", rows)

    code, out, _ = evaluate("perturb", lakes, "--output", tmp_path / "varied", "--json")
    counts = json.loads(out)["questions"]
    ran, scores, _ = evaluate("run", tmp_path / "varied", "--system", "lexical", "--json")

    assert (code, ran) == (0, 0)
    assert counts == dict.fromkeys(
        ["original", "inner_year", "inner_month", "last_before", "first_after", "vanished"], 1
    )
    assert json.loads(scores)["metrics"]["consistent_ranking"]["n"] == 1
