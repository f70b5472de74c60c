"""Which files a collection has read, by the hash of their bytes."""

from sqlalchemy import Connection, delete, insert, select

from app.store.database import Database
from app.store.tables import files


class Files:
    """The files of one collection."""

    def __init__(self, database: Database, collection_id: str) -> None:
        self._database = database
        self._collection_id = collection_id

    def digest(self, uri: str) -> str | None:
        """Return the digest a file had when all of it was stored, or None."""
        mine = (files.c.collection_id == self._collection_id) & (files.c.uri == uri)
        with self._database.reading() as session:
            return session.execute(select(files.c.digest).where(mine)).scalar()

    def put(self, uri: str, digest: str) -> None:
        """Record that all of a file is stored."""
        row = {"collection_id": self._collection_id, "uri": uri, "digest": digest}
        with self._database.session() as session:
            self._drop(session, uri)
            session.execute(insert(files), row)

    def forget(self, uri: str) -> None:
        """Forget a file, so that it is read again."""
        with self._database.session() as session:
            self._drop(session, uri)

    def _drop(self, session: Connection, uri: str) -> None:
        session.execute(delete(files).where(files.c.collection_id == self._collection_id, files.c.uri == uri))
