"""The documents of one collection.

A document is `embedding` from the moment it is stored until the index that knows it is published, then `ready`; the
version that was ready before stays so until that moment. `failed` rows say why a file or row could not be read.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, case, func, insert, or_, select, update
from sqlalchemy import delete as delete_from

from app.core.errors import NotFound
from app.core.timespan import TimeSpan
from app.core.types import DocId, Document, Passage, PassageId
from app.store.database import Database
from app.store.queries import among
from app.store.spans import mentions_text, span_columns, span_of_columns, span_text
from app.store.tables import documents, passages

DocumentState = Literal["embedding", "ready", "failed"]
_STORED: tuple[DocumentState, ...] = ("ready", "embedding")
_NEWEST_LAST = case({"failed": 0, "ready": 1, "embedding": 2}, value=documents.c.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRow:
    """What a list of documents shows; `passages` counts, `error` is empty unless the state is `failed`."""

    doc_id: DocId
    title: str
    uri: str
    version: str
    state: DocumentState
    error: str
    published: TimeSpan | None
    passages: int
    ingested_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVersion:
    """One version of a document by its passages."""

    version: str
    state: DocumentState
    passage_ids: tuple[PassageId, ...]


class Documents:
    """Documents of one collection; every method is one transaction."""

    def __init__(self, database: Database, collection_id: str) -> None:
        self._database = database
        self._collection_id = collection_id
        self._mine = documents.c.collection_id == collection_id

    def put(self, document: Document, passages: Sequence[Passage], *, state: DocumentState = "embedding") -> None:
        """Store a document with its passages; a ready version stays until this one is published."""
        self.put_many([(document, passages, document.uri)], state=state)

    def put_many(
        self, stored: Sequence[tuple[Document, Sequence[Passage], str]], *, state: DocumentState = "embedding"
    ) -> None:
        """Store documents with their passages and the uri of the file that each was read from."""
        doc_ids = [document.doc_id for document, _, _ in stored]
        with self._database.session() as session:
            replaced = documents.c.state != "ready" if state == "embedding" else documents.c.state.is_not(None)
            session.execute(delete_from(documents).where(self._mine, replaced, among(documents.c.doc_id, doc_ids)))
            first = (session.execute(select(func.max(documents.c.document_key))).scalar() or 0) + 1
            rows = [
                {"document_key": key, "state": state, "source": source, **self._values(document)}
                for key, (document, _, source) in enumerate(stored, start=first)
            ]
            pieces = [
                _passage_values(passage, key=key, ordinal=ordinal)
                for key, (_, parts, _) in enumerate(stored, start=first)
                for ordinal, passage in enumerate(parts)
            ]
            _insert(session, documents, rows)
            _insert(session, passages, pieces)

    def fail(self, doc_id: DocId, uri: str, error: str) -> None:
        """Record that a document could not be read; a version that is ready stays."""
        row = {"doc_id": doc_id, "uri": uri, "source": uri, "error": error, "state": "failed"}
        with self._database.session() as session:
            session.execute(
                delete_from(documents).where(self._mine, documents.c.state == "failed", documents.c.doc_id == doc_id)
            )
            session.execute(insert(documents), {**self._empty_values(), **row})

    def forgive(self, source: str) -> None:
        """Forget the failures of a file that is being read again."""
        with self._database.session() as session:
            session.execute(
                delete_from(documents).where(self._mine, documents.c.state == "failed", documents.c.source == source)
            )

    def delete(self, doc_ids: Iterable[DocId]) -> None:
        """Remove documents with their passages; unknown ids are ignored."""
        with self._database.session() as session:
            drop_documents(session, self._collection_id, doc_ids)

    def get(self, doc_id: DocId) -> Document:
        """Return the published version of a document, or the one that is being indexed.

        Raises:
            NotFound: no document of that id can be read.
        """
        query = select(documents).where(self._mine, documents.c.doc_id == doc_id, documents.c.state.in_(_STORED))
        with self._database.reading() as session:
            row = session.execute(query.order_by(_NEWEST_LAST)).mappings().first()
        if row is None:
            raise self._not_found(doc_id)
        return Document(
            doc_id=DocId(row["doc_id"]),
            version=row["version"],
            title=row["title"],
            text=row["text"],
            uri=row["uri"],
            published=span_of_columns(row),
            ingested_at=datetime.fromisoformat(row["ingested_at"]),
            superseded_by=row["superseded_by"],
            metadata=row["metadata"],
        )

    def list(self, state: DocumentState | None = None) -> Sequence[DocumentRow]:
        """Return the documents by id; one that is being replaced or failed anew has two rows."""
        condition = self._mine if state is None else self._mine & (documents.c.state == state)
        return self._rows(condition)

    def by_uri(self, uri: str) -> DocumentRow | None:
        """Return the newest row of what was read from a uri, or None."""
        rows = self._rows(self._mine & (documents.c.uri == uri))
        return rows[-1] if rows else None

    def doc_id_for(self, uri: str, wanted: DocId) -> DocId:
        """Return the id that a uri has, or `wanted`; made distinct if another uri has that."""
        return self.doc_ids_for([(uri, wanted)])[0]

    def doc_ids_for(self, pairs: Sequence[tuple[str, DocId]]) -> Sequence[DocId]:
        """Return `doc_id_for` of each pair of uri and wanted id."""
        condition = or_(
            among(documents.c.uri, [uri for uri, _ in pairs]),
            among(documents.c.doc_id, [wanted for _, wanted in pairs]),
        )
        query = select(documents.c.uri, documents.c.doc_id).where(self._mine, condition)
        with self._database.reading() as session:
            known = [(uri, doc_id) for uri, doc_id in session.execute(query)]
        by_uri = dict(known)
        owners = {doc_id: uri for uri, doc_id in known}
        found: list[DocId] = []
        for uri, wanted in pairs:
            mine = by_uri.get(uri) or (wanted if owners.setdefault(wanted, uri) == uri else _apart(wanted, uri))
            found.append(DocId(mine))
        return found

    def versions(self, doc_ids: Iterable[DocId]) -> Mapping[DocId, Sequence[StoredVersion]]:
        """Return the stored versions of documents, the ready one first; unknown ids are left out."""
        query = (
            select(documents.c.doc_id, documents.c.version, documents.c.state, passages.c.passage_id)
            .join(passages, passages.c.document_key == documents.c.document_key)
            .where(self._mine, documents.c.state.in_(_STORED), among(documents.c.doc_id, doc_ids))
            .order_by(_NEWEST_LAST, passages.c.document_key, passages.c.ordinal)
        )
        grouped: dict[tuple[Any, ...], list[PassageId]] = {}
        with self._database.reading() as session:
            for doc_id, version, state, passage_id in session.execute(query):
                grouped.setdefault((doc_id, version, state), []).append(passage_id)
        found: dict[DocId, list[StoredVersion]] = {}
        for (doc_id, version, state), ids in grouped.items():
            stored = StoredVersion(version=version, state=state, passage_ids=tuple(ids))
            found.setdefault(doc_id, []).append(stored)
        return found

    def ids_from(self, source: str) -> frozenset[DocId]:
        """Return the ids of the readable documents that were read from a file."""
        query = select(documents.c.doc_id).where(
            self._mine, documents.c.source == source, documents.c.state.in_(_STORED)
        )
        with self._database.reading() as session:
            return frozenset(session.execute(query).scalars())

    def sources(self, doc_ids: Iterable[DocId] | None = None) -> Sequence[str]:
        """Return the uris of the files that documents were read from, all or those, sorted."""
        query = select(documents.c.source).where(self._mine).distinct()
        if doc_ids is not None:
            query = query.where(among(documents.c.doc_id, doc_ids))
        with self._database.reading() as session:
            return [str(source) for source in session.execute(query.order_by(documents.c.source)).scalars()]

    def _not_found(self, doc_id: DocId) -> NotFound:
        failed = self._rows(self._mine & (documents.c.doc_id == doc_id))
        if failed:
            return NotFound(f"document '{doc_id}' could not be read: {failed[0].error}")
        return NotFound(f"no document '{doc_id}'; 'gnomon docs list' names them")

    def _rows(self, condition: Any) -> Sequence[DocumentRow]:
        counted = select(func.count()).where(passages.c.document_key == documents.c.document_key).scalar_subquery()
        shown = [documents.c[name] for name in DocumentRow.__slots__ if name in documents.c]
        spans = [column for column in documents.c if column.name.startswith("published_")]
        query = select(*shown, *spans, counted.label("passages")).where(condition)
        with self._database.reading() as session:
            return [
                _document_row(row)
                for row in session.execute(query.order_by(documents.c.doc_id, _NEWEST_LAST)).mappings()
            ]

    def _empty_values(self) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat()
        texts = {"collection_id": self._collection_id, "version": "", "title": "", "text": "", "error": ""}
        return {**texts, "ingested_at": now, "superseded_by": None, "metadata": {}, **span_columns(None)}

    def _values(self, document: Document) -> dict[str, Any]:
        return {
            "collection_id": self._collection_id,
            "doc_id": document.doc_id,
            "version": document.version,
            "error": "",
            "title": document.title,
            "text": document.text,
            "uri": document.uri,
            "ingested_at": document.ingested_at.isoformat(),
            "superseded_by": document.superseded_by,
            "metadata": dict(document.metadata),
            **span_columns(document.published),
        }


def drop_documents(session: Connection, collection_id: str, doc_ids: Iterable[DocId]) -> None:
    """Remove all rows of documents within a transaction."""
    condition = (documents.c.collection_id == collection_id) & among(documents.c.doc_id, doc_ids)
    session.execute(delete_from(documents).where(condition))


def mark_ready(session: Connection, collection_id: str, doc_ids: Iterable[DocId]) -> None:
    """Publish the stored versions of documents within a transaction: older versions and failures go."""
    mine = (documents.c.collection_id == collection_id) & among(documents.c.doc_id, doc_ids)
    session.execute(delete_from(documents).where(mine, documents.c.state != "embedding"))
    session.execute(update(documents).where(mine).values(state="ready"))


def _insert(session: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(insert(table), rows)


def _passage_values(passage: Passage, *, key: int, ordinal: int) -> dict[str, Any]:
    return {
        "document_key": key,
        "ordinal": ordinal,
        "passage_id": passage.passage_id,
        "text": passage.text,
        "start": passage.start,
        "end": passage.end,
        "page": passage.page,
        "section": passage.section,
        "mentions": mentions_text(passage.mentions),
        "holds": span_text(passage.holds),
    }


def _document_row(values: Mapping[Any, Any]) -> DocumentRow:
    return DocumentRow(
        **{name: values[name] for name in ("doc_id", "title", "uri", "version", "state", "error", "passages")},
        published=span_of_columns(values),
        ingested_at=datetime.fromisoformat(values["ingested_at"]),
    )


def _apart(wanted: str, uri: str) -> str:
    return f"{wanted}~{hashlib.sha256(uri.encode()).hexdigest()[:6]}"
