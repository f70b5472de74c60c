"""The sample collection through Gnomon's own readers, indexes and agent, without a language model."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from app.core.protocols import LanguageModel
from app.core.settings import load_settings
from app.engine import Engine

ROOT = Path(__file__).parents[2]
DOCUMENTS = ROOT / "samples" / "spaceflight" / "documents"
QUESTIONS = {
    row["query_id"]: row
    for row in map(json.loads, (ROOT / "samples" / "spaceflight" / "questions.jsonl").read_text().splitlines())
}
TINY: dict[str, list[str]] = yaml.safe_load((ROOT / "tests" / "corpora" / "tiny.yaml").read_text())


def an_engine(data_dir: Path, generator: LanguageModel, **overrides: Any) -> Engine:
    embedder = {"models": {"embedder": {"name": "hashing_embedder"}}}
    settings = load_settings(environment={}, overrides={"data_dir": str(data_dir), **embedder, **overrides})
    return Engine.open(settings, generator=generator)


def ingest(engine: Engine, names: Iterable[str], *, collection: str = "sample") -> None:
    report = engine.pipeline(collection).run([DOCUMENTS / name for name in names], run=engine.new_run())
    assert not report.failed
