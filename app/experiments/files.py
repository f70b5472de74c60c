"""The files of a data set: their rows, and digests that name their content."""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.core.errors import InvalidDataset

_BLOCK = 1 << 20

Row = Mapping[str, Any]


def rows_of(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield the objects of a .jsonl file, or the rows of a .csv, with their numbers from 1.

    Raises:
        InvalidDataset: the file cannot be read, or a row is no object.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            if path.suffix.lower() == ".csv":
                yield from enumerate(({k: v for k, v in row.items() if v} for row in csv.DictReader(stream)), start=1)
                return
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield number, _json_object(line, path, number)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidDataset(f"{path}: cannot be read: {error}") from error


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's files with their names."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return joint_digest([f"{file.relative_to(path).as_posix()} {digest_of(file)}" for file in files])
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def joint_digest(parts: Sequence[str]) -> str:
    """Return the SHA-256 of several digests or names, in order."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _json_object(line: str, path: Path, number: int) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidDataset(f"{path}: line {number} is not JSON ({error}); mend it") from error
    if not isinstance(row, dict):
        raise InvalidDataset(f"{path}: line {number} is no JSON object; write {{…}}")
    return row
