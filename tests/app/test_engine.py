"""The engine over real stores and indexes; only the embedder is the one without a model file."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ConfigError, InvalidQuestion, NotFound, StaleIndex
from app.core.events import ignore
from app.core.run import Run
from app.core.settings import Settings, load_settings
from app.engine import Engine, make_question
from app.store.collections import Collections
from fakes import a_query, a_question


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    overrides: dict[str, Any] = {"data_dir": tmp_path / "data", "models": {"embedder": {"name": "hashing_embedder"}}}
    return load_settings(environment={}, overrides=overrides)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = Engine.open(settings)
    yield engine
    engine.close()


def ingest(engine: Engine, path: Path, text: str) -> None:
    path.write_text(text)
    engine.pipeline("space").run([path], run=Run())


def texts(engine: Engine, words: str) -> list[str]:
    return [hit.passage.text for hit in engine.search(words, collection="space", run=Run())]


def test_a_search_that_a_publication_overtakes_is_made_again(engine: Engine, tmp_path: Path) -> None:
    ingest(engine, tmp_path / "a.txt", "Luna 9 landed on the Moon.")
    retriever = engine.retriever("space")  # looks into the first generation, whose passage is then replaced
    ingest(engine, tmp_path / "a.txt", "Luna 9 landed in February 1966.")

    hits = retriever.retrieve(a_query("Luna 9"), top_k=3, run=Run())

    assert [hit.passage.text for hit in hits] == ["Luna 9 landed in February 1966."]


def test_a_collection_made_again_under_its_name_is_another(engine: Engine, tmp_path: Path) -> None:
    ingest(engine, tmp_path / "a.txt", "Luna 9 landed on the Moon.")
    assert texts(engine, "Luna") == ["Luna 9 landed on the Moon."]
    Collections(engine.database).delete("space")
    ingest(engine, tmp_path / "b.txt", "Luna 10 went into orbit.")

    assert texts(engine, "Luna") == ["Luna 10 went into orbit."]


def test_an_empty_collection_says_how_to_fill_it(engine: Engine) -> None:
    Collections(engine.database).create("space")

    with pytest.raises(NotFound, match=r"'space' is empty; fill it with 'gnomon ingest PATH -c space'"):
        engine.answer(a_question(), collection="space", emit=ignore, run=Run())
    assert engine.search("Luna", collection="space", run=Run()) == []


def test_the_mending_command_of_a_stale_index_names_its_collection(engine: Engine, tmp_path: Path) -> None:
    ingest(engine, tmp_path / "a.txt", "Luna 9 landed on the Moon.")
    for file in (engine.collection_folder("space") / "index").rglob("content.json"):
        file.write_text("{")

    with pytest.raises(StaleIndex, match="damaged; run 'gnomon index rebuild -c space'"):
        engine.search("Luna", collection="space", run=Run())
    with pytest.raises(StaleIndex, match="-c space"):
        ingest(engine, tmp_path / "a.txt", "Luna 10 went into orbit.")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" \n ", "empty"),
        ("word " * 20_000, "has 99999 characters, at most 2000"),
        ("who\x1b[31m", r"U\+001B"),
        ("who \ud800 is", r"U\+D800"),
        ("who \udcff is", r"U\+DCFF"),
    ],
)
def test_a_question_that_is_no_text_is_refused(settings: Settings, text: str, message: str) -> None:
    with pytest.raises(InvalidQuestion, match=message):
        make_question(text, asked_on=date(2026, 1, 15), settings=settings)


def test_without_a_dense_index_nothing_is_embedded_and_words_are_found(settings: Settings, tmp_path: Path) -> None:
    indexes = settings.indexes.model_copy(update={"dense": None})
    search = settings.search.model_copy(update={"mode": "lexical"})
    engine = Engine.open(settings.model_copy(update={"indexes": indexes, "search": search}))
    try:
        ingest(engine, tmp_path / "a.txt", "Luna 9 landed on the Moon.")

        assert texts(engine, "Luna") == ["Luna 9 landed on the Moon."]
        assert not list(engine.collection_folder("space").rglob("dense"))
        with pytest.raises(ConfigError, match="no dense index"):
            engine.search("Luna", collection="space", run=Run(), mode="hybrid")
    finally:
        engine.close()
