"""What routes are given: the engine, the runner and the stores, made once per process."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request

from app.api.ingest_jobs import IngestEngine, IngestJobs
from app.core.run import Run
from app.core.settings import Mode
from app.core.timespan import TimeConstraint
from app.core.types import Filter, Reranking
from app.runner import AnswerEngine, Runner
from app.store.answers import Answers
from app.store.collections import Collections
from app.store.conversations import Conversations


class ServedEngine(AnswerEngine, IngestEngine, Protocol):
    """What the API needs of the engine."""

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
        """Return the best hits of one query, reranked."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that lives as long as the server."""

    engine: ServedEngine
    runner: Runner
    jobs: IngestJobs
    answers: Answers
    collections: Collections
    conversations: Conversations


def start_services(engine: ServedEngine, stack: ExitStack) -> Services:
    """Return the services of an engine, ended by the stack; answers of an earlier process are taken up first."""
    runner, jobs = Runner(engine), IngestJobs(engine)
    stack.callback(runner.close)
    stack.callback(jobs.close)
    runner.recover()
    return Services(
        engine=engine,
        runner=runner,
        jobs=jobs,
        answers=Answers(engine.database),
        collections=Collections(engine.database),
        conversations=Conversations(engine.database),
    )


def get_services(request: Request) -> Services:
    """Return the services of the app that got the request."""
    return cast("Services", request.app.state.services)


ServicesDep = Annotated[Services, Depends(get_services)]
