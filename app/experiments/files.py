"""The files of a data set: their rows, and digests that name their content."""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from app.core.errors import InvalidDataset

_BLOCK = 1 << 20

Row = Mapping[str, Any]


def rows_of(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield the objects of a .jsonl file with their lines, or the rows of a .csv below its header, both from 1.

    Empty lines are passed over, and so are the empty cells of a .csv.

    Raises:
        InvalidDataset: the file cannot be read, or a row is no object.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield from _csv_rows(stream) if path.suffix.lower() == ".csv" else _json_rows(stream, path)
    except OSError as error:
        raise InvalidDataset(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise InvalidDataset(f"{path}: is not UTF-8; save the file as UTF-8") from error
    except csv.Error as error:
        raise InvalidDataset(f"{path}: is not CSV ({error}); mend it") from error


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's files with their names; hidden ones are left out, as in ingest."""
    if path.is_dir():
        names = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
        shown = sorted(name for name in names if not any(part.startswith(".") for part in name.split("/")))
        return joint_digest([f"{name} {digest_of(names[name])}" for name in shown])
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def joint_digest(parts: Sequence[str]) -> str:
    """Return the SHA-256 of several digests or names, in order."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _csv_rows(stream: TextIO) -> Iterator[tuple[int, Row]]:
    for number, row in enumerate(csv.DictReader(stream), start=1):
        yield number, {column: cell for column, cell in row.items() if column is not None and cell}


def _json_rows(stream: TextIO, path: Path) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(stream, start=1):
        if line.strip():
            yield number, _json_object(line, path, number)


def _json_object(line: str, path: Path, number: int) -> Row:
    try:
        row = json.loads(line)
        if "\\ud" in line.lower():  # half a character can be read and not be written again
            json.dumps(row, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise InvalidDataset(f"{path}: row {number} is not JSON ({error}); mend it") from error
    if not isinstance(row, dict):
        raise InvalidDataset(f"{path}: row {number} is no JSON object; write {{…}}")
    return row
