"""Uploads become searchable: one thread works on them in turn, so a collection has one writer."""

import logging
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from app.api.schemas import JobBody, UploadedFile
from app.core.errors import AppError, Busy, NotFound
from app.core.run import Run
from app.core.settings import Settings
from app.ingest.files import uri_of
from app.ingest.records import Failure, IngestReport, OnProgress, Progress
from app.store.database import Database
from app.store.documents import Documents

KEPT_JOBS = 1000
UNEXPECTED = "an unexpected error ended this upload; the server's log holds its traceback"

_log = logging.getLogger(__name__)


class Ingestion(Protocol):
    """What the thread needs of a collection's pipeline."""

    def run(self, paths: Sequence[Path], *, run: Run, progress: OnProgress = ..., force: bool = False) -> IngestReport:
        """Ingest files."""
        ...


class IngestEngine(Protocol):
    """What the thread needs of the engine."""

    settings: Settings
    database: Database

    def pipeline(self, collection_id: str) -> Ingestion:
        """Return the pipeline of a collection."""
        ...


class IngestJobs:
    """The uploads of this process and how far each one is."""

    def __init__(self, engine: IngestEngine) -> None:
        self._engine = engine
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ingest")
        self._jobs: dict[str, JobBody] = {}
        self._futures: set[Future[None]] = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def check_room(self) -> None:
        """Return if another upload can be taken.

        Raises:
            Busy: as many wait as the settings allow.
        """
        if self._closing.is_set() or len(self._futures) > self._engine.settings.server.queue:
            raise Busy("too many uploads wait; send this one again in a moment")

    def submit(self, collection: str, paths: Sequence[Path]) -> JobBody:
        """Return a new job that will ingest the files."""
        files = [UploadedFile(filename=path.name, doc_id=None, state="queued", error="") for path in paths]
        job = JobBody(
            job_id=uuid.uuid4().hex, collection=collection, state="queued", documents=files, passages=0, error=""
        )
        with self._lock:
            self._jobs[job.job_id] = job
            for old in list(self._jobs)[:-KEPT_JOBS]:
                del self._jobs[old]
        future = self._pool.submit(self._work, job, tuple(paths))
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        return job

    def get(self, job_id: str) -> JobBody:
        """Return a job as it stands.

        Raises:
            NotFound: there is none of that id, or the server was started after it.
        """
        job = self._jobs.get(job_id)
        if job is None:
            raise NotFound(f"no job '{job_id}' since the server was started; the collection lists its documents")
        return job

    def close(self) -> None:
        """Stop the work; what is published stays."""
        self._closing.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _work(self, job: JobBody, paths: Sequence[Path]) -> None:
        try:
            self._set(job.model_copy(update={"state": "running"}))
            run = Run(cancelled=self._closing.is_set, seed=self._engine.settings.seed)
            pipeline = self._engine.pipeline(job.collection)
            report = pipeline.run(paths, run=run, progress=self._follow(job))
        except AppError as error:
            self._fail(job, str(error))
        except Exception:
            _log.exception("upload %s failed", job.job_id)
            self._fail(job, UNEXPECTED)
        else:
            known = Documents(self._engine.database, job.collection)
            files = [_outcome(path, report.failed, known) for path in paths]
            self._set(job.model_copy(update={"state": "finished", "documents": files, "passages": report.passages}))

    def _follow(self, job: JobBody) -> Callable[[Progress], None]:
        """Return what moves the files of a job on: read in their order, then embedded."""
        names = [file.filename for file in job.documents]

        def progress(progress: Progress) -> None:
            if progress.current not in names:
                return
            at = names.index(progress.current)
            files = [
                file.model_copy(update={"state": "embedding" if place < at else "parsing" if place == at else "queued"})
                for place, file in enumerate(job.documents)
            ]
            self._set(job.model_copy(update={"state": "running", "documents": files}))

        return progress

    def _fail(self, job: JobBody, why: str) -> None:
        files = [file.model_copy(update={"state": "failed", "error": why}) for file in job.documents]
        self._set(job.model_copy(update={"state": "failed", "documents": files, "error": why}))

    def _set(self, job: JobBody) -> None:
        with self._lock:
            self._jobs[job.job_id] = job


def _outcome(path: Path, failed: Sequence[Failure], known: Documents) -> UploadedFile:
    """Return what became of a file; one of several rows is ready when any of them is, with the others' errors."""
    errors = [failure.why for failure in failed if _is_of(path.name, failure.where)]
    doc_ids = sorted(known.ids_from(uri_of(path)))
    return UploadedFile(
        filename=path.name,
        doc_id=doc_ids[0] if len(doc_ids) == 1 else None,
        state="ready" if doc_ids else "failed",
        error="; ".join(errors),
    )


def _is_of(filename: str, where: str) -> bool:
    """Tell whether a failure is of that file or of a row of it."""
    return where == filename or where.startswith(f"{filename} ")
