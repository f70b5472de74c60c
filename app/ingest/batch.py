"""Documents on their way from the readers into the store and the indexes, a batch at a time."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.core.run import Run
from app.core.types import DocId, Document, Passage
from app.ingest.files import SourceFile
from app.ingest.publisher import Publisher
from app.ingest.records import ReadDocument
from app.ingest.splitter import Draft, Splitter
from app.store.database import Database
from app.store.documents import Documents, StoredVersion
from retrieval.temporal import expressions

MAX_DOCUMENTS = 256
MAX_CHARACTERS = 500_000

Stored = tuple[Document, Sequence[Passage], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flushed:
    """What became of a batch, in documents; `doc_ids` are those of all of them."""

    doc_ids: tuple[DocId, ...] = ()
    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    passages: int = 0
    warnings: tuple[str, ...] = ()


class Batch:
    """Collects documents until it is full; `flush` splits, stores and indexes them together."""

    def __init__(self, database: Database, collection_id: str, *, splitter: Splitter, publisher: Publisher) -> None:
        self._documents = Documents(database, collection_id)
        self._splitter = splitter
        self._publisher = publisher
        self._waiting: list[tuple[SourceFile, ReadDocument]] = []
        self._characters = 0

    @property
    def is_full(self) -> bool:
        """Whether it is time to flush."""
        return len(self._waiting) >= MAX_DOCUMENTS or self._characters >= MAX_CHARACTERS

    def put(self, file: SourceFile, document: ReadDocument) -> None:
        """Add a document that was read from a file."""
        self._waiting.append((file, document))
        self._characters += len(document.text)

    def flush(self, *, run: Run) -> Flushed:
        """Split, store and index what waits; unchanged documents are left as they are."""
        waiting, self._waiting, self._characters = self._waiting, [], 0
        if not waiting:
            return Flushed()
        drafts = self._drafts(waiting)
        split = self._splitter.split(drafts)
        stored = self._documents.versions([draft.document.doc_id for draft in drafts])
        changed: list[Stored] = [
            (draft.document, passages, file.uri)
            for (file, _), draft, passages in zip(waiting, drafts, [one.passages for one in split], strict=True)
            if not _is_stored(stored.get(draft.document.doc_id, ()), draft.document, passages)
        ]
        self._store(changed, stored=stored, run=run)
        new = [document for document, _, _ in changed if document.doc_id not in stored]
        return Flushed(
            doc_ids=tuple(draft.document.doc_id for draft in drafts),
            added=len(new),
            replaced=len(changed) - len(new),
            unchanged=len(drafts) - len(changed),
            passages=sum(len(passages) for _, passages, _ in changed),
            warnings=tuple(
                f"{place_of(file, read)}: {one.impossible} times that no calendar of the years 1 to 9999 holds"
                for (file, read), one in zip(waiting, split, strict=True)
                if one.impossible
            ),
        )

    def _store(self, changed: Sequence[Stored], *, stored: Mapping[DocId, Sequence[StoredVersion]], run: Run) -> None:
        if not changed:
            return
        doc_ids = [document.doc_id for document, _, _ in changed]
        for doc_id in doc_ids:
            self._publisher.withdraw(doc_id, stored.get(doc_id, ()))
        self._documents.put_many(changed)
        replaced = [key for doc_id in doc_ids for version in stored.get(doc_id, ()) for key in version.passage_ids]
        self._publisher.add(
            doc_ids, [passage for _, passages, _ in changed for passage in passages], replaces=replaced, run=run
        )

    def _drafts(self, waiting: Sequence[tuple[SourceFile, ReadDocument]]) -> list[Draft]:
        wanted = [(_uri(file, read), DocId(read.key) if read.key else file.doc_id) for file, read in waiting]
        now = datetime.now(UTC)
        return [
            Draft(document=_document(read, doc_id, uri, now), sections=read.sections, pages=read.pages)
            for (_, read), (uri, _), doc_id in zip(waiting, wanted, self._documents.doc_ids_for(wanted), strict=True)
        ]


def place_of(file: SourceFile, read: ReadDocument) -> str:
    """Return the words that name a document to people: its file, and its row in a table."""
    return f"{file.name} row {read.row}" if read.row else file.name


def _uri(file: SourceFile, read: ReadDocument) -> str:
    return f"{file.uri}#{read.key}" if read.key else file.uri


def _document(read: ReadDocument, doc_id: DocId, uri: str, now: datetime) -> Document:
    return Document(
        doc_id=doc_id,
        version=version_of(read),
        title=read.title,
        text=read.text,
        uri=uri,
        published=read.published,
        ingested_at=now,
        superseded_by=DocId(read.superseded_by) if read.superseded_by else None,
        metadata=read.metadata,
    )


def version_of(read: ReadDocument) -> str:
    """Return the SHA-256 of what a document says, what is said of it and how its times are read."""
    content = [
        expressions.VERSION,
        read.text,
        read.title,
        str(read.published),
        read.superseded_by,
        sorted(read.metadata.items()),
    ]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def _is_stored(stored: Sequence[StoredVersion], document: Document, passages: Sequence[Passage]) -> bool:
    """Tell whether the newest stored version is this one, split in the same way."""
    if not stored:
        return False
    newest = stored[-1]
    return newest.version == document.version and newest.passage_ids == tuple(p.passage_id for p in passages)
