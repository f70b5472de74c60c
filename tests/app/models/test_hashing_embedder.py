import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.core.run import Run
from app.models.hashing_embedder import HashingEmbedder, Options

EMBEDDER = HashingEmbedder(Options(dim=64))


@given(st.lists(st.text(max_size=40), max_size=5))
def test_rows_are_unit_vectors_and_do_not_depend_on_their_neighbours(texts: list[str]) -> None:
    vectors = EMBEDDER.embed(texts, run=Run())
    assert vectors.shape == (len(texts), 64)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert all(np.array_equal(vectors[i], EMBEDDER.embed([text], run=Run())[0]) for i, text in enumerate(texts))


def test_shared_words_and_spellings_are_near() -> None:
    wide = HashingEmbedder(Options())
    same, other, far = wide.embed(["The rocket launched", "rocket launches", "quiet committee work"], run=Run())
    assert same @ other > 0.4 > same @ far


def test_a_text_without_words_is_the_first_unit_vector() -> None:
    assert EMBEDDER.embed(["... !"], run=Run())[0].tolist() == [1.0] + [0.0] * 63


def test_words_and_marks_are_counted() -> None:
    assert EMBEDDER.count(["Skylab, 1973.", ""]) == [4, 0]
