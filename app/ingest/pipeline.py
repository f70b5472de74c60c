"""Files → documents → passages → store and indexes: what is unchanged is skipped, what fails fails alone.

Every document is stored before it is indexed, and found once the index that knows it is published. A run that is
killed loses nothing that was published; the next run goes on with the documents that were stored. Documents whose
file vanished from a folder are kept and reported; rows that vanished from a table are removed.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from app.core.errors import AppError, NotFound, StaleIndex, StorageError
from app.core.protocols import Index, TokenCounter
from app.core.run import Run
from app.core.settings import Ingest
from app.core.types import DocId
from app.ingest.batch import Batch
from app.ingest.files import Found, find_files, gone_from
from app.ingest.publisher import Publisher
from app.ingest.reading import Reading, Rules
from app.ingest.records import IngestReport, OnIndexed, OnProgress, nobody, unseen
from app.ingest.splitter import Splitter
from app.store.database import Database
from app.store.documents import Documents, DocumentState
from app.store.files import Files
from app.store.passages import Passages

_AT_ONCE = 256  # documents whose stored passages are brought into the indexes together
_NAMED = 5  # vanished files that a warning names


class Pipeline:
    """Writes one collection; its indexes are its own, and one process at a time may run it."""

    def __init__(
        self,
        *,
        collection_id: str,
        database: Database,
        indexes: Mapping[str, Index],
        counter: TokenCounter,
        settings: Ingest,
        folder: Path,
    ) -> None:
        self._collection_id = collection_id
        self._database = database
        self._documents = Documents(database, collection_id)
        self._files = Files(database, collection_id)
        self._passages = Passages(database, collection_id)
        self._settings = settings
        self._folder = folder
        self._splitter = Splitter(counter, passage_tokens=settings.passage_tokens)
        self._publisher = Publisher(database, collection_id, indexes=indexes, folder=folder)

    def run(
        self, paths: Sequence[Path], *, run: Run, progress: OnProgress = nobody, force: bool = False
    ) -> IngestReport:
        """Ingest files and folders; `force` builds the indexes anew and reads unchanged files too.

        When it is stopped (Ctrl-C, `run`, a model that fails), what was indexed so far is published first.

        Raises:
            StorageError: the disk or the database refused, or another process writes the collection.
            StaleIndex: the index does not fit the settings; `force` mends it.
        """
        started = run.clock()
        found = find_files(paths)
        with self._writing(run):
            self._open(run=run, anew=force)
            reading = self._reading(run=run, progress=progress, force=force)
            reading.read_all(found)
            self._publisher.publish(run=run, force=force)
            warnings = self._vanished(paths, found)
        return reading.report(seconds=run.clock() - started, warnings=warnings)

    def rebuild(self, *, run: Run, progress: OnIndexed = unseen) -> None:
        """Build the indexes anew from the stored passages, without reading any file."""
        with self._writing(run):
            self._open(run=run, anew=True, progress=progress)
            self._publisher.publish(run=run, force=True)

    def delete(self, doc_ids: Collection[DocId], *, run: Run) -> None:
        """Remove documents from the store and the indexes; their files are read again when they are ingested again.

        Raises:
            NotFound: there is no such document.
        """
        known = {row.doc_id for row in self._documents.list()}
        missing = sorted(set(doc_ids) - known)
        if missing:
            raise NotFound(f"no document '{missing[0]}'; 'gnomon docs list' names them")
        with self._writing(run):
            self._open(run=run, anew=False)
            stored = self._documents.versions(doc_ids)
            for source in self._documents.sources(doc_ids):
                self._files.forget(source)
            passage_ids = [key for versions in stored.values() for one in versions for key in one.passage_ids]
            self._publisher.remove(doc_ids, passage_ids)
            self._publisher.publish(run=run)

    @contextmanager
    def _writing(self, run: Run) -> Iterator[None]:
        """Hold the collection's lock; publish what is finished when the work inside is stopped."""
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self._folder / "write.lock", timeout=0):
                try:
                    yield
                except (StorageError, StaleIndex):
                    raise
                except (KeyboardInterrupt, AppError):
                    self._publisher.publish(run=run)
                    raise
        except Timeout as error:
            raise StorageError(
                f"collection '{self._collection_id}' is being written by another process; wait for it, then repeat"
            ) from error

    def _open(self, *, run: Run, anew: bool, progress: OnIndexed = unseen) -> None:
        """Load the published indexes, or begin with empty ones, and index what the store has beyond them."""
        if anew:
            self._publisher.clear(run=run)
        else:
            self._publisher.load(run=run)
        states: tuple[DocumentState, ...] = ("ready", "embedding") if anew else ("embedding",)
        stored = {state: self._documents.list(state) for state in states}
        total = sum(row.passages for rows in stored.values() for row in rows)
        done = 0

        def tell(count: int) -> None:
            nonlocal done
            done += count
            progress(done, total)

        for state, rows in stored.items():
            self._index_stored(state, [row.doc_id for row in rows], run=run, tell=tell)

    def _index_stored(
        self, state: DocumentState, waiting: Sequence[DocId], *, run: Run, tell: Callable[[int], None]
    ) -> None:
        for start in range(0, len(waiting), _AT_ONCE):
            doc_ids = waiting[start : start + _AT_ONCE]
            passages = self._passages.of_documents(doc_ids, state=state)
            older = self._passages.of_documents(doc_ids) if state == "embedding" else []
            pending = doc_ids if state == "embedding" else []
            replaces = [passage.passage_id for passage in older]
            self._publisher.add(pending, passages, replaces=replaces, run=run, after_chunk=tell)

    def _reading(self, *, run: Run, progress: OnProgress, force: bool) -> Reading:
        return Reading(
            documents=self._documents,
            files=self._files,
            batch=Batch(self._database, self._collection_id, splitter=self._splitter, publisher=self._publisher),
            publisher=self._publisher,
            rules=Rules(
                recipe=self._splitter.recipe,
                max_megabytes=self._settings.max_file_mb,
                checkpoint=self._settings.checkpoint,
                force=force,
            ),
            progress=progress,
            run=run,
        )

    def _vanished(self, paths: Sequence[Path], found: Found) -> list[str]:
        """Return a warning that names vanished files whose documents are kept; failures of such files are let go."""
        sources = self._documents.sources()
        gone = [source for path in paths if path.is_dir() for source in gone_from(path, sources, found=found)]
        for row in self._documents.list("failed") if gone else ():
            if row.uri in gone:
                self._documents.forgive(row.uri)
        gone = [source for source in gone if self._documents.ids_from(source)]
        if not gone:
            return []
        names = ", ".join(gone[:_NAMED]) + (", …" if len(gone) > _NAMED else "")
        return [f"{len(gone)} files are gone and their documents kept ({names}); 'gnomon docs delete' removes them"]
