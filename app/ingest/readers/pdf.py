"""PDF: the text layer, lines joined into paragraphs, a mark for each page."""

import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from app.core.errors import UnreadableDocument
from app.ingest.dates import published_or_warning
from app.ingest.readers._common import TextBuilder, clean, one_line, title_of
from app.ingest.records import ReadDocument
from app.ingest.sniff import check_pdf

_LOCK = threading.Lock()  # PDFium is not safe to call from two threads
_NO_TITLES = frozenset({"", "untitled", "(anonymous)", "unspecified", "title"})
_HYPHEN = re.compile(r"[-\u00ad\u2010\x02\ufffe]\s*$")  # PDFium writes some of these for a hyphen at a line's end
_SENTENCE_END = re.compile(r"[.!?:;\"')\]\u201d\u2019]$")
_LIST_ITEM = re.compile(r"(?:[-*\u2022\u2013\u25cf]|\(?(?:\d{1,3}[.)]|[a-z]\)))\s")
_FULL_LINE = 0.75  # a line narrower than this part of the widest may end a paragraph
_WIDE_GAP = 1.3  # times the usual step from line to line
_MANY_PAGES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line with the height of its foot above the page's, in points."""

    text: str
    foot: float


def read(path: Path) -> Iterator[ReadDocument]:
    """Yield the file as one document; its date is the one that its metadata name as creation date."""
    check_pdf(path)
    pages, properties = _extract(path)
    builder = _build(_without_running_lines(pages))
    if not builder.text:
        raise UnreadableDocument(f"has {len(pages)} pages but no text layer; recognise its text (OCR) first")
    title = one_line(properties.get("Title", ""))
    published, warnings = published_or_warning(properties.get("CreationDate"))
    yield ReadDocument(
        title=title_of(path) if title.casefold() in _NO_TITLES else title,
        text=builder.text,
        published=published,
        pages=tuple(builder.pages),
        warnings=warnings,
    )


def _extract(path: Path) -> tuple[list[list[_Line]], dict[str, str]]:
    import pypdfium2  # 0.1 s that only PDFs need

    with _LOCK:
        try:
            with closing(pypdfium2.PdfDocument(path)) as document:
                pages = [_page_lines(document, number) for number in range(len(document))]
                return pages, document.get_metadata_dict()
        except pypdfium2.PdfiumError as error:
            if "password" in str(error).casefold():
                raise UnreadableDocument("is encrypted; save it without a password") from error
            raise UnreadableDocument(f"is broken ({str(error).rstrip('.')}); export it anew") from error


def _page_lines(document: Any, number: int) -> list[_Line]:
    with closing(document[number]) as page, closing(page.get_textpage()) as text:
        last = text.count_chars() - 1
        lines, index = [], 0
        for raw in text.get_text_range().split("\n") if last >= 0 else ():
            shown = " ".join(clean(_HYPHEN.sub("-", raw.rstrip("\r"))).split())
            if shown:
                first = index + len(raw) - len(raw.lstrip())
                lines.append(_Line(text=shown, foot=text.get_charbox(min(first, last), loose=True)[1]))
            index += len(raw) + 1
        return lines


def _without_running_lines(pages: Sequence[list[_Line]]) -> list[list[_Line]]:
    """Return the pages without the first and last lines that most of them share, page numbers aside."""
    if len(pages) < _MANY_PAGES:
        return list(pages)
    masked = Counter(key for page in pages for key in {_mask(line) for line in (page[:1] + page[-1:])})
    running = {key for key, count in masked.items() if count > len(pages) / 2}
    kept = []
    for page in pages:
        start = 1 if page and _mask(page[0]) in running else 0
        end = len(page) - 1 if page[start:] and _mask(page[-1]) in running else len(page)
        kept.append(page[start:end])
    return kept


def _mask(line: _Line) -> str:
    return re.sub(r"\d+", "0", line.text)


def _build(pages: Sequence[list[_Line]]) -> TextBuilder:
    builder = TextBuilder()
    unfinished = False
    for number, lines in enumerate(pages, start=1):
        paragraphs = _paragraphs(lines)
        continued = unfinished and bool(paragraphs) and paragraphs[0][:1].islower()
        builder.page(number, joint=" " if continued else "\n\n")
        for place, paragraph in enumerate(paragraphs):
            builder.add(paragraph, joint=" " if continued and place == 0 else "\n\n")
        if paragraphs:
            unfinished = not _SENTENCE_END.search(paragraphs[-1])
    return builder


def _paragraphs(lines: Sequence[_Line]) -> list[str]:
    """Return lines joined; a paragraph ends before a wide gap, a list item, or after a short line."""
    widest = max((len(line.text) for line in lines), default=0)
    steps = sorted(gap for before, line in pairwise(lines) if (gap := before.foot - line.foot) > 0)
    step = steps[len(steps) // 4] if steps else 0.0
    found = [line.text for line in lines[:1]]
    for before, line in pairwise(lines):
        wide = before.foot - line.foot > _WIDE_GAP * step > 0
        if wide or _LIST_ITEM.match(line.text) or _ends_short(before.text, line.text, widest=widest):
            found.append(line.text)
        elif found[-1].endswith("-") and line.text[:1].islower():
            found[-1] = found[-1][:-1] + line.text
        else:
            found[-1] += f" {line.text}"
    return found


def _ends_short(before: str, line: str, *, widest: int) -> bool:
    return len(before) < _FULL_LINE * widest and not line[:1].islower()
