import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.screen import Screen, one_line, plain, to_json

UNSAFE = [*(chr(n) for n in (*range(9), *range(11, 32), *range(127, 160))), "\u202e", "\u2066", "\ud800"]


@pytest.mark.parametrize("character", UNSAFE)
def test_what_could_command_a_terminal_is_spelled_out(character: str) -> None:
    assert character not in plain(f"a{character}b")
    assert character not in to_json({"a": character})


def test_an_escape_sequence_can_be_read_as_text() -> None:
    assert plain("\x1b[2Jgone") == "\\x1b[2Jgone"


@given(st.text())
def test_json_comes_back_as_it_went_in(text: str) -> None:
    assert json.loads(to_json({"text": text})) == {"text": text}


@given(st.text())
def test_a_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


def test_rich_markup_is_text(capfd: pytest.CaptureFixture[str]) -> None:
    from rich.text import Text

    Screen().show(Text("[bold]x[/bold] [link=http://evil.invalid]y[/link] :smile:"))
    assert capfd.readouterr().out == "[bold]x[/bold] [link=http://evil.invalid]y[/link] :smile:\n"


def test_a_table_in_a_pipe_is_tab_separated(capfd: pytest.CaptureFixture[str]) -> None:
    Screen().table(("a", "b"), [("1\t2", None), ("x\ny", 3)])
    assert capfd.readouterr().out == "a\tb\n1 2\t\nx y\t3\n"


def test_quiet_keeps_errors_and_drops_notes(capfd: pytest.CaptureFixture[str]) -> None:
    screen = Screen(quiet=True)
    screen.note("working")
    screen.error("broken\nin two lines")
    assert capfd.readouterr().err == "gnomon: broken in two lines\n"
