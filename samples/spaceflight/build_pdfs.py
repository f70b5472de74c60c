"""Builds the PDF documents of the sample collection from the texts in ``pdf_sources``.

Run it from any folder, with reportlab and PyYAML installed (``pip install -e '.[dev]'`` brings both)::

    python samples/spaceflight/build_pdfs.py

Every ``pdf_sources/NAME.md`` becomes ``documents/NAME.pdf``. The front matter gives the title, the date of the
document and the keeper of the record; a line of three hyphens in the text starts a new page. The output is the same
byte for byte on every run with one version of reportlab: its invariant mode is on, and the creation date is the
date of the document.
"""

import calendar
import os
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

import yaml
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate

HERE = Path(__file__).resolve().parent
TITLE = ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=20, leading=26, spaceAfter=16)
BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=12, leading=17, spaceAfter=10)


def read_source(path: Path) -> tuple[dict[str, str], list[list[str]]]:
    """Reads one source text.

    Args:
        path: The Markdown file with front matter.

    Returns:
        The front matter as text values, and the paragraphs of each page.
    """
    _, front, text = path.read_text(encoding="utf-8").split("---\n", 2)
    meta = {key: str(value) for key, value in yaml.safe_load(front).items()}
    pages = [[" ".join(part.split()) for part in page.split("\n\n") if part.strip()] for page in text.split("\n---\n")]
    return meta, pages


def build(source: Path, target: Path) -> None:
    """Writes one PDF.

    Args:
        source: The Markdown file with front matter.
        target: The PDF file to write.
    """
    meta, pages = read_source(source)
    day = date.fromisoformat(meta["published"])
    # reportlab takes the creation date of an invariant document from this variable
    os.environ["SOURCE_DATE_EPOCH"] = str(calendar.timegm(day.timetuple()))
    story: list[Flowable] = [Paragraph(escape(meta["title"]), TITLE)]
    for number, paragraphs in enumerate(pages):
        if number:
            story.append(PageBreak())
        story.extend(Paragraph(escape(paragraph), BODY) for paragraph in paragraphs)
    document = SimpleDocTemplate(
        str(target),
        pagesize=A4,
        leftMargin=25 * mm,
        rightMargin=25 * mm,
        topMargin=25 * mm,
        bottomMargin=25 * mm,
        title=meta["title"],
        author=meta["record"],
        subject="Sample document",
        creator="build_pdfs.py",
        invariant=1,
    )
    document.build(story)


def main() -> None:
    """Builds all PDF documents."""
    target = HERE / "documents"
    target.mkdir(exist_ok=True)
    for source in sorted((HERE / "pdf_sources").glob("*.md")):
        build(source, target / f"{source.stem}.pdf")
        print(f"documents/{source.stem}.pdf")


if __name__ == "__main__":
    main()
