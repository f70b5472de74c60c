"""The systems that can be measured, by name, and how each makes records of questions."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Protocol

from pydantic_core import to_jsonable_python

from app.core.errors import ConfigError, InvalidQuestion
from app.core.events import ignore
from app.core.protocols import Reranker
from app.core.run import Run
from app.core.settings import Component, Settings
from app.core.types import Hit, Query, QueryId, Usage
from app.engine import Engine, make_question
from app.experiments.candidates import given_lists
from app.experiments.datasets import Asked, Dataset

DEPTH = 100  # hits that a retrieval system hands over, and that a reranker is given
AT_ONCE = 64  # questions that are searched for together when no model reranks

RETRIEVING = ("candidates", "lexical", "dense", "hybrid")
ANSWERING = ("fixed", "agent")
NAMES = (*RETRIEVING, *ANSWERING)

Raw = dict[str, Any]  # the JSON of one record, as `records.to_record` reads it


class System(Protocol):
    """Makes records of questions."""

    @property
    def at_once(self) -> int:
        """How many questions it wants to be given together."""
        ...

    def work_on(self, asked: Sequence[Asked], cancelled: Callable[[], bool]) -> list[Raw]:
        """Return one raw record per question, in order."""
        ...


def settings_for(name: str, settings: Settings, *, reranker: str | None) -> Settings:
    """Return the settings under which a system is measured: the user's own but for what makes it that system.

    Raises:
        ConfigError: there is no such system.
    """
    if name not in NAMES:
        raise ConfigError(f"no system '{name}'; choose from {', '.join(NAMES)}")
    changes: dict[str, Mapping[str, Any]] = {
        "lexical": {"search": {"mode": "lexical"}, "indexes": {"dense": None}},
        "dense": {"search": {"mode": "dense"}},
        "hybrid": {"search": {"mode": "hybrid"}},
        "fixed": {"agent": {"strategy": "fixed", "passages": 5}},
        "agent": {"agent": {"strategy": "graph"}},
    }
    for section, fields in changes.get(name, {}).items():
        changed = getattr(settings, section).model_copy(update=dict(fields))
        settings = settings.model_copy(update={section: changed})
    if reranker is not None:
        search = settings.search.model_copy(update={"reranker": Component(name=reranker)})
        settings = settings.model_copy(update={"search": search})
    return settings


def make_system(name: str, engine: Engine, *, collection: str, dataset: Dataset, today: date, seed: int) -> System:
    """Return the system of that name over a collection that holds the data set's corpus."""
    if name in ANSWERING:
        return _Answering(engine=engine, collection=collection, today=today, seed=seed)
    reranker = engine.settings.search.reranker
    is_reranked = reranker.name != "identity"
    find: Find
    if name == "candidates":
        find = given_lists(dataset)
    else:
        find = _searched(engine, collection)
    return _Retrieving(
        find=find,
        reranker=engine.reranker(None if name == "candidates" else collection) if is_reranked else None,
        at_once=1 if is_reranked else AT_ONCE,
    )


Find = Callable[[Sequence[Query], Run], Sequence[Sequence[Hit]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Retrieving:
    """Finds, and reranks if there is a reranker; implements System."""

    find: Find
    reranker: Reranker | None
    at_once: int

    def work_on(self, asked: Sequence[Asked], cancelled: Callable[[], bool]) -> list[Raw]:
        run = Run(cancelled=cancelled)
        started = time.monotonic()
        queries = [Query(query_id=QueryId(one.query_id), text=one.text) for one in asked]
        found = self.find(queries, run)
        searched = time.monotonic()
        raw = [_ranked(one, hits) for one, hits in zip(asked, found, strict=True)]
        if self.reranker is not None:
            pairs = list(zip(queries, found, strict=True))
            for one, reranking in zip(raw, self.reranker.rerank_many(pairs, top_k=DEPTH, run=run), strict=True):
                one["first_stage"] = one["ranking"]
                one["ranking"] = _documents(reranking.hits)
                one["degraded"] = reranking.degraded.reason if reranking.degraded else None
        seconds = {"search": searched - started} | (
            {"rerank": time.monotonic() - searched} if self.reranker is not None else {}
        )
        calls = to_jsonable_python(run.ledger.calls())
        for one in raw:
            one["stage_seconds"] = {stage: spent / len(asked) for stage, spent in seconds.items()}
            one["calls"] = calls if len(asked) == 1 else []
        return raw


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answering:
    """Answers one question at a time, with a nonce that can be made again; implements System."""

    engine: Engine
    collection: str
    today: date
    seed: int
    at_once: int = 1

    def work_on(self, asked: Sequence[Asked], cancelled: Callable[[], bool]) -> list[Raw]:
        return [self._answer(one, cancelled) for one in asked]

    def _answer(self, asked: Asked, cancelled: Callable[[], bool]) -> Raw:
        try:
            question = make_question(
                asked.text,
                asked_on=asked.asked_on or self.today,
                settings=self.engine.settings,
                as_of=asked.as_of,
                query_id=asked.query_id,
            )
        except InvalidQuestion as error:
            return {"query_id": asked.query_id, "answer": _failed(str(error)), "cited_passages": {}}
        nonce = hashlib.sha256(f"{self.seed} {asked.text}".encode()).hexdigest()[:8]
        run = self.engine.new_run(cancelled=cancelled, nonce=nonce)
        outcome = self.engine.answer(question, collection=self.collection, emit=ignore, run=run)
        body = outcome.body(answer_id=asked.query_id, collection=self.collection)
        cited = list(dict.fromkeys(citation.passage_id for citation in outcome.answer.citations))
        passages = self.engine.collection(self.collection).resources.passages.get(cited)
        return {
            "query_id": asked.query_id,
            "answer": body,
            "cited_passages": {passage.passage_id: passage.text for passage in passages},
        }


def _failed(detail: str) -> Raw:
    return {"status": "failed", "detail": detail, "usage": asdict(Usage())}


def _ranked(asked: Asked, hits: Sequence[Hit]) -> Raw:
    return {"query_id": asked.query_id, "ranking": _documents(hits)}


def _documents(hits: Sequence[Hit]) -> list[tuple[str, float]]:
    """Return the documents, each at its best passage's place, with that one's score."""
    found: dict[str, float] = {}
    for hit in hits:
        found.setdefault(hit.passage.doc_id, hit.score)
    return list(found.items())


def _searched(engine: Engine, collection: str) -> Find:
    retriever = engine.retriever(collection)
    return lambda queries, run: retriever.retrieve_many(queries, top_k=DEPTH, run=run)
