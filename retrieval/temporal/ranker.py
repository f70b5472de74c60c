"""Ranks what another retriever found by how well its times fit the time that a query asks for."""

from collections.abc import Sequence
from typing import Literal, Protocol

from app.core.protocols import Retriever
from app.core.run import Run
from app.core.timespan import TimeConstraint
from app.core.types import Filter, Hit, Passage, Query, StageScore
from retrieval.temporal.fit import window_of
from retrieval.temporal.published_methods import MragJudge, YearsJudge
from retrieval.temporal.scoring import Mode
from retrieval.temporal.sentences import IntervalJudge
from retrieval.temporal.topic import topic_scores

Method = Literal["intervals", "mrag", "years"]


class Judgement(Protocol):
    """What the times of a passage do to its score, and why."""

    @property
    def explanation(self) -> str:
        """Why, in words, with the figure."""
        ...

    def moved(self, score: float) -> float | None:
        """Return a score from 0 to 1 as the times move it, None for what must not be found."""
        ...


class Judge(Protocol):
    """Judges passages by one constraint."""

    def judge(self, passage: Passage) -> Judgement:
        """Return the judgement of one passage."""
        ...


class TemporalRetriever:
    """Asks another retriever for more, and moves the scores by what the times of each passage say.

    The question is asked as it is: where its very words of time are found, nothing is better evidence. Times in other
    words, ranges around and times near are what the words cannot find.

    A query without a time, or with one that has no days yet (`before he became minister`), is handed on as it is, so
    its ranking is the plain one. `scored` must give scores whose differences mean something; reciprocal ranks do not.
    """

    def __init__(  # keyword-only options
        self, *, plain: Retriever, scored: Retriever, method: Method, depth: int, hard: bool, by_document: bool = True
    ) -> None:
        self._plain = plain
        self._scored = scored
        self._method = method
        self._depth = depth
        self._mode: Mode = "hard" if hard else "soft"
        self._by_document = by_document

    def retrieve(self, query: Query, *, top_k: int, run: Run, allowed: Filter | None = None) -> list[Hit]:
        """Return the best hits of one query."""
        return self.retrieve_many([query], top_k=top_k, run=run, allowed=allowed)[0]

    def retrieve_many(
        self, queries: Sequence[Query], *, top_k: int, run: Run, allowed: Filter | None = None
    ) -> list[list[Hit]]:
        """Return one list per query; those with a time and those without are searched for together each."""
        timed = {place: query.time for place, query in enumerate(queries) if query.time and window_of(query.time)}
        plain = [query for place, query in enumerate(queries) if place not in timed]
        found = iter(self._plain.retrieve_many(plain, top_k=top_k, run=run, allowed=allowed))
        dated = [queries[place] for place in timed]
        depth = max(self._depth, top_k)
        candidates = iter(self._scored.retrieve_many(dated, top_k=depth, run=run, allowed=allowed))
        return [
            self._by_time(next(candidates), timed[place], top_k) if place in timed else next(found)
            for place in range(len(queries))
        ]

    def _by_time(self, hits: Sequence[Hit], constraint: TimeConstraint, top_k: int) -> list[Hit]:
        return rank_by_time(hits, self._judge(constraint), top_k=top_k, by_document=self._by_document)

    def _judge(self, constraint: TimeConstraint) -> Judge:
        if self._method == "mrag":
            return MragJudge(constraint)
        if self._method == "years":
            return YearsJudge(constraint)
        return IntervalJudge(constraint, mode=self._mode)


def rank_by_time(hits: Sequence[Hit], judge: Judge, *, top_k: int, by_document: bool = True) -> list[Hit]:
    """Return the best hits by their topic scores, 0 to 1, moved by their times; ties keep their order.

    Each has one more stage, `temporal`, whose explanation names the time that moved it and how far.
    """
    topics = topic_scores(hits, by_document=by_document)
    judged = [(score, judge.judge(hit.passage), hit) for score, hit in zip(topics, hits, strict=True)]
    moved = [(new, judgement, hit) for score, judgement, hit in judged if (new := judgement.moved(score)) is not None]
    moved.sort(key=lambda one: -one[0])
    return [
        hit.then(StageScore(name="temporal", rank=rank, score=score, explanation=judgement.explanation))
        for rank, (score, judgement, hit) in enumerate(moved[:top_k], start=1)
    ]
