"""Plain text: paragraphs are apart by blank lines, lines broken for width are joined."""

import re
from collections.abc import Iterator
from pathlib import Path

from app.ingest.readers._common import TextBuilder, read_text, title_of, unwrap
from app.ingest.records import ReadDocument
from app.ingest.sniff import check_text


def read(path: Path) -> Iterator[ReadDocument]:
    """Yield the file as one document, titled by its name, its date unknown."""
    check_text(path)
    builder = TextBuilder()
    for paragraph in re.split(r"\n\s*\n", read_text(path).strip()):
        builder.add(unwrap([line.strip() for line in paragraph.split("\n")]))
    yield ReadDocument(title=title_of(path), text=builder.text)
