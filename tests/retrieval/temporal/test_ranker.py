"""The whole way from a query with a time to moved hits, over real records."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from app.core import registry
from app.core.run import Run
from app.core.timespan import TimeConstraint, TimeSpan
from app.core.types import Filter, Hit, Passage, Query
from fakes import ASKED_ON, a_hit, a_passage, a_query
from retrieval.temporal.constraint import RuleTimeReader
from retrieval.temporal.expressions import read_expressions
from retrieval.temporal.published_methods import MragJudge, YearsJudge
from retrieval.temporal.ranker import TemporalRetriever, rank_by_time
from retrieval.temporal.sentences import IntervalJudge
from retrieval.temporal.topic import topic_scores

IN_1973 = TimeConstraint(relation="during", span=TimeSpan.year(1973), surface="in 1973", rest="Who commanded Skylab?")


def ingested(*args: Any, **fields: Any) -> Passage:
    """A passage with the times of its text, as ingest stores it."""
    passage = a_passage(*args, **fields)
    return replace(passage, mentions=read_expressions(passage.text, published=passage.published).mentions)


class Given:
    """A retriever that finds what it is given; it keeps what it was asked."""

    def __init__(self, *hits: Hit) -> None:
        self.hits = list(hits)
        self.asked: list[Query] = []

    def retrieve(self, query: Query, *, top_k: int, run: Run, allowed: Filter | None = None) -> list[Hit]:
        return self.retrieve_many([query], top_k=top_k, run=run, allowed=allowed)[0]

    def retrieve_many(
        self, queries: Sequence[Query], *, top_k: int, run: Run, allowed: Filter | None = None
    ) -> list[list[Hit]]:
        self.asked += queries
        return [self.hits[:top_k] for _ in queries]


def found(*texts: str) -> list[Hit]:
    """Hits whose scores fall evenly from 1 to 0."""
    last = len(texts) - 1
    return [
        a_hit(ingested(text, passage_id=f"{place}@0#0", title=""), rank=place + 1, score=1 - place / last)
        for place, text in enumerate(texts)
    ]


def temporal(plain: Given, scored: Given, *, hard: bool = False) -> TemporalRetriever:
    return TemporalRetriever(plain=plain, scored=scored, method="intervals", depth=100, hard=hard)


def test_the_hit_with_the_asked_year_overtakes_and_says_why() -> None:
    hits = found("Pete Conrad led it in 1966.", "Pete Conrad led it in 1973.", "A.", "B.", "C.", "D.")

    best = rank_by_time(hits, IntervalJudge(IN_1973), top_k=2)

    assert [hit.passage.passage_id for hit in best] == ["1@0#0", "0@0#0"]
    assert best[0].score == pytest.approx(4 / 5 + 0.3)
    assert best[0].stages[-1].explanation == "+0.30: 1973 equals 'in 1973'"
    assert [stage.name for stage in best[0].stages] == ["lexical", "temporal"]


def test_a_query_without_days_has_the_plain_ranking() -> None:
    hits = found("Skylab flew in 1973.", "Mir flew in 1986.")
    plain, scored = Given(*hits), Given()
    queries = [
        a_query("Which rocket launched Skylab?"),
        replace(a_query(), time=TimeConstraint(relation="before", anchor="he became minister")),
    ]

    assert temporal(plain, scored).retrieve_many(queries, top_k=2, run=Run()) == [hits, hits]
    assert plain.asked == queries
    assert scored.asked == []


def test_queries_with_and_without_a_time_keep_their_places() -> None:
    plain, scored = (
        Given(*found("plain", "other")),
        Given(*found("It flew in 1986.", "It flew in 1973.", "A.", "B.", "C.")),
    )
    timed = replace(a_query("Who commanded Skylab in 1973?"), time=IN_1973)

    rankings = temporal(plain, scored).retrieve_many([timed, a_query(), timed], top_k=1, run=Run())

    assert [ranking[0].passage.text for ranking in rankings] == ["It flew in 1973.", "plain", "It flew in 1973."]
    assert scored.asked == [timed, timed]


def test_hard_leaves_out_what_is_provably_of_another_time() -> None:
    scored = Given(*found("It flew in 1986.", "It flew in 1973.", "It flew."))
    timed = replace(a_query(), time=IN_1973)

    hits = temporal(Given(), scored, hard=True).retrieve(timed, top_k=3, run=Run())

    assert [hit.passage.text for hit in hits] == ["It flew in 1973.", "It flew."]


def test_a_time_beside_other_words_counts_less() -> None:
    judge = IntervalJudge(IN_1973)
    beside = judge.judge(ingested("Conrad commanded Skylab. Fischer won a medal in 1973.", title=""))
    at = judge.judge(ingested("Conrad commanded Skylab in 1973. Fischer won a medal.", title=""))

    assert at.value == pytest.approx(0.3)
    assert 0.0 < beside.value <= at.value


def test_the_time_of_a_heading_is_that_of_the_text_below() -> None:
    weight = IntervalJudge(IN_1973).judge(ingested("Conrad commanded it.", title="Skylab — 1973"))

    assert weight.explanation == "+0.30: 1973 equals 'in 1973'"


def test_a_text_that_tells_no_time_is_left_where_it_is() -> None:
    weight = IntervalJudge(IN_1973).judge(ingested("It was a station.", title=""))

    assert (weight.value, weight.moved(0.4)) == (0.0, 0.4)


@pytest.mark.parametrize("title", ["Skylab", "Skylab — Crew", "Skylab: the crew", "Skylab (station)"])
def test_a_passage_is_vouched_for_by_the_best_of_its_document(title: str) -> None:
    titles = ["Skylab", "Mir", title]
    hits = [
        a_hit(ingested(title=one, passage_id=f"{place}@0#0"), rank=place + 1, score=1 - place / 2)
        for place, one in enumerate(titles)
    ]

    assert topic_scores(hits) == [1.0, 0.5, 0.5]
    assert topic_scores(hits, by_document=False) == [1.0, 0.5, 0.0]


def test_documents_without_a_title_are_told_apart_by_their_ids() -> None:
    passages = [ingested(title="", passage_id=f"{one}@0#{place}") for place, one in enumerate("aba")]
    hits = [a_hit(one, rank=rank, score=-rank) for rank, one in enumerate(passages, start=1)]

    assert [passage.doc_id for passage in passages] == ["a", "b", "a"]
    assert topic_scores(hits) == [1.0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("judge", "text", "factor"),
    [
        (YearsJudge(IN_1973), "It flew in May 1973.", 1.0),
        (YearsJudge(IN_1973), "It flew in 1974.", 0.5),
        (MragJudge(IN_1973), "It flew in 1974.", 1.0),
        (MragJudge(TimeConstraint(relation="before", span=TimeSpan.year(2010))), "It flew in 2008.", 0.984),
    ],
)
def test_other_methods_multiply(judge: YearsJudge | MragJudge, text: str, factor: float) -> None:
    assert judge.judge(ingested(text, title="")).moved(0.5) == pytest.approx(factor * 0.5)


def test_no_hits_give_no_hits() -> None:
    assert rank_by_time([], IntervalJudge(IN_1973), top_k=3) == []


def test_the_component_finds_the_passage_of_the_year_among_its_like() -> None:
    passages = [_head(name, year) for name, year in [("Webb", 1965), ("Paine", 1969), ("Fletcher", 1975)]]
    question = "Who was the head of the agency in 1969?"
    time = RuleTimeReader().read(question, asked_on=ASKED_ON, run=Run())
    alike = Given(*(a_hit(passage, rank=rank) for rank, passage in enumerate(passages, start=1)))
    resources: Any = SimpleNamespace(component=lambda _package, _name, _options: alike)
    retriever = registry.build("retrieval", "temporal", {"mode": "lexical"}, resources)

    hits = retriever.retrieve(replace(a_query(question), time=time), top_k=3, run=Run())

    assert hits[0].passage.title == "Paine"
    assert hits[0].source == "temporal"


def _head(name: str, year: int) -> Passage:
    return ingested(f"{name} was the head of the agency in {year}.", passage_id=f"{name}@0#0", title=name)
