"""Where the command line writes: results on stdout, everything else on stderr.

Titles, quotes and messages may come from anybody's document: they are shown as text, never as markup or as commands to
the terminal.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PIPE_WIDTH = 100

# control characters, those that turn the direction of writing, and halves of characters
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    """Return the text with everything that could command a terminal spelled out: an escape becomes four characters."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """Return safe text without line breaks."""
    return plain(" ".join(text.split()))


def to_json(value: Any) -> str:
    """Return one line of JSON for records and plain values, safe to show on a terminal."""
    from pydantic_core import to_jsonable_python

    text = json.dumps(to_jsonable_python(value, by_alias=True), ensure_ascii=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Screen:
    """The two streams of one command."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self.quiet = quiet
        self.verbose = verbose

    @cached_property
    def out(self) -> "Console":
        """The console on stdout."""
        return _console(stderr=False)

    @cached_property
    def err(self) -> "Console":
        """The console on stderr."""
        return _console(stderr=True)

    @property
    def is_live(self) -> bool:
        """Whether somebody watches stderr and wants to."""
        return sys.stderr.isatty() and not self.quiet

    def show(self, *parts: "RenderableType") -> None:
        """Write renderables to stdout; in a pipe without the spaces that fill lines."""
        if self.out.is_terminal:
            self.out.print(*parts, sep="\n")
            return
        with self.out.capture() as captured:
            self.out.print(*parts, sep="\n")
        self._write("\n".join(line.rstrip() for line in captured.get().rstrip().splitlines()))

    def line(self, text: str) -> None:
        """Write one line of result."""
        self._write(plain(text.replace("\n", " ")))

    def text(self, text: str) -> None:
        """Write several lines of result as they are."""
        self._write(plain(text))

    def json(self, value: Any) -> None:
        """Write one JSON object on one line."""
        self._write(to_json(value))

    def json_lines(self, values: Iterable[Any]) -> None:
        """Write one JSON object a line."""
        for value in values:
            self.json(value)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write a table: aligned on a terminal, tab-separated in a pipe."""
        cells = [[one_line("" if cell is None else str(cell)) for cell in row] for row in rows]
        if not self.out.is_terminal:
            for row in [list(columns), *cells]:
                self._write("\t".join(row))
            return
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in cells:
            table.add_row(*(Text(cell) for cell in row))
        self.show(table)

    def note(self, text: str) -> None:
        """Write a line about the work to stderr, unless quiet."""
        if not self.quiet:
            self._tell(one_line(text))

    def detail(self, text: str) -> None:
        """Write a line that only --verbose wants to stderr."""
        if self.verbose:
            self._tell(one_line(text))

    def error(self, message: str) -> None:
        """Write the one line that says what went wrong."""
        self._tell(f"gnomon: {one_line(message)}")

    def _write(self, line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def _tell(self, line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def _console(*, stderr: bool) -> "Console":
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else PIPE_WIDTH
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, width=width)
