"""Named sets of documents, each with the pointer to its published index."""

import re
from collections.abc import Collection as Many
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy import delete as delete_from
from sqlalchemy.exc import IntegrityError

from app.core.errors import ConfigError, NotFound
from app.core.types import DocId
from app.store.database import Database
from app.store.documents import DocumentState, drop_documents, mark_ready
from app.store.tables import collections, documents, passages

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_READY: DocumentState = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A collection as it is published: `documents` and `passages` count what can be found, times are UTC."""

    collection_id: str
    created_at: datetime
    generation: int
    index_digest: str
    documents: int
    passages: int


class Collections:
    """All collections of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, collection_id: str) -> Collection:
        """Return a new, empty collection.

        Raises:
            ConfigError: the name is not allowed, or taken.
        """
        if not _ID.fullmatch(collection_id):
            raise ConfigError(
                f"collection '{collection_id}': use 1 to 64 of a-z, 0-9, - and _, beginning with a letter or digit"
            )
        row = {
            "collection_id": collection_id,
            "created_at": datetime.now(UTC).isoformat(),
            "generation": 0,
            "index_digest": "",
        }
        with self._database.session() as session:
            try:
                session.execute(insert(collections), row)
            except IntegrityError as error:
                raise ConfigError(f"collection '{collection_id}' exists already") from error
        return self.get(collection_id)

    def get(self, collection_id: str) -> Collection:
        """Return a collection.

        Raises:
            NotFound: there is none of that name.
        """
        found = self._read(collection_id) if _ID.fullmatch(collection_id) else ()
        if not found:
            raise NotFound(f"no collection '{collection_id}'; {_how_to_make(collection_id)}")
        return found[0]

    def list(self) -> Sequence[Collection]:
        """Return all collections by name."""
        return self._read(None)

    def delete(self, collection_id: str) -> None:
        """Remove a collection with its documents and passages; its folder and its answers stay.

        Raises:
            NotFound: there is none of that name.
        """
        self.get(collection_id)
        with self._database.session() as session:
            session.execute(delete_from(collections).where(collections.c.collection_id == collection_id))

    def publish(
        self,
        collection_id: str,
        *,
        generation: int,
        index_digest: str,
        ready: Many[DocId] = (),
        removed: Many[DocId] = (),
    ) -> None:
        """Make an index generation the one that is searched: `ready` documents are now found, `removed` ones gone.

        One transaction: older versions of the ready documents go with it.
        """
        with self._database.session() as session:
            drop_documents(session, collection_id, removed)
            mark_ready(session, collection_id, ready)
            session.execute(
                update(collections)
                .where(collections.c.collection_id == collection_id)
                .values(generation=generation, index_digest=index_digest)
            )

    def _read(self, collection_id: str | None) -> Sequence[Collection]:
        mine = (documents.c.collection_id == collections.c.collection_id) & (documents.c.state == _READY)
        counted = select(func.count()).where(mine).scalar_subquery()
        pieces = (
            select(func.count())
            .select_from(passages.join(documents, passages.c.document_key == documents.c.document_key))
            .where(mine)
            .scalar_subquery()
        )
        query = select(collections, counted.label("documents"), pieces.label("passages"))
        if collection_id is not None:
            query = query.where(collections.c.collection_id == collection_id)
        with self._database.reading() as session:
            return [_collection(row) for row in session.execute(query.order_by(collections.c.collection_id))]


def check_filled(collection: Collection) -> None:
    """Return if a collection holds a document.

    Raises:
        NotFound: it holds none.
    """
    if not collection.documents:
        name = collection.collection_id
        raise NotFound(f"collection '{name}' is empty; fill it with 'gnomon ingest PATH -c {name}'")


def _how_to_make(collection_id: str) -> str:
    if not _ID.fullmatch(collection_id):
        return "'gnomon collections list' names them"
    return f"'gnomon ingest PATH -c {collection_id}' makes it, 'gnomon collections list' names those there are"


def _collection(row: Row[Any]) -> Collection:
    values = dict(row._mapping)
    return Collection(**{**values, "created_at": datetime.fromisoformat(values["created_at"])})
