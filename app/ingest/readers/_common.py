"""What readers share: bytes to clean text, lines to paragraphs, text with its marks."""

import codecs
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from app.core.errors import UnreadableDocument
from app.ingest.records import Mark

MAX_TITLE = 200
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_DROPPED = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_ENCODINGS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_LIST_ITEM = re.compile(r"\s*(?:[-*+\u2022\u2013\u00b7]|\(?(?:\d{1,3}[.)]|[a-z]\)))\s")
_WRAPPED = 40  # a line shorter than this was not broken for width


def encoding_of(path: Path) -> str:
    """Return the encoding that the byte order mark names, else UTF-8."""
    with path.open("rb") as file:
        head = file.read(4)
    return next((name for mark, name in _ENCODINGS.items() if head.startswith(mark)), "utf-8")


def read_text(path: Path) -> str:
    """Return a whole file as clean text.

    Raises:
        UnreadableDocument: it is not in its encoding, or has no text.
    """
    encoding = encoding_of(path)
    try:
        text = clean(path.read_bytes().decode(encoding))
    except UnicodeDecodeError as error:
        raise UnreadableDocument(
            f"byte {error.start} is not {encoding.removesuffix('-sig').upper()}; save the file as UTF-8"
        ) from error
    if not text.strip():
        raise UnreadableDocument("holds no text; remove it or fill it")
    return text


def clean(text: str) -> str:
    """Return text with plain newlines and without control characters, byte order marks and lone surrogates."""
    return _DROPPED.sub("", _BREAKS.sub("\n", text))


def one_line(text: str, *, longest: int = MAX_TITLE) -> str:
    """Return text on one line, cut at a word to at most `longest` characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= longest else line[:longest].rsplit(" ", 1)[0]


def title_of(path: Path) -> str:
    """Return a title made of a file's name."""
    return one_line(re.sub(r"[_\-]+", " ", path.stem)) or clean(path.name)


def unwrap(lines: Sequence[str]) -> str:
    """Return the lines of one paragraph, those that were broken for width joined by a space."""
    widest = max(len(line) for line in lines)
    joined = lines[0]
    for before, line in pairwise(lines):
        wrapped = len(before) >= max(_WRAPPED, 0.6 * widest) and not _LIST_ITEM.match(line)
        joined += (" " if wrapped else "\n") + line
    return joined


class TextBuilder:
    """A document's text in the making: paragraphs apart by a blank line, with marks for headings and pages."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.sections: list[Mark] = []
        self.pages: list[Mark] = []

    def add(self, paragraph: str, *, joint: str = "\n\n") -> None:
        """Append a paragraph; empty ones are left out."""
        paragraph = paragraph.strip()
        if not paragraph:
            return
        if self._parts:
            paragraph = joint + paragraph
        self._parts.append(paragraph)
        self._length += len(paragraph)

    def heading(self, text: str) -> None:
        """Append a heading, which opens a section."""
        name = one_line(text)
        start = self._next()
        self.add(name)
        if name:
            self.sections.append(Mark(start=start, end=self._length, name=name))

    def page(self, number: int, *, joint: str = "\n\n") -> None:
        """Mark that what follows is on that page, counted from 1; `joint` as the next paragraph will have it."""
        start = self._next(joint)
        self.pages.append(Mark(start=start, end=start, name=str(number)))

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._parts)

    def _next(self, joint: str = "\n\n") -> int:
        return self._length + len(joint) if self._parts else 0
