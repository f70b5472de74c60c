"""One run over its files: each is hashed, read, put into batches and booked."""

import logging
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from app.core.errors import AppError, UnreadableDocument
from app.core.run import Run
from app.core.types import DocId
from app.ingest.batch import Batch, place_of
from app.ingest.files import Found, SourceFile, check_readable, digest_of_file
from app.ingest.publisher import Publisher
from app.ingest.readers import READERS, read
from app.ingest.records import Failure, IngestReport, OnProgress, Progress, ReadDocument
from app.store.documents import Documents
from app.store.files import Files

_log = logging.getLogger(__name__)
_ROW_BYTES = 40  # about what names and quotes of a row's columns take, to tell how far a file is read


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How files are read: `recipe` names the splitter's settings, `force` reads unchanged files too."""

    recipe: str
    max_megabytes: int
    checkpoint: int
    force: bool


class Reading:
    """The books of one run."""

    def __init__(
        self,
        *,
        documents: Documents,
        files: Files,
        batch: Batch,
        publisher: Publisher,
        rules: Rules,
        progress: OnProgress,
        run: Run,
    ) -> None:
        self._documents = documents
        self._files = files
        self._batch = batch
        self._publisher = publisher
        self._rules = rules
        self._progress = progress
        self._run = run
        self._failed_before = {row.uri for row in documents.list("failed")}
        self._counts: Counter[str] = Counter()
        self._failed: list[Failure] = []
        self._warnings: list[str] = []
        self._complete: list[tuple[str, str]] = []
        self._seen: set[DocId] = set()
        self._total = 0
        self._current = ""

    def read_all(self, found: Found) -> None:
        """Read every file; what cannot be read is booked and the rest goes on."""
        self._total = sum(file.size for file in found.files)
        self._counts["skipped"] = found.skipped
        before = 0
        for file in found.files:
            self._run.check()
            self._current = file.name
            self._tell(before)
            try:
                self._read(file, before=before)
            except UnreadableDocument as error:
                self._fail(file, str(error))
            before += file.size
            self._counts["files"] += 1
        self._flush(before)

    def report(self, *, seconds: float, warnings: list[str]) -> IngestReport:
        """Return what was done."""
        counted = ("added", "replaced", "unchanged", "removed", "skipped", "passages")
        return IngestReport(
            **{name: self._counts[name] for name in counted},
            failed=tuple(self._failed),
            warnings=(*self._warnings, *warnings),
            seconds=seconds,
        )

    def _read(self, file: SourceFile, *, before: int) -> None:
        if file.uri in self._failed_before:
            self._documents.forgive(file.uri)
        check_readable(file, max_megabytes=self._rules.max_megabytes)
        digest = _digest(file, self._rules.recipe)
        if not self._rules.force and self._files.digest(file.uri) == digest:
            self._counts["unchanged"] += len(self._documents.ids_from(file.uri))
            return
        if READERS[file.path.suffix.lower()] == "table":
            self._read_rows(file, digest, before=before)
            return
        for item in _items(file):
            if isinstance(item, ReadDocument):
                self._take(file, item)
        self._complete.append((file.uri, digest))
        if self._batch.is_full:
            self._flush(before + file.size)

    def _read_rows(self, file: SourceFile, digest: str, *, before: int) -> None:
        """Read a file of rows between two flushes, so that the documents seen are its own."""
        self._flush(before)
        self._seen.clear()
        failed = len(self._failed)
        done = 0
        for item in _items(file):
            if isinstance(item, Failure):
                self._failed.append(Failure(where=f"{file.name} {item.where}", why=item.why))
                continue
            self._take(file, item)
            done = min(file.size, done + len(item.text) + len(item.title) + _ROW_BYTES)
            if self._batch.is_full:
                self._flush(before + done)
        self._flush(before + file.size)
        self._close_rows(file, digest, failures=self._failed[failed:])

    def _close_rows(self, file: SourceFile, digest: str, *, failures: list[Failure]) -> None:
        if failures:  # a row that is broken today may be the document of yesterday: nothing is removed
            summary = f"{len(failures)} rows could not be read, the first: {failures[0]}"
            self._documents.fail(file.doc_id, file.uri, summary)
            return
        gone = self._documents.ids_from(file.uri) - self._seen
        stored = self._documents.versions(gone)
        self._publisher.remove(gone, [key for versions in stored.values() for v in versions for key in v.passage_ids])
        self._counts["removed"] += len(gone)
        self._files.put(file.uri, digest)

    def _take(self, file: SourceFile, document: ReadDocument) -> None:
        self._warnings += [f"{place_of(file, document)}: {warning}" for warning in document.warnings]
        self._batch.put(file, document)

    def _flush(self, done: int) -> None:
        flushed = self._batch.flush(run=self._run)
        self._seen.update(flushed.doc_ids)
        self._warnings += flushed.warnings
        for name in ("added", "replaced", "unchanged", "passages"):
            self._counts[name] += getattr(flushed, name)
        complete, self._complete = self._complete, []
        for uri, digest in complete:
            self._files.put(uri, digest)
        if self._publisher.is_due(self._rules.checkpoint, run=self._run):
            self._publisher.publish(run=self._run)
        self._tell(done)

    def _fail(self, file: SourceFile, why: str) -> None:
        self._failed.append(Failure(where=file.name, why=why))
        if os.path.isfile(file.path):  # a mistyped path is no document
            self._documents.fail(file.doc_id, file.uri, why)

    def _tell(self, done: int) -> None:
        counts = self._counts
        self._progress(
            Progress(
                done=done,
                total=self._total,
                files=counts["files"],
                documents=counts["added"] + counts["replaced"] + counts["unchanged"],
                passages=counts["passages"],
                current=self._current,
            )
        )


def _digest(file: SourceFile, recipe: str) -> str:
    try:
        return digest_of_file(file, recipe=recipe)
    except OSError as error:
        raise _unreadable(error) from error


def _items(file: SourceFile) -> Iterator[ReadDocument | Failure]:
    """Yield what the reader gives; whatever a parser stumbles over is the file's failure, never the run's."""
    try:
        yield from read(file.path)
    except AppError:
        raise
    except OSError as error:
        raise _unreadable(error) from error
    except Exception as error:  # parsers of foreign formats raise whatever their libraries do, zlib.error for one
        _log.debug("the reader of %s failed", file.name, exc_info=True)
        reason = " ".join(str(error).split())[:120]
        raise UnreadableDocument(f"cannot be parsed ({type(error).__name__}: {reason}); export it anew") from error


def _unreadable(error: OSError) -> UnreadableDocument:
    return UnreadableDocument(f"cannot be read: {error.strerror or error}; check the path and its permissions")
