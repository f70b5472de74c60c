"""Works on answers: a bounded pool of threads that calls the engine and writes down whatever it says."""

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Protocol

from pydantic import TypeAdapter

from app.core.errors import AppError, Busy
from app.core.events import Emit, EventName
from app.core.run import Run
from app.core.settings import Settings
from app.core.trace import Outcome, Trace
from app.core.types import Answer, AnswerId, AnswerStatus, Question
from app.store.answers import Answers
from app.store.database import Database

CANCEL_POLL_SECONDS = 0.3
STOPPED = "the server stopped while this answer was worked on; ask again"
UNEXPECTED = "an unexpected error ended this answer; the server's log holds its traceback"

_QUESTION = TypeAdapter(Question)
_log = logging.getLogger(__name__)


class AnswerEngine(Protocol):
    """What the runner needs of the engine."""

    settings: Settings
    database: Database

    def new_run(self, *, cancelled: Callable[[], bool] | None = None, seconds: float | None = None) -> Run:
        """Return the limits of one answer."""
        ...

    def answer(
        self, question: Question, *, collection: str, emit: Emit, run: Run, reranker: str | None = None
    ) -> Outcome:
        """Return an answer with its trace; every event but the last ones goes through `emit`."""
        ...


class Runner:
    """Takes questions, answers them in worker threads, and keeps the log of each answer."""

    def __init__(self, engine: AnswerEngine) -> None:
        server = engine.settings.server
        self._engine = engine
        self._answers = Answers(engine.database)
        self._pool = ThreadPoolExecutor(server.workers, thread_name_prefix="answer")
        self._places = threading.BoundedSemaphore(server.workers + server.queue)
        self._futures: dict[AnswerId, Future[None]] = {}
        self._closing = threading.Event()

    def submit(
        self, question: Question, *, collection: str, seconds: float | None = None, reranker: str | None = None
    ) -> tuple[AnswerId, Future[None]]:
        """Return the id of a new answer, and the future that ends when it is finished.

        Raises:
            Busy: every worker is at work and the queue is full.
        """
        if self._closing.is_set() or not self._places.acquire(blocking=False):
            raise Busy("every worker is at work and the queue is full; ask again in a moment")
        try:
            answer_id = AnswerId(uuid.uuid4().hex)
            self._answers.create(answer_id, collection, _QUESTION.dump_json(question).decode())
            future = self._pool.submit(self._work, answer_id, question, collection, seconds, reranker)
        except BaseException:
            self._places.release()
            raise
        self._futures[answer_id] = future
        future.add_done_callback(lambda _: self._forget(answer_id))
        return answer_id, future

    def is_working_on(self, answer_id: AnswerId) -> bool:
        """Tell whether the answer is queued or running in this process."""
        return answer_id in self._futures

    def cancel(self, answer_id: AnswerId) -> None:
        """Stop an answer: at once while it is queued, else before its next model call.

        Raises:
            NotFound: there is no such answer.
        """
        self._answers.request_cancel(answer_id)
        future = self._futures.get(answer_id)
        if future is not None and future.cancel():
            self._end_unworked(answer_id, "cancelled", "stopped by the caller")

    def recover(self) -> int:
        """Finish the answers that an earlier process left behind, as failed; return their number."""
        left = [row.answer_id for row in self._answers.unfinished() if row.answer_id not in self._futures]
        for answer_id in left:
            self._end_unworked(answer_id, "failed", STOPPED)
        return len(left)

    def close(self) -> None:
        """Stop all work: queued and running answers end as failed, with the advice to ask again."""
        self._closing.set()
        for answer_id, future in list(self._futures.items()):
            if future.cancel():
                self._end_unworked(answer_id, "failed", STOPPED)
        self._pool.shutdown(wait=True)

    def _forget(self, answer_id: AnswerId) -> None:
        self._futures.pop(answer_id, None)
        self._places.release()

    def _work(
        self,
        answer_id: AnswerId,
        question: Question,
        collection: str,
        seconds: float | None,
        reranker: str | None,
    ) -> None:
        def emit(name: EventName, data: Mapping[str, Any]) -> None:
            self._answers.append(answer_id, name, {"ts": _now(), **data})

        code = "answer_failed"
        try:
            self._answers.set_state(answer_id, "running")
            run = self._engine.new_run(cancelled=self._cancel_flag(answer_id), seconds=seconds)
            outcome = self._engine.answer(question, collection=collection, emit=emit, run=run, reranker=reranker)
            if outcome.answer.status == "cancelled" and self._closing.is_set():
                outcome = self._unworked(question, "failed", STOPPED)
        except AppError as error:
            code, outcome = error.code, self._unworked(question, "failed", str(error))
        except Exception:
            _log.exception("answer %s failed", answer_id)
            outcome = self._unworked(question, "failed", UNEXPECTED)
        self._finish(answer_id, collection, outcome, code=code)

    def _cancel_flag(self, answer_id: AnswerId) -> Callable[[], bool]:
        """Return a cheap test for a wish to stop, which asks the database at most every 0.3 seconds."""
        asked_at, wanted = float("-inf"), False

        def cancelled() -> bool:
            nonlocal asked_at, wanted
            if not wanted and time.monotonic() - asked_at >= CANCEL_POLL_SECONDS:
                asked_at, wanted = time.monotonic(), self._answers.cancel_requested(answer_id)
            return wanted or self._closing.is_set()

        return cancelled

    def _end_unworked(self, answer_id: AnswerId, status: AnswerStatus, detail: str) -> None:
        row = self._answers.get(answer_id)
        question = _QUESTION.validate_json(row.question)
        self._finish(answer_id, row.collection_id, self._unworked(question, status, detail))

    def _unworked(self, question: Question, status: AnswerStatus, detail: str) -> Outcome:
        settings = self._engine.settings
        answer = Answer(query_id=question.query_id, text="", status=status, detail=detail)
        trace = Trace(
            trace_id="",
            question=question,
            steps=(),
            settings_digest=settings.digest(),
            index_digest="",
            seed=settings.seed,
            nonce="",
            versions={},
        )
        return Outcome(answer=answer, trace=trace)

    def _finish(self, answer_id: AnswerId, collection: str, outcome: Outcome, *, code: str = "answer_failed") -> None:
        """Write the last events and the result; the row is finished before `done` can be read."""
        body = outcome.body(answer_id=answer_id, collection=collection)
        self._answers.append(answer_id, "answer.completed", {"ts": _now(), **body})
        if outcome.answer.status == "failed":
            self._answers.append(answer_id, "error", {"ts": _now(), **_problem(code, outcome.answer.detail)})
        self._answers.finish(answer_id, json.dumps(body, ensure_ascii=False))
        self._answers.append(answer_id, "done", {"ts": _now(), "status": outcome.answer.status})


def _problem(code: str, detail: str) -> dict[str, Any]:
    """Return problem details (RFC 9457) of a failed answer."""
    return {
        "type": f"urn:gnomon:problem:{code}",
        "title": "Answer failed",
        "status": 500,
        "detail": detail,
        "code": code,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
