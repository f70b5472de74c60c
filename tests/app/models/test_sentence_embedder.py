from pathlib import Path

import numpy as np
import pytest

from app.core.errors import Cancelled, ModelError
from app.core.run import Run
from app.models.sentence_embedder import Options, SentenceEmbedder

TEXTS = ["The rocket reached orbit.", "The launcher arrived in space.", "Bread is baked in an oven."]


@pytest.fixture(scope="module")
def embedder(minilm: Path) -> SentenceEmbedder:
    return SentenceEmbedder(minilm, Options(), digest="d")


def test_a_folder_of_another_kind_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is no sentence-transformers folder"):
        SentenceEmbedder(tmp_path, Options(), digest="d")


@pytest.mark.live
def test_meaning_is_near_and_rows_are_unit_vectors(embedder: SentenceEmbedder) -> None:
    vectors = embedder.embed(TEXTS, run=Run())
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert vectors[0] @ vectors[1] > 0.5 > vectors[0] @ vectors[2]


@pytest.mark.live
def test_sizes_are_read_without_loading_and_are_true(embedder: SentenceEmbedder) -> None:
    assert (embedder.dim, embedder.max_tokens) == (384, 256)
    assert embedder.embed([], run=Run()).shape == (0, 384)
    assert embedder.embed(TEXTS, run=Run()).shape == (3, 384)


@pytest.mark.live
def test_bfloat16_keeps_the_vectors(embedder: SentenceEmbedder, minilm: Path) -> None:
    coarse = SentenceEmbedder(minilm, Options(dtype="bfloat16"), digest="d")
    assert (coarse.embed(TEXTS, run=Run()) * embedder.embed(TEXTS, run=Run())).sum(axis=1).min() > 0.99


@pytest.mark.live
def test_tokens_are_counted_beyond_the_window(embedder: SentenceEmbedder) -> None:
    assert embedder.count(["hello world", "hello " * 500, ""]) == [4, 502, 2]


@pytest.mark.live
def test_the_fingerprint_changes_with_model_and_prefix(minilm: Path) -> None:
    made = [
        SentenceEmbedder(minilm, Options(), digest="a"),
        SentenceEmbedder(minilm, Options(), digest="b"),
        SentenceEmbedder(minilm, Options(text_prefix="passage: "), digest="a"),
    ]
    assert len({embedder.fingerprint for embedder in made}) == 3


@pytest.mark.live
def test_a_stopped_run_embeds_nothing(embedder: SentenceEmbedder) -> None:
    with pytest.raises(Cancelled):
        embedder.embed(TEXTS, run=Run(cancelled=lambda: True))
