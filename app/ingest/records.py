"""What readers give and what an ingest run tells."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.core.timespan import TimeSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A heading or a page that begins at a character; `end` is where its heading ends (a page: `start`)."""

    start: int
    end: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDocument:
    """One document as a reader gives it; `key` is a row's id, empty for a file that is one document.

    `sections` and `pages` are in order and count in characters of `text`; `row` counts from 1, 0 for a whole file.
    """

    title: str
    text: str
    key: str = ""
    row: int = 0
    published: TimeSpan | None = None
    superseded_by: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    sections: tuple[Mark, ...] = ()
    pages: tuple[Mark, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What could not be read: `where` is a file, or a file and its row; `why` ends with what to do."""

    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is: `done` of `total` bytes of all files, and what was counted so far."""

    done: int
    total: int
    files: int
    documents: int
    passages: int
    current: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What a run did, in documents (`skipped`: files of other types in a folder)."""

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: int = 0
    passages: int = 0
    failed: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0


OnProgress = Callable[[Progress], None]
OnIndexed = Callable[[int, int], None]  # told passages done and in all


def nobody(progress: Progress) -> None:
    """Report progress to nobody."""


def unseen(done: int, total: int) -> None:
    """Report indexed passages to nobody."""
