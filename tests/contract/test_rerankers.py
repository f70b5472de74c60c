"""Laws of every reranker."""

import pytest

from app.core import registry
from app.core.protocols import Reranker
from app.core.run import Run
from app.core.types import Hit
from fakes import a_hit, a_passage, a_query

HITS = [
    a_hit(a_passage(f"Passage {n} about rockets.", passage_id=f"p{n}@0#0"), rank=n, score=1.0 / n) for n in range(1, 8)
]


@pytest.fixture(params=registry.names("rerankers"))
def reranker(request: pytest.FixtureRequest) -> Reranker:
    built: Reranker = registry.build("rerankers", request.param, {}, None)  # type: ignore[arg-type]  # needs nothing yet
    return built


@pytest.mark.parametrize("top_k", [1, 3, 7, 20])
def test_a_reranking_is_a_permutation_cut_at_top_k(reranker: Reranker, top_k: int) -> None:
    given: list[Hit] = list(HITS)

    reranking = reranker.rerank(a_query(), given, top_k=top_k, run=Run())

    ids = [hit.passage.passage_id for hit in reranking.hits]
    assert len(ids) == len(set(ids)) == min(top_k, len(HITS))
    assert set(ids) <= {hit.passage.passage_id for hit in HITS}
    assert [hit.rank for hit in reranking.hits] == list(range(1, len(ids) + 1))
    assert given == HITS
    assert 0.0 <= reranking.coverage <= 1.0


def test_every_earlier_stage_is_kept_and_one_is_added(reranker: Reranker) -> None:
    for hit in reranker.rerank(a_query(), HITS, top_k=7, run=Run()).hits:
        before = next(h for h in HITS if h.passage == hit.passage)
        assert hit.stages[:-1] == before.stages
        assert hit.source != before.source


def test_no_hits_give_an_empty_reranking(reranker: Reranker) -> None:
    assert reranker.rerank(a_query(), [], top_k=3, run=Run()).hits == ()
    assert reranker.rerank_many([], top_k=3, run=Run()) == []


def test_many_pairs_give_what_each_gives_alone(reranker: Reranker) -> None:
    pairs = [(a_query("one"), HITS), (a_query("two"), HITS[:2])]

    assert reranker.rerank_many(pairs, top_k=3, run=Run()) == [
        reranker.rerank(query, hits, top_k=3, run=Run()) for query, hits in pairs
    ]
