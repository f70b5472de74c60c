"""Checkpoints of unfinished answers: one SQLite file in WAL mode beside the database, one thread an answer."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langgraph.checkpoint.sqlite import SqliteSaver

from app.core.errors import StorageError
from app.core.types import AnswerId
from app.store.checkpoint_format import RecordFormat
from app.store.database import BUSY_SECONDS


class Checkpoints(SqliteSaver):
    """langgraph's saver with our format and our errors; safe to use from several threads and processes."""

    def __init__(self, path: Path, records: Iterable[type], *, made_with: str) -> None:
        """Open the file, made where it is missing; see `RecordFormat` for the rest.

        Raises:
            StorageError: it cannot be opened.
        """
        self._path = path
        try:
            connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
            connection.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        super().__init__(connection, serde=RecordFormat(records, made_with=made_with))

    @contextmanager
    def cursor(self, transaction: bool = True) -> Iterator[sqlite3.Cursor]:
        """Yield a cursor.

        Raises:
            StorageError: the file cannot be read or written.
        """
        try:
            with super().cursor(transaction) as cursor:
                yield cursor
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def put_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        """Keep nothing: steps follow one another, so what a node wrote is in the next checkpoint, all of it or none."""

    def answers(self) -> Sequence[AnswerId]:
        """Return the answers that have checkpoints."""
        with self.cursor(transaction=False) as cursor:
            return [AnswerId(row[0]) for row in cursor.execute("SELECT DISTINCT thread_id FROM checkpoints")]

    def close(self) -> None:
        """Close the file."""
        self.conn.close()

    def _unusable(self, error: sqlite3.Error) -> StorageError:
        advice = "check the disk, or move the file away: unfinished answers then begin again"
        return StorageError(f"{self._path}: {error}; {advice}")
