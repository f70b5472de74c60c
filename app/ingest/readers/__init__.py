"""One module per format; each is imported when its first file comes."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, cast

from app.ingest.records import Failure, ReadDocument

READERS = {
    ".txt": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".csv": "table",
    ".tsv": "table",
    ".jsonl": "table",
}


class Reader(Protocol):
    """A reader module."""

    def read(self, path: Path) -> Iterator[ReadDocument | Failure]:
        """Yield the documents of a file, and the rows that are none; `Failure.where` is `row 17` there.

        Raises:
            UnreadableDocument: the whole file cannot be read; the message says why, without the file's name.
        """
        ...


def read(path: Path) -> Iterator[ReadDocument | Failure]:
    """Yield what the reader of the file's extension makes of it."""
    module = importlib.import_module(f"app.ingest.readers.{READERS[path.suffix.lower()]}")
    yield from cast("Reader", module).read(path)
