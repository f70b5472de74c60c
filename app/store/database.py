"""The connection to the database: one SQLite file in WAL mode, safe to use from several threads."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.core.errors import StorageError
from app.store.tables import HEAD

BUSY_SECONDS = 10.0

_ADVICE = {
    sqlite3.SQLITE_BUSY: "is locked by another process; wait for it or stop it, then try again",
    sqlite3.SQLITE_LOCKED: "is locked by another process; wait for it or stop it, then try again",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full; free some space, then try again",
    sqlite3.SQLITE_READONLY: "cannot be written; check the permissions of the file and of its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check the permissions of the file and of its folder",
    sqlite3.SQLITE_PERM: "cannot be opened; check the permissions of the file and of its folder",
    sqlite3.SQLITE_NOTADB: "is no SQLite database; move it away or choose another data folder (GNOMON_DATA_DIR)",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore it from a backup, or move it away and ingest again",
    sqlite3.SQLITE_IOERR: "cannot be read or written; check the disk and free some space",
}


class Database:
    """Sessions on one database file; each call of the stores is a session of its own."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine = engine
        self._turn = threading.Lock()  # SQLite lets waiting writers sleep and try again; a lock wakes the next at once
        self.path = path

    @classmethod
    def open(cls, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> "Database":
        """Return the database of that file, created or migrated to the newest schema first.

        Raises:
            StorageError: the file cannot be opened, or a newer Gnomon wrote it.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"{path.parent}: cannot be created: {error.strerror}; choose another data_dir"
            ) from error
        database = cls(_engine(path, busy_seconds), path)
        try:
            database._migrate()
        except StorageError:
            database.close()
            raise
        return database

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """Yield a connection in one write transaction: all of it is kept, or nothing after an exception.

        Raises:
            StorageError: the database cannot be written; names the file and what to do.
        """
        with self._turn, self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that reads one state of the database and never waits for a writer."""
        with self._translated(), self._engine.connect() as connection:
            yield connection.execution_options(begin="BEGIN")

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _migrate(self) -> None:
        if self._version() == HEAD:
            return
        from app.store.migrate import upgrade  # alembic costs 0.15 s and is needed once a schema

        with self.session() as connection:
            upgrade(connection)

    def _version(self) -> str | None:
        with self.reading() as connection:
            query = "SELECT name FROM sqlite_master WHERE name IN ('alembic_version', 'documents')"
            tables = set(connection.exec_driver_sql(query).scalars())
            if "alembic_version" not in tables:
                return None
            version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        if version is not None and str(version) > HEAD:
            raise StorageError(f"{self.path}: was written by a newer Gnomon (schema {version}); update Gnomon")
        return version

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise StorageError(f"{self.path}: {_advice(error.orig)}") from error
        except PoolTimeout as error:
            raise StorageError(f"{self.path}: too many threads use it at once; lower server.workers") from error


def _engine(path: Path, busy_seconds: float) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        pool_size=8,
        max_overflow=56,
        connect_args={"timeout": busy_seconds, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the "begin" event opens transactions; sqlite3's own would do it too late
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    # a transaction that reads before it writes cannot be upgraded while another writes, so writers say so at once
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN IMMEDIATE"))


def _advice(error: BaseException | None) -> str:
    code = getattr(error, "sqlite_errorcode", None)
    known = _ADVICE.get(code & 0xFF) if code is not None else None
    return known or f"the database refused: {error}"
