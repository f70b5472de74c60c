"""Questions → records, several at once, each written as it is done."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from app.core.errors import Cancelled, ModelError
from app.experiments.corpus import Progress
from app.experiments.datasets import Asked
from app.experiments.records import Raw, RecordFile, has_failed
from app.experiments.systems import System

ALIKE = 5


def ask_all(
    system: System,
    todo: Sequence[Asked],
    file: RecordFile,
    *,
    workers: int,
    cancelled: Callable[[], bool],
    progress: Progress,
) -> None:
    """Write a record of every question, as many at once as there are workers; no thread is left when this returns.

    Raises:
        Cancelled: it was stopped; what was done so far is written.
        ModelError: question after question failed for the same reason.
        AppError: a component failed.
    """
    chunks = (todo[start : start + system.at_once] for start in range(0, len(todo), system.at_once))
    halted = threading.Event()

    def work(chunk: Sequence[Asked]) -> list[Raw]:
        return system.work_on(chunk, lambda: halted.is_set() or cancelled())

    worked, failures = 0, list[str]()
    progress(worked, len(todo), "")
    pool = ThreadPoolExecutor(workers, thread_name_prefix="eval")
    try:
        for raws in _finished(pool, chunks, work, workers):
            file.extend(raws)
            if cancelled():
                raise Cancelled("stopped; the same command goes on")
            worked += len(raws)
            progress(worked, len(todo), raws[-1]["query_id"])
            failures = _in_a_row(failures, raws)
            if len(failures) >= ALIKE and len(set(failures[-ALIKE:])) == 1:
                raise ModelError(f"{ALIKE} questions in a row failed alike: {failures[-1]}")
    finally:
        halted.set()
        pool.shutdown(cancel_futures=True)


def _finished(
    pool: ThreadPoolExecutor,
    chunks: Iterator[Sequence[Asked]],
    work: Callable[[Sequence[Asked]], list[Raw]],
    workers: int,
) -> Iterator[list[Raw]]:
    """Yield what the chunks give as they are done; no more are begun than there are workers."""
    running: set[Future[list[Raw]]] = set()
    while True:
        running |= {pool.submit(work, chunk) for chunk in islice(chunks, workers - len(running))}
        if not running:
            return
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()


def _in_a_row(failures: list[str], raws: Sequence[Raw]) -> list[str]:
    """Return why the last questions failed in a row; one that could not even be asked counts for nothing."""
    for raw in raws:
        if not has_failed(raw):
            failures = []
        elif raw["answer"].get("trace"):
            failures = [*failures, raw["answer"]["detail"]]
    return failures
