"""Tables, CSV and JSONL (BEIR's corpus.jsonl too): a row is a document; a bad row fails alone."""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from app.core.errors import UnreadableDocument
from app.ingest.dates import published_or_warning
from app.ingest.files import check_id
from app.ingest.readers._common import clean, encoding_of, one_line
from app.ingest.records import Failure, ReadDocument
from app.ingest.sniff import check_text

ID_COLUMNS = ("_id", "id", "doc_id")
TEXT_COLUMNS = ("text", "content", "body", "passage")
DATE_COLUMNS = ("date", "published", "published_at")
_KNOWN = frozenset({*ID_COLUMNS, *TEXT_COLUMNS, *DATE_COLUMNS, "title", "superseded_by"})
_UNDECODED = re.compile(r"[\udc80-\udcff]")
_LONGEST_ROW = 100_000_000  # characters of a line of JSONL or a field of CSV that are held in memory at once

Row = Mapping[str, Any]


def read(path: Path) -> Iterator[ReadDocument | Failure]:
    """Yield a document or a failure per row; `row` counts lines of JSONL, and rows of CSV as a spreadsheet does."""
    check_text(path)
    rows = _json_rows(path) if path.suffix.lower() == ".jsonl" else _csv_rows(path)
    first_with: dict[str, int] = {}
    for number, row in rows:
        try:
            document = _document(row, number, unnamed=f"{path.name}:{number}")
            _check_first(document, first_with)
        except UnreadableDocument as error:
            yield Failure(where=f"row {number}", why=str(error))
        else:
            yield document
    if not first_with:
        raise UnreadableDocument("holds no readable row; check its first rows")


def _check_first(document: ReadDocument, first_with: dict[str, int]) -> None:
    first = first_with.setdefault(document.key, document.row)
    if first != document.row:
        raise UnreadableDocument(f"has the id '{document.key}' of row {first}; give it another")


def _document(row: Row | UnreadableDocument, number: int, *, unnamed: str) -> ReadDocument:
    if isinstance(row, UnreadableDocument):
        raise row
    if row.keys().isdisjoint(TEXT_COLUMNS):
        raise UnreadableDocument(f"has none of {', '.join(TEXT_COLUMNS)}; name its text one of them")
    text = clean(_cell(row, TEXT_COLUMNS))
    if not text.strip():
        raise UnreadableDocument("has no text; fill it or remove the row")
    key = _cell(row, ID_COLUMNS) or unnamed
    check_id(key)
    published, warnings = published_or_warning(_cell(row, DATE_COLUMNS))
    return ReadDocument(
        key=key,
        row=number,
        title=one_line(_cell(row, ("title",))),
        text=text,
        published=published,
        superseded_by=one_line(_cell(row, ("superseded_by",))) or None,
        metadata=_metadata(row),
        warnings=warnings,
    )


def _cell(row: Row, columns: tuple[str, ...]) -> str:
    value = next((row[name] for name in columns if row.get(name) not in (None, "")), "")
    if not isinstance(value, str | int | float):
        raise UnreadableDocument(
            f"'{next(name for name in columns if name in row)}' is neither text nor a number; mend the row"
        )
    return str(value)


def _metadata(row: Row) -> dict[str, str]:
    return {
        clean(str(name)): clean(str(value))
        for name, value in row.items()
        if name not in _KNOWN and isinstance(value, str | int | float) and value != ""
    }


def _json_rows(path: Path) -> Iterator[tuple[int, Row | UnreadableDocument]]:
    with path.open(encoding=encoding_of(path), errors="surrogateescape", newline="\n") as lines:
        for number, line in enumerate(iter(lambda: lines.readline(_LONGEST_ROW), ""), start=1):
            if len(line) == _LONGEST_ROW and not line.endswith("\n"):
                _skip_line(lines)
                yield number, UnreadableDocument(f"has more than {_LONGEST_ROW // 10**6} MB; split it")
            elif line.strip():
                yield number, _json_row(line)


def _skip_line(lines: TextIO) -> None:
    while (rest := lines.readline(_LONGEST_ROW)) and not rest.endswith("\n"):
        pass


def _json_row(line: str) -> Row | UnreadableDocument:
    if _UNDECODED.search(line):
        return UnreadableDocument("is not UTF-8; save the file as UTF-8")
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, json.JSONDecodeError) else "too deep or too large a value"
        return UnreadableDocument(f"is not JSON ({reason}); mend the row")
    return row if isinstance(row, dict) else UnreadableDocument("is not a JSON object; write one object a line")


def _csv_rows(path: Path) -> Iterator[tuple[int, Row | UnreadableDocument]]:
    csv.field_size_limit(_LONGEST_ROW)
    with path.open(encoding=encoding_of(path), errors="surrogateescape", newline="") as lines:
        header = lines.readline()
        lines.seek(0)
        reader = csv.reader(lines, delimiter=_delimiter(header), strict=True)
        try:
            columns = [name.strip().lower() for name in next(reader, [])]
            _check_columns(columns)
            for number, cells in enumerate(reader, start=2):
                if any(cells):
                    yield number, _csv_row(columns, cells)
        except csv.Error as error:
            raise UnreadableDocument(f"line {reader.line_num}: {error}; mend the quotes there") from error


def _csv_row(columns: list[str], cells: list[str]) -> Row | UnreadableDocument:
    if len(cells) > len(columns):
        return UnreadableDocument(
            f"has {len(cells)} cells, the header {len(columns)}; quote cells that hold the separator"
        )
    if any(_UNDECODED.search(cell) for cell in cells):
        return UnreadableDocument("is not UTF-8; save the file as UTF-8")
    return dict(zip(columns, cells, strict=False))


def _delimiter(header: str) -> str:
    return max(",;\t|", key=header.count)


def _check_columns(columns: list[str]) -> None:
    if not set(TEXT_COLUMNS) & set(columns):
        found = ", ".join(f"'{one_line(name, longest=40)}'" for name in columns[:20]) or "none"
        wanted = ", ".join(TEXT_COLUMNS)
        raise UnreadableDocument(f"has no text column (its columns: {found}); name one of them {wanted}")
