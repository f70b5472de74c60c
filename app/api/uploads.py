"""Uploaded files on disk: their names are not trusted, and one is there whole or not at all."""

import json
import re
import unicodedata
import uuid
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from shutil import copyfileobj
from typing import BinaryIO

from app.api.problems import Refusal
from app.api.schemas import DocumentRequest
from app.core.errors import StorageError

MAX_NAME = 120
_SEPARATORS = re.compile(r"[/\\]")


def safe_name(filename: str) -> str:
    """Return the last part of a client's file name as a visible, plain name; `upload` when nothing is left."""
    last = _SEPARATORS.split(unicodedata.normalize("NFC", filename))[-1]
    visible = "".join(c for c in last if unicodedata.category(c)[0] != "C" and c not in ':*?"<>|')
    stem, dot, suffix = visible.strip().lstrip(".").rpartition(".")
    if not dot:
        stem, suffix = suffix, ""
    stem = stem.strip()[: MAX_NAME - len(suffix[:10]) - 1]
    return f"{stem or 'upload'}{dot}{suffix[:10]}"


def keep_files(folder: Path, uploads: Sequence[tuple[str, BinaryIO]]) -> list[Path]:
    """Return the paths of the uploaded files after all of them were written; a file of the same name is replaced.

    Raises:
        Refusal: two files have the same name, or one has none.
        StorageError: the disk refuses.
    """
    names = [safe_name(filename) for filename, _ in uploads]
    if twice := next((name for name in names if names.count(name) > 1), None):
        detail = f"two files are named '{twice}'; rename one"
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "duplicate_filename", detail)
    parts: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for _, source in uploads:
            parts.append(folder / f".{uuid.uuid4().hex}.part")
            with parts[-1].open("wb") as target:
                copyfileobj(source, target)
        return [part.replace(folder / name) for part, name in zip(parts, names, strict=True)]
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror}; free some space or choose another data_dir") from error
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def keep_text(folder: Path, document: DocumentRequest) -> Path:
    """Return the path of a document that was given as text: a file of one JSON row.

    Raises:
        StorageError: the disk refuses.
    """
    doc_id = document.doc_id or _slug(document.title) or uuid.uuid4().hex[:12]
    row = {"_id": doc_id, "title": document.title, "text": document.text, "published": document.published}
    content = json.dumps({key: value for key, value in row.items() if value}, ensure_ascii=False)
    part, path = folder / f".{uuid.uuid4().hex}.part", folder / f"{doc_id}.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_text(content + "\n", encoding="utf-8")
        return part.replace(path)
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror}; free some space or choose another data_dir") from error
    finally:
        part.unlink(missing_ok=True)


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", unicodedata.normalize("NFKD", title).lower()).strip("-")[:60].strip("-")
