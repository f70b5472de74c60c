"""Files that are replaced in one step: a reader sees the old content or the new, and so does the next run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Yield an empty file that takes the place of `path` when the block ends, on the disk by then.

    If the block fails, what was at `path` stays, and nothing else is left.

    Raises:
        OSError: the folder or the disk does not let itself be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)  # it is not there when it has taken its place


def write_whole(path: Path, text: str) -> None:
    """Write a file in UTF-8 in one step: all of it or, after a crash, what was there before.

    Raises:
        OSError: as `replacing`.
    """
    with replacing(path) as stream:
        stream.write(text.encode())
