"""The engine over real stores and indexes; only the embedder is the one without a model file."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from scored import ReadableModel
from tiny_causal import save_tiny_model

from app.core import registry
from app.core.errors import ConfigError, InvalidQuestion, MissingCapability, NotFound, StaleIndex, UnknownComponent
from app.core.events import ignore
from app.core.run import Run
from app.core.settings import Component, Settings, load_settings
from app.engine import Engine
from app.models.scripted import Rule, ScriptedModel
from app.questions import make_question
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
    return [hit.passage.text for hit in engine.search(words, collection="space", run=Run()).hits]


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
    assert engine.search("Luna", collection="space", run=Run()).hits == ()


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


def with_models(settings: Settings, generator: Any) -> Engine:
    models = settings.models.model_copy(update={"scorer": None})
    return Engine.open(settings.model_copy(update={"models": models}), generator=generator)


def test_a_search_is_reranked_by_whom_it_names(settings: Settings, tmp_path: Path) -> None:
    model = ReadableModel()
    engine = with_models(settings, model)
    try:
        for number in range(4):
            ingest(engine, tmp_path / f"{number}.txt", f"Luna {number} flew to the Moon, as number {number}.")
        plain = engine.search("Luna", collection="space", run=engine.new_run())
        assert model.seen == []

        found = engine.search("Luna", collection="space", run=engine.new_run(), reranker="likelihood")

        assert (found.degraded, {hit.source for hit in found.hits}) == (None, {"likelihood"})
        assert {hit.passage.passage_id for hit in found.hits} == {hit.passage.passage_id for hit in plain.hits}
        assert len(model.seen) == 4
        none = engine.search("Luna", collection="space", run=engine.new_run(), reranker="none")
        assert none == plain
    finally:
        engine.close()


def test_a_search_has_the_rerankers_budget_and_says_when_it_is_spent(settings: Settings, tmp_path: Path) -> None:
    limits = settings.limits.model_copy(update={"rerank_tokens": 0})
    engine = with_models(settings.model_copy(update={"limits": limits}), ReadableModel())
    try:
        ingest(engine, tmp_path / "a.txt", "Luna 9 landed on the Moon.")

        found = engine.search("Luna", collection="space", run=engine.new_run(), reranker="likelihood")

        assert found.degraded is not None
        assert (found.degraded.reason, len(found.hits)) == ("budget", 1)
    finally:
        engine.close()


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("listwize", UnknownComponent, r"no 'listwize' in rerankers/; choose from \['attention', .*'setwise'\]"),
        ("attention", MissingCapability, "no AttentionReader in llama_cpp; choose another model or component"),
        ("cross_encoder", ConfigError, "a cross-encoder needs a model: set the option `model`"),
    ],
)
def test_a_reranker_that_cannot_be_had_is_refused_before_any_work(
    settings: Settings, tmp_path: Path, name: str, error: type[Exception], message: str
) -> None:
    model = ScriptedModel()
    engine = with_models(settings, model)
    events: list[str] = []
    try:
        ingest(engine, tmp_path / "a.txt", "Luna 9 landed on the Moon.")
        with pytest.raises(error, match=message):
            engine.search("Luna", collection="space", run=Run(), reranker=name)
        with pytest.raises(error, match=message):
            engine.answer(
                a_question(),
                collection="space",
                emit=lambda name, data: events.append(name),
                run=Run(),
                reranker=name,
            )
    finally:
        engine.close()
    assert (model.seen, events) == ([], [])


def test_an_answer_tells_its_reranker_and_has_a_digest_of_its_own(settings: Settings, tmp_path: Path) -> None:
    class Reader(ScriptedModel):
        def token_logprobs(self, *prompts: Any, **more: Any) -> Any:
            return ReadableModel().token_logprobs(*prompts, **more)

    note = Rule(name="note", replies=('{"sentences": [1], "claim": "", "answer": "unknown"}',))
    engine = with_models(settings, Reader(note))
    started: list[Any] = []
    try:
        ingest(engine, tmp_path / "a.txt", "Luna 9 landed on the Moon in 1966.")
        digests = [
            engine.answer(
                a_question("When did Luna 9 land?"),
                collection="space",
                emit=lambda name, data: started.append(data["reranker"]) if name == "answer.started" else None,
                run=engine.new_run(),
                reranker=name,
            ).trace.settings_digest
            for name in (None, "none", "likelihood")
        ]
    finally:
        engine.close()

    assert started == ["identity", "identity", "likelihood"]
    assert digests[0] == digests[1] == engine.settings.digest() != digests[2]


@pytest.mark.parametrize(
    "name", [name for name in registry.names("rerankers") if name != "cross_encoder"]
)  # cross_encoder has no model by default
def test_every_reranker_works_with_its_defaults(settings: Settings, tmp_path: Path, name: str) -> None:
    engine = with_models(settings, ReadableModel())
    try:
        for number in range(3):
            ingest(engine, tmp_path / f"{number}.txt", f"Luna {number} flew to the Moon, as number {number}.")

        found = engine.search("Luna", collection="space", run=engine.new_run(), reranker=name)

        assert len(found.hits) == 3
        assert {hit.source for hit in found.hits} == {name}
    finally:
        engine.close()


@pytest.mark.parametrize("name", ["attention", "likelihood", "fused", "cascade"])
def test_an_answer_is_reranked_by_a_torch_model_beside_the_one_that_writes(
    settings: Settings, tmp_path: Path, name: str
) -> None:
    scorer = Component(name="hf_causal", options={"model": str(save_tiny_model(tmp_path / "tiny"))})
    models = settings.models.model_copy(update={"scorer": scorer})
    script = ScriptedModel(
        Rule(name="note", replies=('{"sentences": [1], "claim": "Luna 9 landed in 1966.", "answer": "1966"}',)),
    )
    engine = Engine.open(settings.model_copy(update={"models": models}), generator=script)
    try:
        ingest(engine, tmp_path / "a.txt", "Luna 9 landed on the Moon in 1966.")
        ingest(engine, tmp_path / "b.txt", "Luna 10 went into orbit of the Moon.")

        outcome = engine.answer(
            a_question("When did Luna 9 land?"), collection="space", emit=ignore, run=engine.new_run(), reranker=name
        )
    finally:
        engine.close()

    search = next(step for step in outcome.trace.steps if step.node == "search")
    assert (outcome.answer.status, outcome.answer.short) == ("answered", "1966")
    assert {hit["stages"][-1]["name"] for hit in search.details["hits"]} == {name}
    assert search.calls
    assert "degraded" not in search.summary
