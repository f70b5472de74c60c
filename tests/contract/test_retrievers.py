"""Laws of every retriever."""

from types import SimpleNamespace
from typing import Any

import pytest

from app.core import registry
from app.core.protocols import Retriever
from app.core.run import Run
from app.core.types import DocId, Filter, Query, QueryId
from fakes import PassageShelf, a_passage, a_query

PASSAGES = [
    a_passage(f"{name} was launched by a {rocket} rocket.", passage_id=f"{name}@0#0", title=name)
    for name, rocket in [("Skylab", "Saturn V"), ("Mir", "Proton"), ("Vostok", "Semyorka"), ("Ariane", "Viking")]
]


@pytest.fixture(params=registry.names("retrieval"))
def retriever(request: pytest.FixtureRequest) -> Retriever:
    shelf = PassageShelf(PASSAGES)
    resources = SimpleNamespace(passages=shelf, embedder=registry.build("app.models", "hashing_embedder", {}, None))
    indexes = {
        kind: registry.build("indexes", name, {}, resources)
        for kind, name in [("lexical", "rank_bm25"), ("dense", "flat")]
    }
    for index in indexes.values():
        index.add(PASSAGES, run=Run())
    resources.index = indexes.__getitem__
    resources.component = lambda package, name, options=None: registry.build(package, name, options or {}, resources)
    built: Any = registry.build("retrieval", request.param, {}, resources)
    return built


def test_the_best_hit_is_first_and_ranks_count_from_one(retriever: Retriever) -> None:
    hits = retriever.retrieve(a_query("Which rocket launched Skylab?"), top_k=3, run=Run())

    assert hits[0].passage.title == "Skylab"
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert len({hit.passage.passage_id for hit in hits}) == len(hits) <= 3


def test_many_queries_give_what_each_gives_alone(retriever: Retriever) -> None:
    queries = [Query(query_id=QueryId(text), text=text) for text in ("Mir", "Ariane rocket")]

    assert retriever.retrieve_many(queries, top_k=2, run=Run()) == [
        retriever.retrieve(query, top_k=2, run=Run()) for query in queries
    ]
    assert retriever.retrieve_many([], top_k=2, run=Run()) == []


def test_what_a_filter_excludes_is_never_a_hit(retriever: Retriever) -> None:
    allowed = Filter(doc_ids=frozenset({DocId("Vostok")}))

    hits = retriever.retrieve(a_query("launched rocket"), top_k=5, run=Run(), allowed=allowed)

    assert [hit.passage.doc_id for hit in hits] == ["Vostok"]
