"""The composition root: settings become models, indexes and an agent; the only place where names become objects."""

import json
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, cast

from agents.follow_up import Turn
from agents.state import Tools
from app.core import registry
from app.core.budget import Budget
from app.core.errors import AppError, Cancelled, ConfigError, MissingCapability, NotFound
from app.core.events import Emit
from app.core.protocols import (
    Embedder,
    Index,
    LanguageModel,
    Reranker,
    Retriever,
    StreamingModel,
    TokenCounter,
)
from app.core.run import Run
from app.core.settings import Component, Mode, Settings
from app.core.timespan import TimeConstraint
from app.core.trace import Outcome, Trace, Tracer
from app.core.types import Answer, Filter, Query, QueryId, Question, Reranking
from app.core.untrusted import new_nonce
from app.follow_ups import in_conversation
from app.ingest.pipeline import Pipeline
from app.ingest.publisher import of_collection
from app.models import catalog
from app.proxies import BookedApart, UpToDate
from app.store.collections import Collection, Collections, check_filled
from app.store.database import Database
from app.store.passages import Passages
from retrieval.temporal.constraint import RuleTimeReader

T = TypeVar("T")


class _Models:
    """The language model and the embedder, each made at first use, once a process."""

    def __init__(self, settings: Settings, generator: LanguageModel | None) -> None:
        self._settings = settings
        self._made: dict[str, Any] = {"generator": generator} if generator else {}
        self._lock = threading.RLock()

    def get(self, role: str, resources: registry.Resources) -> Any:
        with self._lock:
            if role not in self._made:
                component: Component = getattr(self._settings.models, role)
                self._made[role] = registry.build("app.models", component.name, component.options, resources)
            return self._made[role]


class CollectionResources:
    """What components of one collection ask for; implements Resources."""

    def __init__(self, *, collection_id: str, settings: Settings, database: Database, models: _Models) -> None:
        self._settings = settings
        self._models = models
        self._components: dict[tuple[str, str, str], Any] = {}
        self._indexes: dict[str, Index] = {}
        self.passages = Passages(database, collection_id)

    @property
    def offline(self) -> bool:
        """Whether sockets beyond loopback are forbidden."""
        return self._settings.offline

    @property
    def embedder(self) -> Embedder:
        """The embedder that the settings name."""
        return cast("Embedder", self._models.get("embedder", self))

    def index(self, kind: str) -> Index:
        """Return the collection's index of that kind, empty until it is loaded.

        Raises:
            ConfigError: the settings name none.
        """
        if kind not in self._indexes:
            component = self._settings.indexes.by_kind.get(kind)
            if component is None:
                raise ConfigError(f"there is no {kind} index; set indexes.{kind}, or search.mode to another")
            self._indexes[kind] = registry.build("indexes", component.name, component.options, self)
        return self._indexes[kind]

    def model_with(self, capability: type[T]) -> T:
        """Return the first of the models that are asked for it, see `Models.roles`, that has a capability.

        Raises:
            MissingCapability: neither can do what is asked for.
        """
        models = self._settings.models
        roles = models.roles(writing=capability in (LanguageModel, StreamingModel))
        for role in roles:
            model = self._models.get(role, self)
            if isinstance(model, capability):
                return model
        named = " and ".join(getattr(models, role).name for role in roles)
        raise MissingCapability(f"no {capability.__name__} in {named}; choose another model or component")

    def component(self, package: str, name: str, options: Mapping[str, Any] | None = None) -> Any:
        """Build a component; the same name and options give the same object."""
        key = (package, name, repr(sorted((options or {}).items())))
        if key not in self._components:
            self._components[key] = registry.build(package, name, options or {}, self)
        return self._components[key]

    def model_file(self, name: str) -> Path:
        """Return the verified file or folder of a model."""
        return catalog.resolve(name, self._settings.models_dir)


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
        self._models = _Models(settings, generator)
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
        """Close the database."""
        self.database.close()

    def new_run(
        self, *, cancelled: Callable[[], bool] | None = None, seconds: float | None = None, nonce: str | None = None
    ) -> Run:
        """Return the limits of one answer as the settings say; `seconds` shortens or lengthens its time.

        With the `nonce` of an earlier run its prompts are the same.
        """
        limits = self.settings.limits
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
    ) -> Outcome:
        """Return the answer with its trace; a failure on the way is a status, never an exception.

        Hits are reranked as the settings say, or by the `reranker` of that name. The time that counts is the question's
        own, which `make_question` reads. A follow-up is read in the light of its `history`, the last turn last.

        Raises:
            UnknownComponent: there is no such reranker.
            MissingCapability: no model that the settings name can do what it needs.
            NotFound: there is no such collection, or nothing in it.
            StaleIndex: its index was made by other models or settings.
            MissingModel: a model file is not on this machine.
        """
        from agents.run import run_agent  # langgraph takes a second to import, and a search needs none of it

        opened = self.collection(collection)
        check_filled(opened.row)
        tracer = Tracer(run, emit)
        settings = self.settings.with_reranker(reranker)
        tools = self._tools(opened, settings, emit=emit, run=run, tracer=tracer)
        versions = self._versions(tools)
        trace_id = uuid.uuid4().hex
        emit("answer.started", _started(question, collection, settings))
        try:
            question = in_conversation(question, history, tools)
            answer = run_agent(question, tools)
        except Cancelled:
            answer = Answer(query_id=question.query_id, text="", status="cancelled")
        except AppError as error:
            answer = Answer(query_id=question.query_id, text="", status="failed", detail=f"{error.code}: {error}")
        trace = Trace(
            trace_id=trace_id,
            question=question,
            steps=tuple(tracer.steps),
            settings_digest=settings.digest(),
            index_digest=opened.row.index_digest,
            seed=run.seed,
            nonce=run.nonce,
            versions=versions,
        )
        return Outcome(answer=replace(answer, usage=run.ledger.total(), trace_id=trace_id), trace=trace)

    def _tools(self, opened: OpenCollection, settings: Settings, *, emit: Emit, run: Run, tracer: Tracer) -> Tools:
        resources = opened.resources
        reranker = self.reranker(opened.row.collection_id, settings.search.reranker.name)
        return Tools(
            retriever=self.retriever(opened.row.collection_id),
            reranker=BookedApart(reranker, self._rerank_budget),
            model=resources.model_with(LanguageModel),
            embedder=resources.embedder,
            time_reader=RuleTimeReader(),
            agent=settings.agent,
            search=settings.search,
            run=run,
            tracer=tracer,
            emit=emit,
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
