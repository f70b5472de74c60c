"""Word documents: paragraphs, list items and table rows in order, headings as sections; hidden text stays out."""

import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.core.errors import UnreadableDocument
from app.core.timespan import TimeSpan
from app.ingest.readers._common import TextBuilder, clean, one_line, title_of
from app.ingest.records import ReadDocument
from app.ingest.sniff import check_zip

_MAX_RATIO = 100  # XML packs about 10 to 1; a bomb 1,000 to 1
_SMALL = 20_000_000  # bytes that any archive may unpack to
_MAX_UNPACKED = 500_000_000
_TEMPLATE_CREATED = datetime(2013, 12, 23, 23, 15, tzinfo=UTC)  # of python-docx's template, in every file made from it


def read(path: Path) -> Iterator[ReadDocument]:
    """Yield the file as one document; title and date are its core properties."""
    check_zip(path)
    _check_archive(path)
    document = _open(path)
    builder = TextBuilder()
    styles = {style.style_id: style.name or "" for style in document.styles}  # block.style costs 4 ms a paragraph
    for block in document.iter_inner_content():
        _add(builder, block, styles)
    if not builder.text:
        raise UnreadableDocument("holds no text; remove it or fill it")
    properties = document.core_properties
    first = builder.sections[0].name if builder.sections else title_of(path)
    created = None if properties.created == _TEMPLATE_CREATED else properties.created
    yield ReadDocument(
        title=one_line(properties.title or "") or first,
        text=builder.text,
        published=TimeSpan(start=created.date(), end=created.date()) if created else None,
        sections=tuple(builder.sections),
    )


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as error:
        raise UnreadableDocument("is broken; save it anew") from error
    unpacked = sum(member.file_size for member in members)
    packed = max(1, sum(member.compress_size for member in members))
    if unpacked > _MAX_UNPACKED or (unpacked > _SMALL and unpacked > _MAX_RATIO * packed):
        raise UnreadableDocument(f"would unpack to {unpacked / 1e6:.0f} MB, as a zip bomb does; remove it")
    if not any(member.filename == "word/document.xml" for member in members):
        raise UnreadableDocument("is a ZIP archive, not a Word document; rename or remove it")


def _open(path: Path) -> Any:
    import docx  # 0.1 s that only Word documents need
    from docx.opc.exceptions import OpcError
    from lxml.etree import LxmlError

    try:
        return docx.Document(str(path))
    except (OpcError, LxmlError, KeyError, ValueError, zipfile.BadZipFile) as error:
        reason = one_line(str(error), longest=80).rstrip(".,")
        raise UnreadableDocument(f"is broken ({reason}); save it anew") from error


def _add(builder: TextBuilder, block: Any, styles: Mapping[str, str]) -> None:
    if hasattr(block, "rows"):
        for place, row in enumerate(block.rows):
            cells = {cell._tc: cell for cell in row.cells}  # a merged cell comes once per column
            texts = [" ".join(_visible(part) for part in cell.paragraphs) for cell in cells.values()]
            builder.add(" | ".join(" ".join(text.split()) for text in texts), joint="\n" if place else "\n\n")
        return
    text = _visible(block).strip()
    style = styles.get(block._p.style or "", "")
    if style.startswith("Heading") or style == "Title":
        builder.heading(text)
    elif style.startswith("List"):
        builder.add(f"- {text}" if text else "", joint="\n")
    else:
        builder.add(text)


def _visible(paragraph: Any) -> str:
    runs = [run for part in paragraph.iter_inner_content() for run in getattr(part, "runs", [part])]
    return clean("".join(run.text for run in runs if not run.font.hidden))
