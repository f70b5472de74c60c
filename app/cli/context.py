"""What the global options say, handed to every command."""

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.screen import Screen

if TYPE_CHECKING:
    from app.core.settings import Settings
    from app.engine import Engine

SETTINGS_FILE = "gnomon.yaml"

CollectionOption = Annotated[str, typer.Option("--collection", "-c", help="Collection to use.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON: one object, or one a line.")]


def open_engine(settings: "Settings") -> "Engine":
    """Return the engine that the settings name; models are loaded when they are first needed."""
    from app.engine import Engine

    return Engine.open(settings)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cli:
    """The global options of one call of `gnomon`; `overrides` is the nested mapping of --set and its shorthands."""

    screen: Screen = dataclasses.field(default_factory=Screen)
    config: Path | None = None
    preset: str = "default"
    overrides: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    open_engine: Callable[["Settings"], "Engine"] = open_engine

    @classmethod
    def of(cls, context: typer.Context) -> "Cli":
        """Return what the root command left for its subcommands."""
        found = context.find_object(cls)
        return found if found is not None else cls()

    @property
    def settings_file(self) -> Path | None:
        """The settings file in use: --config, GNOMON_CONFIG, or gnomon.yaml in the data folder if it is there."""
        if self.config is not None:
            return self.config
        if named := os.environ.get("GNOMON_CONFIG"):
            return Path(named)
        own = self.own_settings_file
        return own if own.is_file() else None

    @property
    def own_settings_file(self) -> Path:
        """Where `gnomon init` writes the sample settings."""
        from app.core.settings import load_settings

        found = load_settings(preset=self.preset, overrides=_only(self.overrides, "data_dir"))
        return found.data_dir / SETTINGS_FILE

    def settings(self, **more: Any) -> "Settings":
        """Return the settings in force; `more` are sections that a command's own options set.

        Raises:
            ConfigError: a file, key or value is wrong.
        """
        from app.core.offline import refuse_remote_sockets
        from app.core.settings import load_settings

        overrides = nested_update(self.overrides, given(more))
        settings = load_settings(preset=self.preset, file=self.settings_file, overrides=overrides)
        if settings.offline:
            refuse_remote_sockets()
        return settings

    @contextmanager
    def engine(self, **more: Any) -> Iterator["Engine"]:
        """Yield an engine over the settings in force, closed at the end."""
        engine = self.open_engine(self.settings(**more))
        try:
            yield engine
        finally:
            engine.close()


def nested_update(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """Return `low` with the leaves of `high` put in, None too: a setting may be null."""
    merged = dict(low)
    for key, value in high.items():
        old = merged.get(key)
        if isinstance(value, Mapping):
            merged[key] = nested_update(old if isinstance(old, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a command's own options without those that were not given, which are None."""
    return {
        key: given(value) if isinstance(value, Mapping) else value
        for key, value in options.items()
        if value is not None
    }


def assignment(text: str) -> dict[str, Any]:
    """Return `a.b=value` as `{"a": {"b": value}}`, the value read as YAML.

    Raises:
        typer.BadParameter: it has another form.
    """
    import yaml

    path, equals, written = text.partition("=")
    if not equals or not all(path.split(".")):
        raise typer.BadParameter(f"'{text}': write key.path=value, as in search.top_k=5")
    try:
        leaf = yaml.safe_load(written) if written else written
    except yaml.YAMLError as error:
        raise typer.BadParameter(f"'{text}': the value is not YAML") from error
    *parents, last = path.split(".")
    nested: dict[str, Any] = {last: leaf}
    for part in reversed(parents):
        nested = {part: nested}
    return nested


def _only(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {key: mapping[key]} if key in mapping else {}
