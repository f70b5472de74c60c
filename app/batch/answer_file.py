"""The output of a batch: one answer a line, each line whole, the lines in the order of the questions at the end.

While it is worked on, answers are appended as they are ready, so that a killed run loses none; `close` puts them in
order. A later run keeps the answers that are still those of its rows.
"""

import errno
import json
import os
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from filelock import FileLock, Timeout

from app.batch.questions import Row
from app.core.errors import ConfigError, StorageError
from app.core.files import replacing

SYNC_SECONDS = 2.0
KEPT_STATUSES = frozenset({"answered", "partial", "abstained"})
_OURS = frozenset({"query_id", "question", "status", "settings_digest", "collection"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What an answer depends on apart from its row."""

    settings_digest: str
    collection: str


class _Place(NamedTuple):
    """Where a line lies in the file, in bytes, and the status of its answer."""

    offset: int
    length: int
    status: str


class AnswerFile:
    """The answers of one question file on disk; `failed_before` are rows that an earlier run could not answer."""

    def __init__(self, path: Path, rows: Sequence[Row], *, recipe: Recipe, resume: bool) -> None:
        """Lock the file and keep what an earlier run answered.

        Raises:
            StorageError: another run writes it, or it cannot be written.
            ConfigError: it exists and is no output of a batch.
        """
        self.path = path
        self.failed_before: set[int] = set()
        self.was_torn = False
        self._recipe = recipe
        self._numbers = [row.number for row in rows]
        self._rows = {row.query_id: row for row in reversed(rows) if not row.problem}
        self._places: dict[int, _Place] = {}
        self._mutex = threading.Lock()
        self._synced = time.monotonic()
        self._lock = _locked(path)
        try:
            if resume and path.exists():
                self._scan()
            self._rewrite()
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        except BaseException:
            self._lock.release()
            raise

    def statuses(self) -> Mapping[int, str]:
        """Return the status of each row that has an answer, by row number."""
        with self._mutex:
            return {number: place.status for number, place in self._places.items()}

    def append(self, row: Row, body: Mapping[str, Any]) -> None:
        """Write the answer of a row, as one line or not at all.

        Raises:
            StorageError: the disk is full or the file cannot be written.
        """
        as_of = row.as_of.isoformat() if row.as_of else None
        own = {"row": row.number, "as_of": as_of, "settings_digest": self._recipe.settings_digest}
        line = json.dumps({**body, **own}, ensure_ascii=False).encode() + b"\n"
        with self._mutex:
            offset = os.fstat(self._descriptor).st_size
            try:
                _write_all(self._descriptor, line)
                self._sync()
            except OSError as error:
                with suppress(OSError):
                    os.ftruncate(self._descriptor, offset)
                raise _unwritable(self.path, error) from error
            self._places[row.number] = _Place(offset, len(line), str(body["status"]))

    def close(self) -> None:
        """Put the lines in the order of the questions and unlock the file."""
        try:
            with self._mutex:
                os.fsync(self._descriptor)
                os.close(self._descriptor)
                offsets = [self._places[number].offset for number in self._numbers if number in self._places]
                if offsets != sorted(offsets):
                    self._rewrite()
        finally:
            self._lock.release()

    def _sync(self) -> None:
        now = time.monotonic()
        if now - self._synced >= SYNC_SECONDS:
            os.fsync(self._descriptor)
            self._synced = now

    def _scan(self) -> None:
        """Note the lines that are still answers of our rows; a last line that was cut off is let go."""
        offset = 0
        with self.path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                body = _parsed(line)
                if body is None and not line.endswith(b"\n"):
                    self.was_torn = True
                elif body is None:
                    advice = "choose another -o, or --no-resume to overwrite"
                    raise ConfigError(f"{self.path}: line {number} is no answer of a batch; {advice}")
                else:
                    self._note(body, offset, len(line))
                offset += len(line)

    def _note(self, body: Mapping[str, Any], offset: int, length: int) -> None:
        row = self._rows.get(body["query_id"])
        if row is None or not self._answers(row, body):
            return
        if body["status"] in KEPT_STATUSES:
            self._places[row.number] = _Place(offset, length, body["status"])
        else:
            self.failed_before.add(row.number)

    def _answers(self, row: Row, body: Mapping[str, Any]) -> bool:
        made_of = (body["question"], body.get("as_of"), body["settings_digest"], body["collection"])
        as_of = row.as_of.isoformat() if row.as_of else None
        return made_of == (row.text, as_of, self._recipe.settings_digest, self._recipe.collection)

    def _rewrite(self) -> None:
        """Replace the file in one step by its kept lines, in the order of the questions."""
        try:
            with replacing(self.path) as target:
                self._places = dict(self._copy_to(target))
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _copy_to(self, target: BinaryIO) -> Iterable[tuple[int, _Place]]:
        if not self._places:
            return
        with self.path.open("rb") as source:
            for number in self._numbers:
                if place := self._places.get(number):
                    source.seek(place.offset)
                    line = source.read(place.length).rstrip(b"\n") + b"\n"
                    offset = target.tell()
                    target.write(line)
                    yield number, _Place(offset, len(line), place.status)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and body.keys() >= _OURS else None


def _locked(path: Path) -> FileLock:
    lock = FileLock(path.with_name(f".{path.name}.lock"), thread_local=False)
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise StorageError(f"{path}: another run writes it; wait for it or choose another -o") from error
    except OSError as error:
        raise _unwritable(path, error) from error
    return lock


def _write_all(descriptor: int, content: bytes) -> None:
    written = 0
    while written < len(content):
        written += os.write(descriptor, content[written:])


def _unwritable(path: Path, error: OSError) -> StorageError:
    reason = error.strerror or str(error)
    return StorageError(f"{path}: cannot be written: {reason}; mend that and run the same command again")
