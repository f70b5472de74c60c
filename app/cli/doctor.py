"""`gnomon doctor`: what works, what does not, and the command that mends it."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from app.cli.config import check_components
from app.cli.context import Cli, JsonOption
from app.cli.index import index_problem
from app.cli.models import used_models
from app.core.errors import AppError

if TYPE_CHECKING:
    from app.core.settings import Settings
    from app.engine import Engine

State = Literal["ok", "warning", "broken"]

LOW_DISK, FULL_DISK = 2_000_000_000, 200_000_000
OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One look at the installation; `fix` is the next command or step, empty when nothing is wrong."""

    name: str
    state: State
    finding: str
    fix: str = ""


def doctor(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Check the installation; exit 1 when something is broken."""
    cli = Cli.of(context)
    checks: list[Check] = []
    for check in _checks(cli):
        checks.append(check)
        if not as_json:
            cli.screen.line(f"{check.state:<8} {check.name}: {check.finding}")
            if check.fix:
                cli.screen.line(f"{'':<8} -> {check.fix}")
    is_broken = any(check.state == "broken" for check in checks)
    if as_json:
        cli.screen.json({"ok": not is_broken, "checks": checks})
    raise typer.Exit(1 if is_broken else 0)


def _checks(cli: Cli) -> Iterator[Check]:
    yield _python()
    try:
        settings = cli.settings()
        check_components(settings)
    except AppError as error:
        yield Check(name="settings", state="broken", finding=str(error), fix="mend it, then 'gnomon config validate'")
        return
    yield Check(name="settings", state="ok", finding=str(cli.settings_file or f"preset {cli.preset}"))
    yield _disk(settings)
    yield _writable(settings)
    for name in used_models(settings):
        yield _model(settings, name)
    yield from _data(cli, settings)


def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < OLDEST_PYTHON:
        return Check(name="python", state="broken", finding=version, fix="install Python 3.11 or newer")
    return Check(name="python", state="ok", finding=version)


def _disk(settings: "Settings") -> Check:
    place = _existing(settings.data_dir)
    free = shutil.disk_usage(place).free
    finding = f"{free / 1e9:.1f} GB free in {place}"
    if free < FULL_DISK:
        return Check(name="disk", state="broken", finding=finding, fix="free some space, or choose another --data-dir")
    if free < LOW_DISK:
        return Check(name="disk", state="warning", finding=finding, fix="the models and indexes may not fit")
    return Check(name="disk", state="ok", finding=finding)


def _writable(settings: "Settings") -> Check:
    place = _existing(settings.data_dir)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        fix = f"choose another --data-dir, or make {place} a folder that you can write"
        return Check(name="data folder", state="broken", finding=f"{place} cannot be written", fix=fix)
    return Check(name="data folder", state="ok", finding=str(settings.data_dir))


def _model(settings: "Settings", name: str) -> Check:
    from app.models import catalog

    def look() -> str:
        return f"verified, {catalog.resolve(name, settings.models_dir)}"

    return _looked(f"model {name}", look, fix=f"gnomon models pull {name}")


def _data(cli: Cli, settings: "Settings") -> Iterator[Check]:
    """Yield the database, and each collection with its indexes and documents."""
    from app.store.collections import Collections

    if not (settings.data_dir / "gnomon.db").exists():
        fix = "gnomon init, then gnomon ingest FOLDER"
        yield Check(name="database", state="warning", finding="there is none yet", fix=fix)
        return
    try:
        engine = cli.open_engine(settings)
    except AppError as error:
        yield Check(name="database", state="broken", finding=str(error), fix="see the line above")
        return
    try:
        rows = Collections(engine.database).list()
        fix = "" if rows else "gnomon ingest FOLDER"
        finding = f"{engine.database.path}, collections: {len(rows)}"
        yield Check(name="database", state="ok" if rows else "warning", finding=finding, fix=fix)
        for row in rows:
            yield _indexes(engine, row.collection_id)
            yield _documents(engine, row.collection_id)
    finally:
        engine.close()


def _indexes(engine: "Engine", collection: str) -> Check:
    def look() -> str:
        if problem := index_problem(engine, collection):
            raise AppError(problem)
        return "the ids of the database"

    return _looked(f"indexes of {collection}", look, fix=f"gnomon index rebuild -c {collection}")


def _documents(engine: "Engine", collection: str) -> Check:
    from app.store.documents import Documents

    rows = Documents(engine.database, collection).list()
    count = {state: sum(row.state == state for row in rows) for state in ("ready", "embedding", "failed")}
    finding = ", ".join(f"{number} {state}" for state, number in count.items() if number) or "none"
    name = f"documents of {collection}"
    if count["embedding"]:
        return Check(name=name, state="warning", finding=finding, fix="an ingest was cut off: run the same one again")
    if not rows:
        return Check(name=name, state="warning", finding=finding, fix=f"gnomon ingest FOLDER -c {collection}")
    if count["failed"]:
        fix = f"gnomon docs list -c {collection} --state failed"
        return Check(name=name, state="warning", finding=finding, fix=fix)
    return Check(name=name, state="ok", finding=finding)


def _looked(name: str, look: Callable[[], str], *, fix: str) -> Check:
    try:
        return Check(name=name, state="ok", finding=look())
    except (AppError, OSError) as error:
        return Check(name=name, state="broken", finding=str(error), fix=fix)


def _existing(path: Path) -> Path:
    """Return the nearest folder or file on the way to a path that is there."""
    return next((place for place in (path, *path.absolute().parents) if place.exists()), Path(path.anchor or "."))
