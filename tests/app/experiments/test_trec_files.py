"""The TREC runs that an evaluation leaves, and a reranking that goes on from them."""

import json
from pathlib import Path
from typing import Any

import pytest
from measured import ROWS, Bench, a_beir_set, settings_in
from scored import ReadableModel

from app.cli.context import Cli
from app.cli.main import main
from app.core.settings import Component, Settings
from app.engine import Engine
from app.evaluation.records import Record
from app.evaluation.trec import read_run
from app.experiments.trec_files import write_runs

LISTS = {row["id"]: list(dict.fromkeys(["garda", "como", *row["documents"]])) for row in ROWS}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "data")


@pytest.fixture
def lakes(tmp_path: Path) -> Path:
    return a_beir_set(tmp_path / "lakes", candidates=LISTS)


class Reading(ReadableModel):
    """Takes the place of the model that writes; the settings name no other."""


def with_reranker(settings: Settings, name: str) -> Settings:
    models = settings.models.model_copy(update={"scorer": None})
    search = settings.search.model_copy(update={"reranker": Component(name=name)})
    return settings.model_copy(update={"models": models, "search": search})


def order(path: Path) -> dict[str, list[str]]:
    return {query_id: [doc_id for doc_id, _ in ranking] for query_id, ranking in read_run(path).items()}


def record(query_id: str, *doc_ids: str, first: tuple[str, ...] | None = None) -> Record:
    ranked = tuple((doc_id, float(-rank)) for rank, doc_id in enumerate(doc_ids))
    given = None if first is None else tuple((doc_id, float(-rank)) for rank, doc_id in enumerate(first))
    return Record(query_id=query_id, ranking=ranked, first_stage=given)


def test_a_run_without_a_reranker_leaves_its_ranking_alone(bench: Bench, lakes: Path) -> None:
    finished = bench.run(lakes, "candidates")

    assert order(finished.folder / "run.trec") == order(lakes / "candidates.trec")
    assert (finished.folder / "run.trec").read_text().splitlines()[0] == "q1 Q0 garda 1 1.0 candidates"
    assert not (finished.folder / "first_stage.trec").exists()


def test_an_agent_leaves_what_it_read_in_its_order(bench: Bench, lakes: Path) -> None:
    finished = bench.run(lakes, "fixed")

    assert set(order(finished.folder / "run.trec")) <= {row["id"] for row in ROWS}
    assert finished.warnings == ()


def test_both_orders_are_left_and_a_reranking_goes_on_from_either(
    tmp_path: Path, bench: Bench, lakes: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def open_engine(settings: Settings) -> Engine:
        return Engine.open(settings, generator=Reading())

    settings = with_reranker(settings_in(bench.data_dir), "likelihood")
    finished = bench.run(lakes, "candidates", settings=settings, model=Reading())  # type: ignore[arg-type]

    reranked, first = order(finished.folder / "run.trec"), order(finished.folder / "first_stage.trec")
    assert first == order(lakes / "candidates.trec")
    assert reranked != first
    assert {key: sorted(found) for key, found in reranked.items()} == {key: sorted(ids) for key, ids in first.items()}
    assert "candidates-likelihood" in (finished.folder / "run.trec").read_text()

    given = ["--set", "models.scorer=null", "--data-dir", str(tmp_path / "other"), "rerank", "--reranker", "likelihood"]
    again = [str(finished.folder / "first_stage.trec"), "--data", str(lakes), "-o", str(tmp_path / "again.trec")]
    assert main([*given, *again, "--json"], start=Cli(open_engine=open_engine)) == 0
    assert json.loads(capfd.readouterr().out)["degraded"] == {}
    assert order(tmp_path / "again.trec") == reranked


def test_a_stopped_run_leaves_none_of_an_earlier_one(bench: Bench, lakes: Path) -> None:
    finished = bench.run(lakes, "candidates")
    lines = (finished.folder / "records.jsonl").read_text().splitlines(keepends=True)
    (finished.folder / "records.jsonl").write_text("".join(lines[:-1]))

    def stopped() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.run(lakes, "candidates", cancelled=stopped)
    assert not (finished.folder / "run.trec").exists()


def test_an_id_with_a_space_leaves_its_file_out_and_the_result_whole(tmp_path: Path, bench: Bench) -> None:
    rows: list[dict[str, Any]] = [{**row, "id": f"question {row['id']}"} for row in ROWS]
    with_documents = a_beir_set(tmp_path / "spaced", rows=rows)

    finished = bench.run(with_documents, "lexical")

    [warning] = finished.warnings
    assert warning.startswith("run.trec is not written: ")
    assert "'question q1'" in warning
    assert not (finished.folder / "run.trec").exists()
    assert finished.result.questions == len(rows)


def test_questions_without_hits_leave_no_line(tmp_path: Path) -> None:
    assert write_runs(tmp_path, [record("a"), record("b", "d1", first=("d1",))], tag="t") == []
    assert (tmp_path / "run.trec").read_text() == "b Q0 d1 1 0.0 t\n"
    assert (tmp_path / "first_stage.trec").read_text() == "b Q0 d1 1 0.0 t\n"
