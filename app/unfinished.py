"""The checkpoints of answers that are not finished: where another process goes on when this one is killed."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors import StaleCheckpoint
from app.core.events import Emit, Kept, untold
from app.core.run import Run
from app.core.trace import Tracer, resumed
from app.core.types import AnswerId, Question

if TYPE_CHECKING:
    from agents.run import Thread
    from app.store.checkpoints import Checkpoints

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What work on an answer begins with; `question` is the one that an earlier process understood, if it came to that.

    Without a thread nothing is kept.
    """

    run: Run
    tracer: Tracer
    thread: "Thread | None" = None
    question: Question | None = None


class Unfinished:
    """Opens the file of checkpoints at first use; safe to use from several threads."""

    def __init__(self, path: Path, *, settings_digest: str) -> None:
        """Take the file, and the settings that answers are made under."""
        self._path = path
        self._settings_digest = settings_digest
        self._opened: Checkpoints | None = None
        self._lock = threading.Lock()

    def begin(self, kept: Kept | None, *, run: Run, emit: Emit) -> Begun:
        """Return what an answer begins with: what was spent, told and traced before its checkpoint stays so.

        Raises:
            StorageError: the file cannot be read or written.
        """
        if kept is None:
            return Begun(run=run, tracer=Tracer(run, emit))
        thread = self._thread(kept.answer_id)
        if thread.state is None:
            return Begun(run=run, tracer=Tracer(run, untold(emit, kept.told)), thread=thread)
        books = thread.state["books"]
        run = resumed(run, books)
        tracer = Tracer(run, untold(emit, kept.told[books.told :]), before=books)
        return Begun(run=run, tracer=tracer, thread=thread, question=thread.state["question"])

    def answers(self) -> Sequence[AnswerId]:
        """Return the answers that have checkpoints."""
        return self._checkpoints().answers() if self._path.exists() else ()

    def forget(self, answer_id: AnswerId) -> None:
        """Delete the checkpoints of an answer, if it has any."""
        if self._path.exists():
            self._checkpoints().delete_thread(answer_id)

    def close(self) -> None:
        """Close the file."""
        if self._opened is not None:
            self._opened.close()

    def _thread(self, answer_id: AnswerId) -> "Thread":
        """Return where an answer stands; at its start where its checkpoint is of no use, which is then deleted."""
        from agents.run import Thread

        checkpoints = self._checkpoints()
        try:
            return Thread.open(checkpoints, answer_id)
        except StaleCheckpoint as error:
            _log.warning("answer %s begins again: %s", answer_id, error)
            checkpoints.delete_thread(answer_id)
            return Thread(saver=checkpoints, name=answer_id)

    def _checkpoints(self) -> "Checkpoints":
        from agents.keeping import records
        from agents.run import shape
        from app.store.checkpoints import Checkpoints  # langgraph takes a second to import, and a search needs none

        with self._lock:
            if self._opened is None:
                made_with = f"{version('gnomon')} {self._settings_digest} {shape()}"
                self._opened = Checkpoints(self._path, records(), made_with=made_with)
            return self._opened
