"""BM25 by hand: both engines against the formula of Lucene and of Okapi with a positive idf."""

from math import log
from types import SimpleNamespace

import pytest

from app.core import registry
from app.core.run import Run
from fakes import PassageShelf, a_passage

TEXTS = ["rocket engine rocket", "engine", "moon crater dust crater moon crater"]
K1, B = 0.9, 0.4


def lucene_score(term: str, text: str) -> float:
    words = [t.split() for t in TEXTS]
    frequency, length = text.split().count(term), len(text.split())
    average = sum(map(len, words)) / len(words)
    holders = sum(term in w for w in words)
    idf = log(1 + (len(words) - holders + 0.5) / (holders + 0.5))
    return idf * frequency / (frequency + K1 * (1 - B + B * length / average))


def okapi_score(term: str, text: str) -> float:
    words = [t.split() for t in TEXTS]
    frequency, length = text.split().count(term), len(text.split())
    average = sum(map(len, words)) / len(words)
    holders = sum(term in w for w in words)
    return log((len(words) + 1) / holders) * frequency * (K1 + 1) / (frequency + K1 * (1 - B + B * length / average))


@pytest.mark.parametrize(("engine", "formula"), [("bm25s_bm25", lucene_score), ("rank_bm25", okapi_score)])
@pytest.mark.parametrize("term", ["rocket", "engine", "crater"])
def test_scores_are_those_of_the_formula(engine: str, formula: object, term: str) -> None:
    passages = [a_passage(text, passage_id=f"d{n}@0#0", title="") for n, text in enumerate(TEXTS)]
    index = registry.build("indexes", engine, {}, SimpleNamespace(passages=PassageShelf(passages)))
    index.add(passages, run=Run())

    hits = index.search([term], top_k=3, run=Run())[0]

    assert {hit.passage.text for hit in hits} == {text for text in TEXTS if term in text}
    for hit in hits:
        assert hit.score == pytest.approx(formula(term, hit.passage.text), rel=1e-5)  # type: ignore[operator]  # a function
