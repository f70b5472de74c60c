from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from app.core import registry
from app.core.run import Run
from app.core.types import DocId, Filter
from fakes import PassageShelf, a_passage
from indexes.flat import FlatIndex, Options

PASSAGES = [a_passage(f"Text {n}.", passage_id=f"d{n}@0#0") for n in range(60)]


class CountingEmbedder:
    """Every text its own direction: text n is nearest to n, then to its neighbours."""

    dim = 2
    fingerprint = "counting"

    def embed(self, texts: list[str], *, run: Run) -> NDArray[np.float32]:
        run.check()
        angles = np.array([int("".join(c for c in text if c.isdigit()) or 0) / 60 for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def a_flat_index() -> FlatIndex:
    index = FlatIndex(Options(), embedder=CountingEmbedder(), passages=PassageShelf(PASSAGES))
    index.add(PASSAGES, run=Run())
    return index


def test_searching_with_a_selector_and_by_fetching_more_give_the_same_hits() -> None:
    allowed = Filter(doc_ids=frozenset(DocId(f"d{n}") for n in (3, 40, 55, 59)))
    index, by_fetching = a_flat_index(), a_flat_index()
    by_fetching._on_gpu = True  # the way of a GPU index, which knows no selector
    by_fetching._searched = by_fetching._vectors

    for text, top_k in [("Text 0.", 3), ("Text 58.", 10), ("Text 30.", 1)]:
        for filter_ in (None, allowed):
            expected = index.search([text], top_k=top_k, run=Run(), allowed=filter_)
            assert by_fetching.search([text], top_k=top_k, run=Run(), allowed=filter_) == expected


def test_scores_are_cosines() -> None:
    hit = a_flat_index().search(["Text 7."], top_k=1, run=Run())[0][0]

    assert hit.passage == PASSAGES[7]
    assert abs(hit.score - 1.0) < 1e-6


def test_another_embedder_makes_the_index_stale(tmp_path: object) -> None:
    resources = SimpleNamespace(
        passages=PassageShelf(), embedder=registry.build("app.models", "hashing_embedder", {}, None)
    )
    assert registry.build("indexes", "flat", {}, resources)._recipe() != a_flat_index()._recipe()
