"""`gnomon models`: the model files, from where they come to whether their bytes are right."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.context import Cli, JsonOption
from app.cli.interrupts import Cancelled, interruptibly
from app.cli.progress import meter

if TYPE_CHECKING:
    from app.core.settings import Settings

app = typer.Typer(name="models", help="List, pull and verify model files.", no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Argument(metavar="NAME", help="As 'models list' names them.")]


def used_models(settings: "Settings") -> list[str]:
    """Return the models of the catalogue that the settings name, the generator first."""
    from app.models import catalog

    known = {entry.name for entry in catalog.entries()}
    components = [c for c in (settings.models.generator, settings.models.embedder, settings.models.scorer) if c]
    named = (component.options.get("model") for component in components)
    return [name for name in named if name in known]


@app.command("list")
def list_models(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """List the models of the catalogue and which of them are here."""
    from app.models import catalog

    cli = Cli.of(context)
    settings = cli.settings()
    used = used_models(settings)
    rows: list[dict[str, Any]] = [
        {
            "name": entry.name,
            "role": entry.role,
            "size": entry.size,
            "licence": entry.licence,
            "is_present": all(entry.file_path(file, settings.models_dir).is_file() for file in entry.files),
            "is_used": entry.name in used,
            "path": entry.location(settings.models_dir),
        }
        for entry in catalog.entries()
    ]
    if as_json:
        cli.screen.json_lines(rows)
        return
    columns = ("model", "role", "MB", "licence", "here", "used")
    cli.screen.table(columns, [_cells(row) for row in rows])


@app.command("pull")
def pull_models(
    context: typer.Context,
    names: Names = None,
    *,
    local: Annotated[Path | None, typer.Option("--from", help="File or folder to take the bytes from.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch model files: those named, or those that the settings use; each is checked before it is used."""
    cli = Cli.of(context)
    settings = cli.settings()
    for name in names or used_models(settings):
        _tell(cli, name, _pulled(cli, settings, name, local), as_json=as_json)


@app.command("verify")
def verify_models(context: typer.Context, names: Names = None, *, as_json: JsonOption = False) -> None:
    """Hash every byte of model files: those named, or those that the settings use."""
    cli = Cli.of(context)
    settings = cli.settings()
    for name in names or used_models(settings):
        _tell(cli, name, _verified(settings, name), as_json=as_json)


def _pulled(cli: Cli, settings: "Settings", name: str, local: Path | None) -> Path:
    from app.models import catalog

    def work(_cancelled: Cancelled) -> Path:
        return catalog.pull(name, settings.models_dir, offline=settings.offline, local=local, progress=report)

    with meter(cli.screen, name, unit="bytes") as report:
        return interruptibly(work, message="interrupted; the same command goes on where it stopped")


def _verified(settings: "Settings", name: str) -> Path:
    from app.models import catalog

    return interruptibly(lambda cancelled: catalog.verify(name, settings.models_dir))


def _cells(row: Mapping[str, Any]) -> tuple[Any, ...]:
    marks = ("yes" if row[key] else "no" for key in ("is_present", "is_used"))
    return (row["name"], row["role"], row["size"] // 10**6, row["licence"], *marks)


def _tell(cli: Cli, name: str, path: Path, *, as_json: bool) -> None:
    if as_json:
        cli.screen.json({"name": name, "path": path, "verified": True})
    else:
        cli.screen.line(f"{name}: verified, {path}")
