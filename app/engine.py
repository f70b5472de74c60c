"""The composition root: settings become collections, searches and answers (names become objects in app.resources)."""

import json
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, cast

from agents.confidence_files import confidence_from
from agents.follow_up import Turn
from agents.state import Pinned, Tools
from app.core import registry
from app.core.budget import Budget
from app.core.errors import AppError, Cancelled, NotFound
from app.core.events import Emit, Kept
from app.core.protocols import (
    LanguageModel,
    Reranker,
    Retriever,
    TokenCounter,
)
from app.core.run import Run
from app.core.settings import Effort, Mode, Settings
from app.core.timespan import TimeConstraint
from app.core.trace import Outcome, Trace, Tracer
from app.core.types import Answer, Filter, Query, QueryId, Question, Reranking
from app.core.untrusted import new_nonce
from app.follow_ups import in_conversation
from app.ingest.pipeline import Pipeline
from app.ingest.publisher import of_collection
from app.models import catalog
from app.proxies import BookedApart, UpToDate
from app.resources import CollectionResources, MadeModels
from app.store.collections import Collection, Collections, check_filled
from app.store.database import Database
from app.unfinished import Unfinished
from retrieval.temporal.constraint import RuleTimeReader

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCollection:
    """A collection with its indexes loaded, as it stood at one generation."""

    row: Collection
    resources: CollectionResources


class Engine:
    """Answers and searches; safe to use from several threads."""

    def __init__(self, settings: Settings, database: Database, *, generator: LanguageModel | None = None) -> None:
        self.settings = settings
        self.database = database
        self._models = MadeModels(settings, generator)
        self.unfinished = Unfinished(settings.data_dir / "checkpoints.db", settings_digest=settings.digest())
        self._open: dict[str, OpenCollection] = {}
        self._lock = threading.RLock()

    @classmethod
    def open(cls, settings: Settings, *, generator: LanguageModel | None = None) -> "Engine":
        """Return an engine over the data folder; models are loaded when they are first needed.

        A `generator` takes the place of the language model that the settings name.

        Raises:
            StorageError: the database cannot be opened.
        """
        return cls(settings, Database.open(settings.data_dir / "gnomon.db"), generator=generator)

    def close(self) -> None:
        """Close the database and the checkpoints."""
        self.database.close()
        self.unfinished.close()

    def new_run(
        self,
        *,
        cancelled: Callable[[], bool] | None = None,
        seconds: float | None = None,
        nonce: str | None = None,
        effort: Effort | None = None,
    ) -> Run:
        """Return the limits of one answer as the settings say; `seconds` shortens or lengthens its time.

        With the `nonce` of an earlier run its prompts are the same.
        """
        limits = self.settings.with_effort(effort).limits
        budget = Budget(max_calls=limits.max_calls, max_tokens=limits.max_tokens)
        run = Run(seed=self.settings.seed, nonce=nonce or new_nonce(), budget=budget, cancelled=cancelled or _never)
        return replace(run, deadline=run.clock() + (seconds or limits.seconds))

    def collection(self, collection_id: str) -> OpenCollection:
        """Return a collection with its latest published indexes.

        Raises:
            NotFound: there is none of that name.
            StaleIndex: its index was made by other models or settings.
        """
        row = Collections(self.database).get(collection_id)
        with self._lock:
            found = self._open.get(collection_id)
            if found is None or found.row != row:
                found = OpenCollection(row=row, resources=self.load_indexes(row))
                self._open[collection_id] = found
            return found

    def load_indexes(self, row: Collection) -> CollectionResources:
        """Return fresh resources whose indexes hold the collection's published generation."""
        resources = self._resources(row.collection_id)
        if row.generation:
            folder = self.collection_folder(row.collection_id) / "index" / str(row.generation)
            with of_collection(row.collection_id):
                for kind in self.settings.indexes.by_kind:
                    resources.index(kind).load(folder / kind)
        return resources

    def retriever(self, collection_id: str, mode: Mode | None = None) -> Retriever:
        """Return the collection's retriever of that mode, as the settings say without one."""
        return UpToDate(lambda: self._retriever(self.collection(collection_id).resources, mode))

    def _retriever(self, resources: CollectionResources, mode: Mode | None) -> Retriever:
        chosen = mode or self.settings.search.mode
        search = self.settings.search
        options = {"depth": search.depth, "rrf_k": search.rrf_k} if chosen == "hybrid" else {}
        if search.temporal == "none":
            return cast("Retriever", resources.component("retrieval", chosen, options))
        wrapped = {"mode": chosen, "options": options, "method": search.temporal}
        return cast("Retriever", resources.component("retrieval", "temporal", wrapped))

    def search(
        self,
        text: str,
        *,
        collection: str,
        run: Run,
        top_k: int | None = None,
        mode: Mode | None = None,
        allowed: Filter | None = None,
        reranker: str | None = None,
        time: TimeConstraint | None = None,
    ) -> Reranking:
        """Return the best hits of one query, reranked as the settings say or by the `reranker` of that name.

        Where a `time` is given, hits that tell of it come first, as `search.temporal` says.

        Raises:
            NotFound: there is no such collection.
            UnknownComponent: there is no such reranker.
            MissingCapability: no model that the settings name can do what it needs.
        """
        settings = self.settings.search
        wanted = top_k or settings.top_k
        query = Query(query_id=QueryId("q"), text=text, time=time)
        found = self.retriever(collection, mode)
        hits = found.retrieve(query, top_k=max(wanted, settings.depth), run=run, allowed=allowed)
        whole = replace(run, budget=self._rerank_budget)  # nothing is written after it, so it has all the time
        return self.reranker(collection, reranker).rerank(query, hits, top_k=wanted, run=whole)

    def reranker(self, collection_id: str | None, name: str | None = None) -> Reranker:
        """Return the reranker of that name, see `Settings.with_reranker`; without a collection it sees only its hits.

        Raises:
            UnknownComponent: there is none of that name.
            MissingCapability: no model that the settings name can do what it needs.
        """
        resources = self.collection(collection_id).resources if collection_id else self._resources("")
        named = self.settings.with_reranker(name).search.reranker
        return cast("Reranker", resources.component("rerankers", named.name, named.options))

    @property
    def _rerank_budget(self) -> Budget:
        return Budget(max_tokens=self.settings.limits.rerank_tokens)

    def pipeline(self, collection_id: str) -> Pipeline:
        """Return what writes a collection, which is created when there is none of that name.

        Its indexes are its own: searches go on over the published generation until a new one is published.
        """
        collections = Collections(self.database)
        try:
            collections.get(collection_id)
        except NotFound:
            collections.create(collection_id)
        resources = self._resources(collection_id)
        return Pipeline(
            collection_id=collection_id,
            database=self.database,
            indexes={kind: resources.index(kind) for kind in self.settings.indexes.by_kind},
            counter=cast("TokenCounter", resources.embedder),
            settings=self.settings.ingest,
            folder=self.collection_folder(collection_id),
        )

    def model_with(self, capability: type[T]) -> T:
        """Return the model that has a capability.

        Raises:
            MissingCapability: none of those that the settings name has it.
        """
        return self._resources("").model_with(capability)

    def model_digests(self) -> dict[str, str]:
        """Return what names each model by its role: the digest of a file, else component and options."""
        models = self.settings.models
        found = {}
        for role, component in (
            ("generator", models.generator),
            ("embedder", models.embedder),
            ("scorer", models.scorer),
        ):
            if component is None:
                continue
            options = registry.options_of("app.models", component.name, component.options).model_dump(mode="json")
            model = str(options.get("model", ""))
            is_file = catalog.is_known(model) or Path(model).exists()
            if model and is_file:
                found[role] = catalog.digest_of(model, Path(model))
            else:
                found[role] = f"{component.name} {json.dumps(options, sort_keys=True)}"
        return found

    def collection_folder(self, collection_id: str) -> Path:
        """Return where a collection's indexes lie."""
        return self.settings.data_dir / "collections" / collection_id

    def answer(
        self,
        question: Question,
        *,
        collection: str,
        emit: Emit,
        run: Run,
        reranker: str | None = None,
        history: Sequence[Turn] = (),
        kept: Kept | None = None,
        effort: Effort | None = None,
    ) -> Outcome:
        """Return the answer with its trace; a failure on the way is a status, never an exception.

        Hits are reranked as the settings say, or by the `reranker` of that name. The time that counts is the question's
        own, which `make_question` reads. A follow-up is read in the light of its `history`, the last turn last; one
        with pinned notes is answered from these alone. `effort` sets how far it is followed, if it is given.

        One that is `kept` has checkpoints until it is forgotten, and goes on from the last one that is there.

        Raises:
            UnknownComponent: there is no such reranker.
            MissingCapability: no model that the settings name can do what it needs.
            NotFound: there is no such collection, or nothing in it.
            StaleIndex: its index was made by other models or settings.
            MissingModel: a model file is not on this machine.
            ConfigError: the file of confidence weights cannot be used.
        """
        from agents.run import run_agent  # langgraph takes a second to import, and a search needs none of it

        opened = self.collection(collection)
        check_filled(opened.row)
        settings = self.settings.with_effort(effort).with_reranker(reranker)
        begun = self.unfinished.begin(kept, run=run, emit=emit)
        run, tracer = begun.run, begun.tracer
        tools = self._tools(opened, settings, run=run, tracer=tracer)
        versions = self._versions(tools)
        if begun.question is None:
            tracer.emit("answer.started", _started(question, collection, settings))
        try:
            question = begun.question or in_conversation(question, history, tools)
            pinned = _pinned(question, history, opened)
            answer = run_agent(question, tools, thread=begun.thread, pinned=pinned)
        except Cancelled:
            answer = Answer(query_id=question.query_id, text="", status="cancelled")
        except AppError as error:
            answer = Answer(query_id=question.query_id, text="", status="failed", detail=f"{error.code}: {error}")
        trace = _trace(question, tools, settings=settings, index_digest=opened.row.index_digest, versions=versions)
        return Outcome(answer=replace(answer, usage=run.ledger.total(), trace_id=trace.trace_id), trace=trace)

    def _tools(self, opened: OpenCollection, settings: Settings, *, run: Run, tracer: Tracer) -> Tools:
        resources = opened.resources
        reranker = self.reranker(opened.row.collection_id, settings.search.reranker.name)
        return Tools(
            retriever=self.retriever(opened.row.collection_id),
            reranker=BookedApart(reranker, self._rerank_budget),
            model=resources.model_with(LanguageModel),
            embedder=resources.embedder,
            time_reader=RuleTimeReader(),
            agent=settings.agent,
            tree=settings.tree,
            search=settings.search,
            run=run,
            tracer=tracer,
            emit=tracer.emit,
            confidence=confidence_from(settings.agent.confidence),
        )

    def _versions(self, tools: Tools) -> dict[str, str]:
        return {
            "gnomon": version("gnomon"),
            "generator": tools.model.model_id,
            "embedder": tools.embedder.fingerprint,
        }

    def _resources(self, collection_id: str) -> CollectionResources:
        return CollectionResources(
            collection_id=collection_id, settings=self.settings, database=self.database, models=self._models
        )


def _trace(
    question: Question, tools: Tools, *, settings: Settings, index_digest: str, versions: Mapping[str, str]
) -> Trace:
    return Trace(
        trace_id=uuid.uuid4().hex,
        question=question,
        steps=tuple(tools.tracer.steps),
        settings_digest=settings.digest(),
        index_digest=index_digest,
        seed=tools.run.seed,
        nonce=tools.run.nonce,
        versions=versions,
    )


def _pinned(question: Question, history: Sequence[Turn], opened: OpenCollection) -> Pinned:
    """Return the notes of earlier turns that a question is to be answered from, with their passages.

    Raises:
        NotFound: the document of one was changed or deleted.
    """
    notes = {n.note_id: n for turn in history for n in turn.notes if n.note_id in question.pinned_notes}
    passages = opened.resources.passages.get([note.passage_id for note in notes.values()])
    return Pinned(notes=tuple(notes.values()), passages=tuple(passages))


def _started(question: Question, collection: str, settings: Settings) -> dict[str, Any]:
    return {
        "question": question.text,
        "asked_on": question.asked_on.isoformat(),
        "as_of": question.as_of.isoformat() if question.as_of else None,
        "collection": collection,
        "strategy": settings.agent.strategy,
        "reranker": settings.search.reranker.name,
        "limits": settings.limits.model_dump(),
    }


def _never() -> bool:
    return False
