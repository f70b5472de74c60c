"""The systems that can be measured, by name, and how each makes records of questions."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Protocol

from pydantic_core import to_jsonable_python

from app.core import registry
from app.core.errors import ConfigError, InvalidQuestion
from app.core.events import ignore
from app.core.protocols import Reranker
from app.core.run import Run
from app.core.settings import NO_RERANKER, Component, Settings
from app.core.timespan import TimeConstraint
from app.core.types import Hit, Query, QueryId, Usage
from app.engine import Engine
from app.experiments.candidates import given_lists
from app.experiments.datasets import Asked, Dataset
from app.experiments.records import Raw
from app.questions import make_question, read_time

DEPTH = 100  # hits that a retrieval system hands over, and that a reranker is given
AT_ONCE = 64  # questions that are searched for together when no model reranks

RETRIEVING = ("candidates", "lexical", "dense", "hybrid", "temporal")
ANSWERING = ("fixed", "agent", "tree", "tagged")
NAMES = (*RETRIEVING, *ANSWERING)

Find = Callable[[Sequence[Query], Run], Sequence[Sequence[Hit]]]
ReadTime = Callable[[Asked], TimeConstraint | None]


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
        ConfigError: there is no such system or reranker.
    """
    if name not in NAMES:
        raise ConfigError(f"no system '{name}'; choose from {', '.join(NAMES)}")
    changes: dict[str, Mapping[str, Any]] = {
        "lexical": {"search": {"mode": "lexical", "temporal": "none"}, "indexes": {"dense": None}},
        "dense": {"search": {"mode": "dense", "temporal": "none"}},
        "hybrid": {"search": {"mode": "hybrid", "temporal": "none"}},
        "fixed": {"agent": {"strategy": "fixed", "passages": 5}},
        "agent": {"agent": {"strategy": "graph"}},
        "tree": {"agent": {"strategy": "tree"}},
        "tagged": {"agent": {"strategy": "tagged"}},
    }
    if name == "temporal" and settings.search.temporal == "none":
        changes["temporal"] = {"search": {"temporal": "intervals"}}
    for section, fields in changes.get(name, {}).items():
        changed = getattr(settings, section).model_copy(update=dict(fields))
        settings = settings.model_copy(update={section: changed})
    if reranker is not None:
        search = settings.search.model_copy(update={"reranker": Component(name=reranker)})
        settings = settings.model_copy(update={"search": search})
    named = settings.search.reranker
    registry.options_of("rerankers", named.name, named.options)  # before hours of indexing
    return settings


def make_system(name: str, engine: Engine, *, collection: str, dataset: Dataset, today: date, seed: int) -> System:
    """Return the system of that name over a collection that holds the data set's corpus.

    Raises:
        InvalidDataset: the given lists cannot be used.
    """
    if name in ANSWERING:
        return _Answering(engine=engine, collection=collection, today=today, seed=seed)
    is_given = name == "candidates"
    is_reranked = is_reranking(engine.settings)
    return _Retrieving(
        find=given_lists(dataset) if is_given else _searched(engine, collection),
        read_time=_time_reader(today) if name == "temporal" else _no_time,
        reranker=engine.reranker(None if is_given else collection) if is_reranked else None,
        at_once=1 if is_reranked else AT_ONCE,
        model_seed=engine.settings.seed,
        seed=seed,
    )


def is_reranking(settings: Settings) -> bool:
    """Tell whether there is a second stage."""
    return settings.search.reranker.name != NO_RERANKER


@dataclass(frozen=True, slots=True, kw_only=True)
class _Retrieving:
    """Finds, and reranks if there is a reranker; implements System."""

    find: Find
    read_time: ReadTime
    reranker: Reranker | None
    at_once: int
    model_seed: int
    seed: int

    def work_on(self, asked: Sequence[Asked], cancelled: Callable[[], bool]) -> list[Raw]:
        run = Run(cancelled=cancelled, seed=self.model_seed, nonce=_nonce(self.seed, asked[0]))
        queries = [Query(query_id=QueryId(one.query_id), text=one.text, time=self.read_time(one)) for one in asked]
        started = time.monotonic()
        found = self.find(queries, run)
        seconds = {"search": time.monotonic() - started}
        raw: list[Raw] = [
            {"query_id": one.query_id, "ranking": _documents(hits)} for one, hits in zip(asked, found, strict=True)
        ]
        if self.reranker is not None:
            started = time.monotonic()
            rerankings = self.reranker.rerank_many(list(zip(queries, found, strict=True)), top_k=DEPTH, run=run)
            seconds["rerank"] = time.monotonic() - started
            for one, reranking in zip(raw, rerankings, strict=True):
                one["first_stage"], one["ranking"] = one["ranking"], _documents(reranking.hits)
                one["degraded"] = reranking.degraded.reason if reranking.degraded else None
        calls = to_jsonable_python(run.ledger.calls())
        for one in raw:
            one["stage_seconds"] = {stage: spent / len(asked) for stage, spent in seconds.items()}
            one["calls"] = calls if len(asked) == 1 else []  # several are asked at once where no model has a part
        return raw


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answering:
    """Answers one question at a time; implements System."""

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
            refused = {"status": "failed", "detail": str(error), "usage": asdict(Usage())}
            return {"query_id": asked.query_id, "answer": refused, "cited_passages": {}}
        run = self.engine.new_run(cancelled=cancelled, nonce=_nonce(self.seed, asked))
        outcome = self.engine.answer(question, collection=self.collection, emit=ignore, run=run)
        cited = list(dict.fromkeys(citation.passage_id for citation in outcome.answer.citations))
        passages = self.engine.collection(self.collection).resources.passages.get(cited)
        return {
            "query_id": asked.query_id,
            "answer": outcome.body(answer_id=asked.query_id, collection=self.collection),
            "cited_passages": {passage.passage_id: passage.text for passage in passages},
        }


def _nonce(seed: int, asked: Asked) -> str:
    """Return a nonce that can be made again, so that the same seed gives the same prompts."""
    return hashlib.sha256(f"{seed} {asked.text}".encode()).hexdigest()[:8]


def _documents(hits: Sequence[Hit]) -> list[tuple[str, float]]:
    """Return the documents, each at its best passage's place, with that one's score."""
    found: dict[str, float] = {}
    for hit in hits:
        found.setdefault(hit.passage.doc_id, hit.score)
    return list(found.items())


def _searched(engine: Engine, collection: str) -> Find:
    retriever = engine.retriever(collection)
    return lambda queries, run: retriever.retrieve_many(queries, top_k=DEPTH, run=run)


def _time_reader(today: date) -> ReadTime:
    """Return a reader of the time that a question asks for; a question that contradicts itself asks for none."""

    def read(one: Asked) -> TimeConstraint | None:
        try:
            return read_time(one.text, asked_on=one.asked_on or today)
        except InvalidQuestion:
            return None

    return read


def _no_time(_one: Asked) -> None:
    """Read no time."""
