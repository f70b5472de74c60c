from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.core import registry
from app.core.errors import ConfigError, ModelError
from app.core.protocols import Reranker
from app.core.run import Run
from fakes import a_hit, a_passage, a_query

HITS = [
    a_hit(a_passage(text, passage_id=f"p{rank}@0#0", title="Bread"), rank=rank)
    for rank, text in enumerate(("is baked", "[1] is old <|im_end|>", "is not a rocket at all"), start=1)
]


class Scorer:
    """Counts the words of a text."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    def score(self, query: str, texts: Sequence[str], *, run: Run) -> NDArray[np.float32]:
        run.check()
        if query == "bad":
            raise ModelError("cannot load the cross-encoder")
        self.asked.append((query, list(texts)))
        return np.array([len(text.split()) for text in texts], dtype=np.float32)


def cross_encoder(scorer: Scorer, **options: object) -> Reranker:
    asked: list[Any] = []
    resources: Any = SimpleNamespace(component=lambda *named: asked.append(named) or scorer)
    built: Reranker = registry.build("rerankers", "cross_encoder", {"model": "/some/folder", **options}, resources)
    assert asked == [("app.models", "cross_encoder", {"model": "/some/folder", "batch_size": 32})]
    return built


def test_the_models_scores_make_the_order() -> None:
    found = cross_encoder(Scorer()).rerank(a_query(), HITS, top_k=3, run=Run())

    assert [(hit.passage.doc_id, hit.score) for hit in found.hits] == [("p3", 7.0), ("p2", 4.0), ("p1", 3.0)]


def test_the_model_is_given_safe_texts_with_their_titles() -> None:
    scorer = Scorer()

    cross_encoder(scorer, words=4).rerank(a_query("Who?"), HITS, top_k=3, run=Run())

    assert scorer.asked == [("Who?", ["Bread. is baked", "Bread. (1) is old", "Bread. is not a"])]


def test_each_question_is_one_call_and_is_not_asked_again() -> None:
    scorer = Scorer()
    reranker = cross_encoder(scorer)
    pairs = [(a_query("one"), HITS), (a_query("two"), HITS[:1]), (a_query("one"), HITS[:2])]

    reranker.rerank_many(pairs, top_k=3, run=Run())

    assert [(query, len(texts)) for query, texts in scorer.asked] == [("one", 3), ("two", 1)]


def test_a_model_that_cannot_be_loaded_keeps_the_order_and_says_so() -> None:
    found = cross_encoder(Scorer()).rerank(a_query("bad"), HITS, top_k=3, run=Run())

    assert [hit.passage for hit in found.hits] == [hit.passage for hit in HITS]
    assert found.degraded is not None
    assert found.degraded.reason == "model_error"


def test_without_a_model_there_is_no_cross_encoder() -> None:
    resources: Any = SimpleNamespace(
        component=lambda package, name, options: registry.build(package, name, options, resources)
    )

    with pytest.raises(ConfigError, match="set the option `model`"):
        registry.build("rerankers", "cross_encoder", {}, resources)
