"""Many questions from a file, one answer each: in order, resumable, and one bad row never stops the rest."""

import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from app.batch.answer_file import AnswerFile, Recipe
from app.batch.questions import Row, read_rows
from app.core.errors import AppError, ConfigError, InvalidQuestion
from app.core.events import ignore
from app.core.types import Usage
from app.questions import make_question
from app.runner import AnswerEngine

ALIKE = 5
POLL_SECONDS = 0.2
GRACE_SECONDS = 2.0

Progress = Callable[[int, int, str], None]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is asked of what; `today` is the day of rows that name none, `limit` counts rows from the first."""

    questions: Path
    output: Path
    collection: str
    today: date
    workers: int = 1
    limit: int | None = None
    resume: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How it went: `statuses` counts all answers in the output, `kept` those that were there before.

    `seconds` and `usage` are those of this run's `worked` rows; `stopped` says why it ended early, else it is empty.
    """

    rows: int
    kept: int
    worked: int
    statuses: Mapping[str, int]
    seconds: float
    usage: Usage
    was_torn: bool = False
    stopped: str = ""

    @property
    def seconds_per_question(self) -> float:
        """Mean seconds between two answers of this run, 0 without any."""
        return self.seconds / self.worked if self.worked else 0.0


def run_batch(
    engine: AnswerEngine,
    batch: Batch,
    *,
    cancelled: Callable[[], bool] = lambda: False,
    progress: Progress = lambda done, total, current: None,
) -> Summary:
    """Answer the rows that have no answer yet; rows that failed before are tried again after the new ones.

    Raises:
        InvalidQuestion: the question file cannot be used.
        StorageError: the output is in use or cannot be written; what was written before stays.
        NotFound: there is no such collection.
    """
    rows = read_rows(batch.questions)
    if batch.output.absolute() == batch.questions.absolute():
        raise ConfigError(f"{batch.output}: the answers would replace the questions; choose another -o")
    recipe = Recipe(settings_digest=engine.settings.digest(), collection=batch.collection)
    file = AnswerFile(batch.output, rows, recipe=recipe, resume=batch.resume)
    try:
        worker = _Worker(engine, batch, file, cancelled)
        return worker.work(rows[: batch.limit], progress)
    finally:
        file.close()


@dataclass
class _Worker:
    """The state of one run."""

    engine: AnswerEngine
    batch: Batch
    file: AnswerFile
    cancelled: Callable[[], bool]
    worked: int = 0
    usage: Usage = field(default_factory=Usage)
    stopped: str = ""
    failures: list[str] = field(default_factory=list)

    def work(self, rows: Sequence[Row], progress: Progress) -> Summary:
        kept = len(self.file.statuses())
        todo = _in_turn(rows, self.file)
        started = time.monotonic()
        pool = ThreadPoolExecutor(self.batch.workers, thread_name_prefix="batch")
        try:
            for row, future in self._finished(pool, iter(todo)):
                self._take(row, future)
                progress(self.worked, len(todo), row.query_id)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return Summary(
            rows=len(rows),
            kept=kept,
            worked=self.worked,
            statuses=dict(Counter(self.file.statuses().values())),
            seconds=time.monotonic() - started,
            usage=self.usage,
            was_torn=self.file.was_torn,
            stopped=self.stopped,
        )

    def _finished(
        self, pool: ThreadPoolExecutor, todo: Iterator[Row]
    ) -> Iterator[tuple[Row, "Future[dict[str, Any]]"]]:
        """Yield rows as they are done, `workers` at a time; after a stop only what ends within the grace."""
        running: dict[Future[dict[str, Any]], Row] = {}
        deadline = float("inf")
        while time.monotonic() < deadline:
            if self._must_stop():
                deadline = min(deadline, time.monotonic() + GRACE_SECONDS)
            else:
                for row in _up_to(self.batch.workers - len(running), todo):
                    running[pool.submit(self._answer, row)] = row
            if not running:
                return
            done, _ = wait(running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), future

    def _must_stop(self) -> bool:
        if self.cancelled():
            self.stopped = self.stopped or "interrupted"
        return bool(self.stopped)

    def _take(self, row: Row, future: "Future[dict[str, Any]]") -> None:
        body = future.result()
        if body["status"] == "cancelled":
            return
        self.file.append(row, body)
        self.worked += 1
        self.usage += Usage(**body["usage"])
        if not row.problem:
            self._watch(body)

    def _watch(self, body: Mapping[str, Any]) -> None:
        """Stop when question after question fails for the same reason: the rest would too."""
        self.failures = [*self.failures, body["detail"]] if body["status"] == "failed" else []
        if len(self.failures) >= ALIKE and len(set(self.failures[-ALIKE:])) == 1:
            self.stopped = f"{ALIKE} questions in a row failed alike: {self.failures[-1]}"

    def _answer(self, row: Row) -> dict[str, Any]:
        """Return the JSON of a row's answer; whatever is wrong with the row becomes a failed one."""
        if row.problem:
            return self._failed(row, row.problem)
        try:
            question = make_question(
                row.text,
                asked_on=row.asked_on or self.batch.today,
                settings=self.engine.settings,
                as_of=row.as_of,
                query_id=row.query_id,
            )
        except InvalidQuestion as error:
            return self._failed(row, f"row {row.number}: {error}")
        try:
            run = self.engine.new_run(cancelled=self._must_stop)
            outcome = self.engine.answer(question, collection=self.batch.collection, emit=ignore, run=run)
        except AppError:
            raise
        except Exception as error:  # a fault of ours in one row is no reason to leave the others
            _log.exception("row %d", row.number)
            return self._failed(row, f"row {row.number}: internal error: {type(error).__name__}: {error}")
        return outcome.body(answer_id=uuid.uuid4().hex, collection=self.batch.collection)

    def _failed(self, row: Row, detail: str) -> dict[str, Any]:
        asked_on = (row.asked_on or self.batch.today).isoformat()
        told = {"text": "", "status": "failed", "short": "", "reason": None, "detail": detail}
        return {
            "answer_id": uuid.uuid4().hex,
            "collection": self.batch.collection,
            "question": row.text,
            "asked_on": asked_on,
            "time": None,
            "query_id": row.query_id,
            **told,
            "citations": [],
            "notes": [],
            "usage": asdict(Usage()),
            "trace_id": "",
        }


def _in_turn(rows: Sequence[Row], file: AnswerFile) -> list[Row]:
    """Return the rows without an answer, those that failed before last: they cannot keep new ones from their turn."""
    done = file.statuses()
    missing = [row for row in rows if row.number not in done]
    return sorted(missing, key=lambda row: row.number in file.failed_before)


def _up_to(count: int, rows: Iterator[Row]) -> Iterator[Row]:
    for _ in range(count):
        if (row := next(rows, None)) is None:
            return
        yield row
