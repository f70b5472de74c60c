"""Heads found on a tiny data set, with a model whose attention follows from words; and a TREC run in another order."""

import json
from pathlib import Path
from typing import Any

import pytest
from scored import ReadableModel

from app.core.errors import InvalidDataset
from app.core.run import Run
from app.core.settings import Settings, load_settings
from app.engine import Engine
from app.evaluation.trec import read_run
from app.experiments.datasets import read_dataset
from app.experiments.detect_heads import Detected, detect_heads
from app.experiments.rerank_run import rerank_run

PASSAGES = {
    "a": "Luna 9 landed on the Moon in 1966.",
    "b": "Mir was launched by a Proton.",
    "c": "Skylab fell in 1979.",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "lakes"
    root.mkdir()
    rows = [{"_id": key, "title": "", "text": text} for key, text in PASSAGES.items()]
    (root / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (root / "queries.jsonl").write_text('{"_id": "q1", "text": "Which probe landed on the Moon?"}\n')
    (root / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\ta\t1\n")
    (root / "candidates.trec").write_text("q1 Q0 b 1 3.0 x\nq1 Q0 a 2 2.0 x\nq1 Q0 c 3 1.0 x\n")
    return root


def settings(tmp_path: Path) -> Settings:
    overrides: dict[str, Any] = {
        "data_dir": tmp_path / "data",
        "models": {"embedder": {"name": "hashing_embedder"}, "scorer": None},
        "search": {"reranker": {"name": "attention"}},
    }
    return load_settings(environment={}, overrides=overrides)


def open_engine(given: Settings) -> Engine:
    return Engine.open(given, generator=ReadableModel())


def detected(folder: Path, tmp_path: Path, **options: Any) -> Detected:
    given = {"method": "qrhead", "top": 3, "depth": 20, **options}
    return detect_heads(read_dataset(folder), settings(tmp_path), open_engine=open_engine, **given)


@pytest.mark.parametrize("method", ["qrhead", "core"])
def test_the_best_heads_come_from_the_given_lists(folder: Path, tmp_path: Path, method: str) -> None:
    found = detected(folder, tmp_path, method=method)

    assert (found.model_id, found.model_digest) == ("readable", "")  # it has no bytes to name
    assert found.questions == 1
    assert len(set(found.heads)) == 3
    assert all(0 <= layer < ReadableModel.layers and 0 <= head < ReadableModel.heads for layer, head in found.heads)


def test_without_given_lists_the_candidates_are_found(folder: Path, tmp_path: Path) -> None:
    (folder / "candidates.trec").unlink()

    assert detected(folder, tmp_path).questions == 1


def test_a_question_whose_evidence_is_no_candidate_tells_nothing(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidDataset, match="no head is found"):
        detected(folder, tmp_path, depth=1)


def test_a_run_is_reranked_whole_and_its_cost_is_told(folder: Path, tmp_path: Path) -> None:
    engine = open_engine(settings(tmp_path))
    try:
        made = engine.reranker(None)
        found = rerank_run(folder / "candidates.trec", read_dataset(folder), made, run=Run())
    finally:
        engine.close()

    assert {doc_id for doc_id, _ in found.rankings["q1"]} == set(PASSAGES)
    scores = [score for _, score in found.rankings["q1"]]
    assert scores == sorted(scores, reverse=True)
    assert found.degraded == {}
    assert found.usage.calls == 1
    assert read_run(folder / "candidates.trec")["q1"] != found.rankings["q1"]
