"""`gnomon init`: the data folder, its database, and a settings file that explains every key."""

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from app.cli.context import Cli, JsonOption

if TYPE_CHECKING:
    from pydantic import BaseModel

    from app.core.settings import Settings

_HEAD = """\
# Settings of Gnomon. Every key stands here with its default, commented out; unknown keys are errors.
# A command-line flag wins over an environment variable (GNOMON_SEARCH__TOP_K=5),
# that over this file, and this file over the preset.
# 'gnomon config validate' checks it, 'gnomon config show' prints what is in force.
"""


def init(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Make data folder, database and settings file."""
    cli = Cli.of(context)
    file = cli.config or cli.own_settings_file
    if cli.config and not file.exists():  # it will be written, not read
        cli = dataclasses.replace(cli, config=None)
    with cli.engine() as engine:
        settings, database = engine.settings, engine.database.path
    written = not file.exists()
    if written:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f"{file.name}.tmp")
        partial.write_text(sample_settings(settings), encoding="utf-8")
        partial.replace(file)
    if as_json:
        cli.screen.json(
            {"data_dir": settings.data_dir, "database": database, "settings_file": file, "written": written}
        )
        return
    cli.screen.line(f"data folder    {settings.data_dir}")
    cli.screen.line(f"database       {database}")
    cli.screen.line(f"settings file  {file}{'' if written else ' (was there, left as it is)'}")
    cli.screen.note("next: 'gnomon models pull', then 'gnomon ingest FOLDER'")


def sample_settings(settings: "Settings") -> str:
    """Return a settings file of comments: each key with its description and its value in force."""
    return "\n".join([_HEAD, *_lines(settings, 0)]) + "\n"


def _lines(section: "BaseModel", depth: int) -> Iterator[str]:
    """Yield the lines of one section; a single `#` before each key, so that taking it away is enough."""
    import json

    from pydantic import BaseModel, SecretStr

    indent = "  " * depth
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if field.description:
            yield f"# {indent}# {field.description}"
        if isinstance(value, BaseModel):
            yield f"# {indent}{name}:"
            yield from _lines(value, depth + 1)
        else:
            shown = None if value is None or isinstance(value, SecretStr) else value
            plain = shown if isinstance(shown, int | float | str | dict | None) else str(shown)
            yield f"# {indent}{name}: {json.dumps(plain)}"
