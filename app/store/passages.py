"""The passages of one collection; implements PassageSource."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from app.core.digest import corpus_digest
from app.core.errors import NotFound
from app.core.types import DocId, Filter, Passage, PassageId
from app.store.database import Database
from app.store.documents import DocumentState
from app.store.queries import among
from app.store.spans import mentions_of_text, span_of_columns, span_of_text
from app.store.tables import documents, passages

_JOINED = passages.join(documents, passages.c.document_key == documents.c.document_key)
_SHOWN = (
    *(passages.c[name] for name in ("passage_id", "text", "start", "end", "page", "section", "mentions", "holds")),
    *(documents.c[name] for name in ("doc_id", "version", "title", "uri", "superseded_by")),
    *(column for column in documents.c if column.name.startswith("published_")),
)


class Passages:
    """Passages of one collection: those of ready documents can be found, those of others can be read by id."""

    def __init__(self, database: Database, collection_id: str) -> None:
        self._database = database
        self._mine = documents.c.collection_id == collection_id
        self._ready = self._mine & (documents.c.state == "ready")

    def get(self, passage_ids: Sequence[PassageId]) -> list[Passage]:
        """Return the passages in the order asked for; an unknown id raises NotFound."""
        if not passage_ids:
            return []
        query = self._query(self._mine & among(passages.c.passage_id, set(passage_ids)))
        found: dict[PassageId, Passage] = {}
        with self._database.reading() as session:
            for row in session.execute(query.order_by(documents.c.state)).mappings():  # "ready" comes last and wins
                found[row["passage_id"]] = _passage(row)
        missing = next((key for key in passage_ids if key not in found), None)
        if missing is not None:
            raise NotFound(f"no passage '{missing}': its document was changed or deleted; search again")
        return [found[key] for key in passage_ids]

    def select(self, allowed: Filter) -> frozenset[PassageId]:
        """Return the ids of ready passages that the filter lets through."""
        conditions = [self._ready, *_conditions(allowed)]
        with self._database.reading() as session:
            query = select(passages.c.passage_id).select_from(_JOINED).where(*conditions)
            return frozenset(session.execute(query).scalars())

    def ids(self, state: DocumentState = "ready") -> frozenset[PassageId]:
        """Return the ids of the passages of documents in that state."""
        query = select(passages.c.passage_id).select_from(_JOINED).where(self._mine, documents.c.state == state)
        with self._database.reading() as session:
            return frozenset(session.execute(query).scalars())

    def of_documents(self, doc_ids: Iterable[DocId], *, state: DocumentState = "ready") -> list[Passage]:
        """Return all passages of documents in that state, by document in stored order."""
        condition = self._mine & (documents.c.state == state) & among(documents.c.doc_id, doc_ids)
        query = self._query(condition).order_by(passages.c.document_key, passages.c.ordinal)
        with self._database.reading() as session:
            return [_passage(row) for row in session.execute(query).mappings()]

    def digest(self) -> str:
        """Return the SHA-256 of the sorted ids of the ready passages."""
        return corpus_digest(self.ids())

    def digest_with(self, ready: Collection[DocId], *, removed: Collection[DocId] = ()) -> str:
        """Return the digest that the collection will have once `ready` documents are published and `removed` gone."""
        published, gone = frozenset(ready), {*ready, *removed}
        query = select(documents.c.doc_id, passages.c.passage_id).select_from(_JOINED)
        with self._database.reading() as session:
            kept = {key for doc_id, key in session.execute(query.where(self._ready)) if doc_id not in gone}
            pending = session.execute(query.where(self._mine, documents.c.state == "embedding"))
            new = {key for doc_id, key in pending if doc_id in published}
        return corpus_digest(kept | new)

    def _query(self, condition: ColumnElement[bool]) -> Select[Any]:
        return select(*_SHOWN).select_from(_JOINED).where(condition)


def _conditions(allowed: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if allowed.doc_ids is not None:
        conditions.append(among(documents.c.doc_id, allowed.doc_ids))
    undated = documents.c.published_granularity.is_(None)
    if allowed.published is not None:
        overlaps = _overlaps(allowed)
        conditions.append(or_(undated, overlaps) if allowed.undated else overlaps)
    elif not allowed.undated:
        conditions.append(~undated)
    for key, value in allowed.metadata.items():
        conditions.append(documents.c.metadata[key].as_string() == value)
    return conditions


def _overlaps(allowed: Filter) -> ColumnElement[bool]:
    span = allowed.published
    condition: ColumnElement[bool] = documents.c.published_granularity.is_not(None)
    if span is not None and span.end is not None:
        condition &= or_(documents.c.published_start.is_(None), documents.c.published_start <= span.end)
    if span is not None and span.start is not None:
        condition &= or_(documents.c.published_end.is_(None), documents.c.published_end >= span.start)
    return condition


def _passage(row: Mapping[Any, Any]) -> Passage:
    return Passage(
        passage_id=row["passage_id"],
        doc_id=row["doc_id"],
        document_version=row["version"],
        title=row["title"],
        text=row["text"],
        uri=row["uri"],
        start=row["start"],
        end=row["end"],
        page=row["page"],
        section=row["section"],
        published=span_of_columns(row),
        mentions=mentions_of_text(row["mentions"]),
        holds=span_of_text(row["holds"]),
        superseded_by=row["superseded_by"],
    )
