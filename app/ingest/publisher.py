"""Brings passages into the indexes and publishes the result: all of it or, after a crash, none of it.

A generation is saved into `index/<n>.tmp/`, renamed to `index/<n>/`, and becomes the one that is searched when the
database points at it. What was published before stays whole until then.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from app.core.digest import corpus_digest
from app.core.errors import StaleIndex, StorageError
from app.core.protocols import Index
from app.core.run import Run
from app.core.types import DocId, Passage, PassageId
from app.store.collections import Collections
from app.store.database import Database
from app.store.documents import StoredVersion
from app.store.passages import Passages

KEPT = 2  # generations on disk: a search that began before the newest still reads the one before
CHUNK = 256  # passages given to an index at once: enough for a full batch, a few seconds of embedding
SAVE_SHARE = 10  # a save may take a tenth of the time, or a large corpus would be written again and again


class Publisher:
    """The unpublished changes of one collection's indexes; the indexes are its own, nobody searches them."""

    def __init__(self, database: Database, collection_id: str, *, indexes: Mapping[str, Index], folder: Path) -> None:
        self._collections = Collections(database)
        self._passages = Passages(database, collection_id)
        self._collection_id = collection_id
        self._indexes = indexes
        self._folder = folder / "index"
        self._ready: set[DocId] = set()
        self._removed: set[DocId] = set()
        self._obsolete: set[PassageId] = set()
        self._saved_at = 0.0
        self._save_seconds = 0.0

    @property
    def pending(self) -> int:
        """Number of documents that were added or removed since the last publication."""
        return len(self._ready | self._removed)

    def load(self, *, run: Run) -> None:
        """Take over the published generation.

        Raises:
            StaleIndex: it is missing, damaged, or was made by other settings.
        """
        generation = self._collections.get(self._collection_id).generation
        self._reset(run)
        with of_collection(self._collection_id):
            for name, index in self._indexes.items() if generation else ():
                index.load(self._folder / str(generation) / name)

    def clear(self, *, run: Run) -> None:
        """Begin with empty indexes."""
        self._reset(run)

    def add(
        self,
        doc_ids: Iterable[DocId],
        passages: Sequence[Passage],
        *,
        replaces: Iterable[PassageId] = (),
        run: Run,
        after_chunk: Callable[[int], None] = lambda count: None,
    ) -> None:
        """Add stored documents to every index, or to none when an index fails or the caller stops it."""
        ids = {passage.passage_id for passage in passages}
        with ExitStack() as undo:
            undo.callback(self._forget, ids - self._known())
            for start in range(0, len(passages), CHUNK):
                chunk = passages[start : start + CHUNK]
                for index in self._indexes.values():
                    run.check()
                    index.add(chunk, run=run)
                after_chunk(len(chunk))
            undo.pop_all()
        self._obsolete = (self._obsolete | set(replaces)) - ids
        self._ready.update(doc_ids)
        self._removed.difference_update(self._ready)

    def withdraw(self, doc_id: DocId, versions: Iterable[StoredVersion]) -> None:
        """Forget an unpublished version that the store is about to replace."""
        if doc_id in self._ready:
            ids = {version.state: set(version.passage_ids) for version in versions}
            self._ready.discard(doc_id)
            self._obsolete |= ids.get("embedding", set()) - ids.get("ready", set())
            self._obsolete -= ids.get("ready", set())

    def remove(self, doc_ids: Iterable[DocId], passage_ids: Iterable[PassageId]) -> None:
        """Remove documents with their passages at the next publication."""
        self._removed.update(doc_ids)
        self._ready.difference_update(self._removed)
        self._obsolete.update(passage_ids)

    def is_due(self, checkpoint: int, *, run: Run) -> bool:
        """Tell whether `checkpoint` documents wait and the last save is long enough ago."""
        waited = run.clock() - self._saved_at
        return self.pending >= checkpoint and waited >= SAVE_SHARE * self._save_seconds

    def publish(self, *, run: Run, force: bool = False) -> None:
        """Save the indexes as the next generation and make it the one that is searched; without changes do nothing.

        Raises:
            StorageError: the disk or the database refused; what was published before stays.
            StaleIndex: an index does not hold what the database holds.
        """
        if not (self.pending or force):
            return
        started = run.clock()
        self._forget(self._obsolete)
        digest = self._passages.digest_with(self._ready, removed=self._removed)
        self._check(digest)
        generation = self._collections.get(self._collection_id).generation + 1
        try:
            self._save(generation)
        except OSError as error:
            shutil.rmtree(self._folder / f"{generation}.tmp", ignore_errors=True)
            reason = error.strerror or str(error)
            raise StorageError(f"{self._folder}: {reason}; make room or mend the folder, then repeat") from error
        self._collections.publish(
            self._collection_id, generation=generation, index_digest=digest, ready=self._ready, removed=self._removed
        )
        self._prune(generation)
        self._save_seconds = run.clock() - started
        self._reset_changes(run)

    def _check(self, digest: str) -> None:
        for name, index in self._indexes.items():
            if corpus_digest(index.live_ids()) != digest:
                mend = f"run 'gnomon index rebuild -c {self._collection_id}'"
                raise StaleIndex(f"the {name} index does not hold what the database holds; {mend}")

    def _save(self, generation: int) -> None:
        target, unfinished = self._folder / str(generation), self._folder / f"{generation}.tmp"
        for left_over in (target, unfinished):
            if left_over.exists():
                shutil.rmtree(left_over)
        for name, index in self._indexes.items():
            (unfinished / name).mkdir(parents=True)
            index.save(unfinished / name)
        unfinished.rename(target)

    def _prune(self, newest: int) -> None:
        for folder in self._folder.iterdir():
            number = folder.name.removesuffix(".tmp")
            if number.isdigit() and int(number) <= newest - KEPT:
                shutil.rmtree(folder, ignore_errors=True)

    def _known(self) -> frozenset[PassageId]:
        return frozenset().union(*(index.live_ids() for index in self._indexes.values()))

    def _forget(self, passage_ids: Iterable[PassageId]) -> None:
        ids = list(passage_ids)
        for index in self._indexes.values() if ids else ():
            index.delete(ids)

    def _reset(self, run: Run) -> None:
        self._forget(self._known())
        self._reset_changes(run)

    def _reset_changes(self, run: Run) -> None:
        self._ready, self._removed, self._obsolete = set(), set(), set()
        self._saved_at = run.clock()


@contextmanager
def of_collection(collection_id: str) -> Iterator[None]:
    """Name the collection in the mending command of a stale index, which does not know its own.

    Raises:
        StaleIndex: the index is stale.
    """
    try:
        yield
    except StaleIndex as error:
        told = str(error).replace("gnomon index rebuild", f"gnomon index rebuild -c {collection_id}")
        raise StaleIndex(told) from error
