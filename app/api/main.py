"""The REST server: `create_app(settings)` for uvicorn; models are loaded by the first answer, not here."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, closing
from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from filelock import FileLock, Timeout

from app.api import problems
from app.api.deps import ServedEngine, Services, start_services
from app.api.guard import Guard
from app.api.routes import answers, collections, conversations, documents, health, jobs, rerankers, search
from app.core.errors import StorageError
from app.core.settings import Settings
from app.engine import Engine

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_PROBLEM: dict[str, Any] = {"model": problems.Problem, "description": "problem details (RFC 9457)"}


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document; an event is an object, where FastAPI takes every stream for a string."""
        document = super().openapi()
        responses = document["paths"]["/v1/answers/{answer_id}/events"]["get"]["responses"]
        responses["200"]["content"]["text/event-stream"]["schema"].pop("type", None)
        return document


def create_app(settings: Settings, engine: ServedEngine | None = None) -> FastAPI:
    """Return the app; an engine that is given stays open when the app ends, else one is opened and closed."""
    app = _App(
        title="Gnomon",
        summary="Answers with citations from dated documents",
        lifespan=_lifespan(settings, engine),
        docs_url=None,  # the page would load scripts from a CDN
        redoc_url=None,
        responses={"default": _PROBLEM, 422: _PROBLEM},
    )
    problems.install(app)
    app.add_middleware(Guard, server=settings.server)
    for routes in (health, answers, conversations, search, rerankers, collections, documents, jobs):
        app.include_router(routes.router)
    return app


def _lifespan(settings: Settings, engine: ServedEngine | None) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        stack = ExitStack()
        try:
            app.state.services = await to_thread.run_sync(_start, settings, engine, stack)
            yield
        finally:
            await to_thread.run_sync(stack.close)

    return lifespan


def _start(settings: Settings, engine: ServedEngine | None, stack: ExitStack) -> Services:
    stack.callback(_lock(settings).release)
    if engine is None:
        engine = stack.enter_context(closing(Engine.open(settings)))
    return start_services(engine, stack)


def _lock(settings: Settings) -> FileLock:
    """Return the lock that keeps a second server away, which would take this one's answers for abandoned."""
    path = settings.data_dir / "server.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise StorageError(
            f"{path}: another server uses this data folder; stop it or choose another data_dir"
        ) from error
    return lock
