"""Question files, `.jsonl` or `.csv`, row by row; a bad row says so and stops nothing."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from app.core.errors import InvalidQuestion
from app.core.timespan import TimeSpan

IDS = ("query_id", "_id", "id")
TEXTS = ("question", "text")
_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a question file; `number` counts lines (a CSV's header apart) from 1.

    `problem` says why the row cannot be asked, empty when it can.
    """

    number: int
    query_id: str
    text: str = ""
    as_of: date | None = None
    asked_on: date | None = None
    problem: str = ""


def read_rows(path: Path) -> list[Row]:
    """Return the rows in order; of rows with the same id all but the first have a problem.

    Raises:
        InvalidQuestion: the file is of another type, is empty, or has no column for the question.
    """
    if path.suffix.lower() not in (*_LINES, ".csv"):
        raise InvalidQuestion(f"{path}: questions are read from .jsonl or .csv; convert the file")
    raw = _json_rows(path) if path.suffix.lower() in _LINES else _csv_rows(path)
    rows: list[Row] = []
    first: dict[str, int] = {}
    for number, content in raw:
        row = _row(number, content)
        seen = first.setdefault(row.query_id, number)
        if seen != number and not row.problem:
            row = replace(row, problem=f"row {number}: the id '{row.query_id}' is that of row {seen}; give it another")
        rows.append(row)
    if not rows:
        raise InvalidQuestion(f'{path}: holds no question; write one a line, as in {{"question": "…"}}')
    return rows


def _json_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    """Yield line numbers with the object there, or with what is wrong with the line."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if not text.strip():
                continue
            try:
                content = json.loads(text)
            except (ValueError, RecursionError) as error:
                yield number, f"is not JSON ({error}); mend the line"
                continue
            yield number, content if isinstance(content, dict) else "is not a JSON object; write {…}"


def _csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    """Yield row numbers with the cells by column name, or with what is wrong with the row."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        reader = csv.DictReader(stream)
        columns = list(reader.fieldnames or ())
        if columns and not set(columns) & set(TEXTS):
            raise InvalidQuestion(f"{path}: no column 'question' or 'text' among {columns}; name one so")
        number = 0
        while True:
            number += 1
            try:
                yield number, {key: value for key, value in next(reader).items() if key is not None and value}
            except StopIteration:
                return
            except csv.Error as error:
                yield number, f"is not CSV ({error}); mend the row"


def _row(number: int, content: Mapping[str, Any] | str) -> Row:
    """Return a row, checked as far as that is possible without settings."""
    if isinstance(content, str):
        return Row(number=number, query_id=str(number), problem=f"row {number}: {content}")
    given = next((content[key] for key in IDS if content.get(key) not in (None, "")), number)
    query_id = str(given) if isinstance(given, str | int) else str(number)
    text = next((content[key] for key in TEXTS if content.get(key) is not None), None)
    row = Row(number=number, query_id=query_id, text=text.strip() if isinstance(text, str) else "")
    if flaw := _flaw(given, text):
        return replace(
            row,
            query_id=_encodable(query_id),
            text=_encodable(row.text),
            problem=f"row {number}: {flaw}",
        )
    try:
        return replace(row, as_of=_day(content.get("as_of")), asked_on=_day(content.get("asked_on")))
    except ValueError as error:
        return replace(row, problem=f"row {number}: {error}; mend the row")


def _flaw(given: object, text: object) -> str:
    """Return what is wrong with an id and a question, or nothing."""
    if not isinstance(given, str | int):
        return "its id is neither text nor a number; mend the row"
    if not isinstance(text, str):
        return "it has no 'question' or 'text'; add one"
    if _encodable(f"{given}{text}") != f"{given}{text}":
        return "it is not UTF-8; save the file as UTF-8"
    return ""


def _day(value: object) -> date | None:
    """Return the last day of `2019`, `2019-03` or `2019-03-05`, None for nothing."""
    if value in (None, ""):
        return None
    try:
        return TimeSpan.parse(str(value)).end
    except ValueError as error:
        raise ValueError(f"the date '{value}' cannot be read: {error}") from error


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()
