"""docs/cli.md tells every command and option there is, and none that is not."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from app.cli.main import app

PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")


def commands(group: Any, path: str = "gnomon") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


ROOT = typer.main.get_command(app)
COMMANDS = dict(commands(ROOT))
OPTIONS = {
    option
    for command in (ROOT, *COMMANDS.values())
    for parameter in command.params
    for option in (*parameter.opts, *parameter.secondary_opts)
    if option.startswith("-")
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_page(command: str) -> None:
    assert re.search(rf"`{command}[ `]", PAGE)


@pytest.mark.parametrize("option", sorted(OPTIONS))
def test_every_option_is_in_the_page(option: str) -> None:
    assert re.search(rf"`{option}[ `]", PAGE)


def test_the_page_names_no_command_that_is_not_there() -> None:
    named = re.findall(r"^\| `(gnomon [a-z -]+?)(?: [A-Z\[\"].*?)?`", PAGE, re.MULTILINE)
    assert set(named) == set(COMMANDS)


def test_the_page_names_no_option_that_is_not_there() -> None:
    named = set(re.findall(r"`(--?[a-z][a-z-]*)", PAGE))
    assert named - OPTIONS == {"--help"}


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "gnomon serve"])
def test_every_command_that_prints_has_json(command: str) -> None:
    assert any("--json" in parameter.opts for parameter in COMMANDS[command].params)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_has_its_help(command: str) -> None:
    assert COMMANDS[command].help
    assert all(getattr(parameter, "help", "") for parameter in COMMANDS[command].params)
