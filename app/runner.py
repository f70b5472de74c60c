"""Works on answers: a bounded pool of threads that calls the engine and writes down whatever it says."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from pydantic import TypeAdapter

from agents.follow_up import Turn
from app.answer_log import AnswerLog
from app.core.errors import AppError, Busy
from app.core.events import Emit, Kept
from app.core.run import Run
from app.core.settings import Effort, Settings
from app.core.trace import Outcome, Trace
from app.core.types import Answer, AnswerId, AnswerStatus, ConversationId, Question
from app.store.answers import AnswerRow, Answers
from app.store.database import Database
from app.unfinished import Unfinished

CANCEL_POLL_SECONDS = 0.3
STARTS = 3
"""How often an answer is begun, the first time among them: what it is at may be what kills the process."""

STOPPED = "the server stopped while this answer was worked on; ask again"
UNEXPECTED = "an unexpected error ended this answer; the server's log holds its traceback"

_log = logging.getLogger(__name__)


class AnswerEngine(Protocol):
    """What the runner needs of the engine."""

    settings: Settings
    database: Database
    unfinished: Unfinished

    def new_run(
        self,
        *,
        cancelled: Callable[[], bool] | None = None,
        seconds: float | None = None,
        effort: Effort | None = None,
    ) -> Run:
        """Return the limits of one answer."""
        ...

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
        """Return an answer with its trace; every event but the last ones goes through `emit`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What an answer is asked with beside the question."""

    seconds: float | None = None
    reranker: str | None = None
    effort: Effort | None = None


_OPTIONS = TypeAdapter(Options)


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
        self,
        question: Question,
        *,
        collection: str,
        options: Options | None = None,
        conversation_id: ConversationId | None = None,
    ) -> tuple[AnswerId, Future[None]]:
        """Return the id of a new answer, and the future that ends when it is finished.

        In a conversation a follow-up is read in the light of the answers that are finished when its turn comes.

        Raises:
            Busy: every worker is at work and the queue is full.
        """
        if self._closing.is_set() or not self._places.acquire(blocking=False):
            raise Busy("every worker is at work and the queue is full; ask again in a moment")
        options = options or Options()
        try:
            log = AnswerLog.begin(
                self._answers,
                question,
                collection=collection,
                conversation_id=conversation_id,
                options=_OPTIONS.dump_json(options).decode(),
            )
            return log.answer_id, self._begin(log, question, collection, options)
        except BaseException:
            self._places.release()
            raise

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
        """Go on with the answers that an earlier process left behind; return their number.

        Those that were begun three times, that there is no place for, or that a command asked, end as failed.
        """
        left = [row for row in self._answers.unfinished() if row.answer_id not in self._futures]
        for row in left:
            if AnswerLog(self._answers, row).finish_completed():
                continue
            if row.options is None or row.starts >= STARTS or not self._places.acquire(blocking=False):
                self._end_unworked(row.answer_id, "failed", STOPPED)
            else:
                self._resume(row, _OPTIONS.validate_json(row.options))
        for answer_id in set(self._engine.unfinished.answers()) - set(self._futures):
            self._engine.unfinished.forget(answer_id)
        return len(left)

    def close(self) -> None:
        """Stop all work: queued and running answers end as failed, with the advice to ask again."""
        self._closing.set()
        for answer_id, future in list(self._futures.items()):
            if future.cancel():
                self._end_unworked(answer_id, "failed", STOPPED)
        self._pool.shutdown(wait=True)

    def _resume(self, row: AnswerRow, options: Options) -> None:
        log = AnswerLog(self._answers, row)
        self._begin(log, log.question(), row.collection_id, options)

    def _begin(self, log: AnswerLog, question: Question, collection: str, options: Options) -> Future[None]:
        """Return the future of an answer that has a place, which it gives back at its end."""
        future = self._pool.submit(self._work, log, question, collection, options)
        self._futures[log.answer_id] = future
        future.add_done_callback(lambda _: self._leave(log.answer_id))
        return future

    def _leave(self, answer_id: AnswerId) -> None:
        self._futures.pop(answer_id, None)
        self._places.release()

    def _work(self, log: AnswerLog, question: Question, collection: str, options: Options) -> None:
        code = "answer_failed"
        try:
            self._answers.start(log.answer_id)
            run = self._engine.new_run(
                cancelled=self._cancel_flag(log.answer_id), seconds=options.seconds, effort=options.effort
            )
            outcome = self._engine.answer(
                question,
                collection=collection,
                emit=log.emit,
                run=run,
                reranker=options.reranker,
                history=log.history(),
                kept=log.kept(),
                effort=options.effort,
            )
            if outcome.answer.status == "cancelled" and self._closing.is_set():
                outcome = self._unworked(question, "failed", STOPPED)
        except AppError as error:
            code, outcome = error.code, self._unworked(question, "failed", str(error))
        except Exception:
            _log.exception("answer %s failed", log.answer_id)
            outcome = self._unworked(question, "failed", UNEXPECTED)
        log.finish(outcome, code=code)
        self._engine.unfinished.forget(log.answer_id)

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
        log = AnswerLog(self._answers, self._answers.get(answer_id))
        log.finish(self._unworked(log.question(), status, detail))
        self._engine.unfinished.forget(answer_id)

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
