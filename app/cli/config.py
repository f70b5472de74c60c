"""`gnomon config`: the settings in force, where they come from, and whether they can be used."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.context import Cli, JsonOption

if TYPE_CHECKING:
    from app.core.settings import Settings

app = typer.Typer(name="config", help="Show, locate and check the settings.", no_args_is_help=True)


@app.command("show")
def show_settings(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Print the settings in force as YAML, secrets masked."""
    import yaml

    cli = Cli.of(context)
    content: dict[str, Any] = cli.settings().model_dump(mode="json")
    if as_json:
        cli.screen.json(content)
    else:
        cli.screen.text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True).rstrip())


@app.command("path")
def settings_path(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Print the settings file in use; exit 1 when there is none."""
    cli = Cli.of(context)
    file = cli.settings_file
    if as_json:
        cli.screen.json({"path": file, "written_by_init": cli.own_settings_file})
    elif file:
        cli.screen.line(str(file))
    else:
        cli.screen.note(f"no settings file in use; 'gnomon init' writes {cli.own_settings_file}")
    raise typer.Exit(0 if file else 1)


@app.command("validate")
def validate_settings(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="Another file than the one in use.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check every key and value, the components' options too."""
    from dataclasses import replace

    cli = Cli.of(context)
    settings = (replace(cli, config=file) if file else cli).settings()
    checked = check_components(settings)
    if as_json:
        cli.screen.json({"valid": True, "file": file or cli.settings_file, "digest": settings.digest()})
    else:
        cli.screen.line(f"valid: {', '.join(checked)}")


def check_components(settings: "Settings") -> list[str]:
    """Return the components that the settings name, each with options it accepts.

    Raises:
        ConfigError: one of them does not exist or refuses an option.
    """
    from app.core import registry

    named = [
        ("app.models", settings.models.generator),
        ("app.models", settings.models.embedder),
        *([("app.models", settings.models.scorer)] if settings.models.scorer else []),
        *(("indexes", component) for component in settings.indexes.by_kind.values()),
        ("rerankers", settings.search.reranker),
    ]
    for package, component in named:
        registry.options_of(package, component.name, component.options)
    return [f"{package}.{component.name}" for package, component in named]
