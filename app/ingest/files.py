"""Which files a run reads: what was named, and folders walked in sorted order."""

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from app.core.errors import UnreadableDocument
from app.core.types import DocId
from app.ingest.readers import READERS

MAX_ID = 200
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NO_TEXT = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file to read; `name` is its path below the folder that was named, `uri` its absolute path.

    In both, bytes that are no UTF-8 are percent-encoded, in the name control characters too.
    """

    path: Path
    name: str
    uri: str
    size: int

    @property
    def doc_id(self) -> DocId:
        """The id that its document should have: the name, cut to 200 characters."""
        if len(self.name) <= MAX_ID:
            return DocId(self.name)
        return DocId(f"{self.name[-(MAX_ID - 7) :]}~{hashlib.sha256(self.name.encode()).hexdigest()[:6]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The files of a run, and how many files of other types were passed over."""

    files: tuple[SourceFile, ...]
    skipped: int


def check_id(key: str) -> None:
    """Return if a row's id can name a document; `@` and `#` may be in it, for passage ids are read from the right.

    Raises:
        UnreadableDocument: it is empty, too long, or holds control characters.
    """
    if not key.strip():
        raise UnreadableDocument("has an empty id; give it one")
    if len(key) > MAX_ID:
        raise UnreadableDocument(f"has an id of {len(key)} characters; shorten it to {MAX_ID}")
    if _CONTROLS.search(key):
        raise UnreadableDocument("has an id with control characters; take them out")


def find_files(paths: Sequence[Path]) -> Found:
    """Return the files of all paths, each once; in folders, hidden files and links to folders are left out.

    A folder that cannot be opened is among them, since reading it will say why.
    """
    files: dict[str, SourceFile] = {}
    skipped = 0
    for path in paths:
        for candidate, name in _candidates(path):
            if candidate != path and candidate.suffix.lower() not in READERS and not candidate.is_dir():
                skipped += 1
                continue
            uri = uri_of(candidate)
            shown = _CONTROLS.sub(_percent_encoded, name)
            files.setdefault(uri, SourceFile(path=candidate, name=shown, uri=uri, size=_size(candidate)))
    return Found(files=tuple(files.values()), skipped=skipped)


def check_readable(file: SourceFile, *, max_megabytes: int) -> None:
    """Return if a file can be read; tables may have any size, for they are read row by row.

    Raises:
        UnreadableDocument: it is of another type, absent, forbidden, no file, empty or too large.
    """
    kind = file.path.suffix.lower()
    try:
        state = file.path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableDocument(f"cannot be read: {reason}; check the path and its permissions") from error
    if stat.S_ISDIR(state.st_mode):
        raise UnreadableDocument("is a folder that cannot be opened; check its permissions")
    if kind not in READERS:
        known = " ".join(READERS)
        raise UnreadableDocument(f"cannot read files of type '{file.path.suffix}'; convert it to one of {known}")
    if not stat.S_ISREG(state.st_mode):
        raise UnreadableDocument("is not a regular file; name a file or a folder")
    if not state.st_size:
        raise UnreadableDocument("is empty; remove it or fill it")
    if READERS[kind] != "table" and state.st_size > max_megabytes * 1_000_000:
        size = state.st_size / 1_000_000
        raise UnreadableDocument(
            f"has {size:.1f} MB, more than {max_megabytes}; split it or raise GNOMON_INGEST__MAX_FILE_MB"
        )


def digest_of_file(file: SourceFile, *, recipe: str) -> str:
    """Return the SHA-256 of a file's bytes and of the recipe by which it is split."""
    with file.path.open("rb") as stream:
        content = hashlib.file_digest(stream, "sha256").hexdigest()
    return hashlib.sha256(f"{recipe} {content}".encode()).hexdigest()


def gone_from(folder: Path, sources: Iterable[str], *, found: Found) -> list[str]:
    """Return those sources below a folder that are no longer there."""
    present = {file.uri for file in found.files}
    below = f"{uri_of(folder).rstrip('/')}/"
    return [s for s in sources if s.startswith(below) and s not in present and not os.path.lexists(s)]


def uri_of(path: Path) -> str:
    """Return the name by which a file is known: its absolute path with forward slashes."""
    return _NO_TEXT.sub(_percent_encoded, Path(os.path.abspath(path)).as_posix())


def _candidates(path: Path) -> Iterator[tuple[Path, str]]:
    if not path.is_dir():
        yield path, path.name
        return
    closed: list[OSError] = []
    for folder, folders, names in os.walk(path, onerror=closed.append):
        folders[:] = sorted(_visible(folders))
        for name in sorted(_visible(names)):
            file = Path(folder, name)
            yield file, file.relative_to(path).as_posix()
    for error in closed:
        file = Path(error.filename)
        yield file, path.name if file == path else file.relative_to(path).as_posix()


def _percent_encoded(found: re.Match[str]) -> str:
    return quote(os.fsencode(found[0]))


def _visible(names: Iterable[str]) -> Iterator[str]:
    return (name for name in names if not name.startswith("."))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0
