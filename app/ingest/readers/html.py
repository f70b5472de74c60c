"""HTML: the main text that a visitor sees, headings as sections; no hidden text, comments, menus or scripts."""

import copy
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from app.core.errors import UnreadableDocument
from app.ingest.readers._common import TextBuilder, clean, encoding_of, one_line, title_of
from app.ingest.readers._hidden import remove_hidden
from app.ingest.readers._markup_dates import published_on, visibly_published_on
from app.ingest.records import ReadDocument
from app.ingest.sniff import check_text

_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?\s*([\w-]+)", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_BLOCKS = frozenset({"head", "p", "quote", "code", "item", "row"})


def read(path: Path) -> Iterator[ReadDocument]:
    """Yield the page as one document."""
    check_text(path)
    page = _parse(_decode(path))
    published, title, superseded = published_on(page), _title(page), _meta(page, "superseded_by")
    remove_hidden(page)
    published = published or visibly_published_on(page)
    builder = _build(page)
    if not builder.text:
        raise UnreadableDocument("shows no text; remove it or save the page with its text")
    first = builder.sections[0].name if builder.sections else title_of(path)
    yield ReadDocument(
        title=title or first,
        text=builder.text,
        published=published,
        superseded_by=superseded,
        sections=tuple(builder.sections),
    )


def _decode(path: Path) -> str:
    data = path.read_bytes()
    encoding = encoding_of(path)
    stated = _CHARSET.search(data[:2048])
    if encoding == "utf-8" and stated is not None:
        encoding = stated[1].decode()
    try:
        return clean(data.decode(encoding))
    except UnicodeDecodeError as error:
        raise UnreadableDocument(f"byte {error.start} is not {encoding.upper()}; save the file as UTF-8") from error
    except LookupError as error:
        raise UnreadableDocument(f"names an unknown charset '{encoding}'; save the file as UTF-8") from error


def _parse(text: str) -> HtmlElement:
    try:
        return document_fromstring(_DECLARATION.sub("", text), parser=HTMLParser(no_network=True))
    except etree.ParserError as error:
        raise UnreadableDocument("holds no HTML; remove it or fill it") from error


def _title(page: HtmlElement) -> str:
    headings = page.xpath("//title")
    return one_line(headings[0].text_content()) if headings else ""


def _meta(page: HtmlElement, name: str) -> str | None:
    found = page.xpath("//meta[@name=$name]/@content", name=name)
    return one_line(found[0]) or None if found else None


def _build(page: HtmlElement) -> TextBuilder:
    builder = TextBuilder()
    body = _main_text(page)
    if body is None:  # no article to be told from its surroundings: all that is visible
        builder.add(one_line(page.text_content(), longest=len(etree.tostring(page))))
        return builder
    for element in body.iter(*_BLOCKS):
        if any(ancestor.tag in _BLOCKS for ancestor in element.iterancestors()):
            continue
        _add(builder, element)
    return builder


def _add(builder: TextBuilder, element: Any) -> None:
    previous = element.getprevious()
    joint = "\n" if previous is not None and previous.tag == element.tag and element.tag in ("item", "row") else "\n\n"
    if element.tag == "head":
        builder.heading(_text(element))
    elif element.tag == "row":
        builder.add(" | ".join(_text(cell) for cell in element.iter("cell")), joint=joint)
    elif element.tag == "item":
        builder.add(f"- {_text(element)}" if _text(element) else "", joint=joint)
    else:
        builder.add(_text(element))


def _text(element: Any) -> str:
    """Return the text of an element: a break is a new line, other white space a space."""
    text = "".join(_pieces(element))
    return "\n".join(line for part in text.split("\v") if (line := " ".join(part.split())))


def _pieces(element: Any) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if child.tag == "lb":
            yield "\v"
        yield from _pieces(child)
        yield child.tail or ""


def _main_text(page: HtmlElement) -> Any | None:
    from trafilatura import bare_extraction  # 0.3 s that only HTML needs

    found = bare_extraction(
        copy.deepcopy(page), fast=True, include_comments=False, include_tables=True, favor_recall=True, config=_config()
    )
    return None if found is None or not "".join(found.body.itertext()).strip() else found.body


@cache
def _config() -> Any:
    from trafilatura.settings import use_config

    config = copy.deepcopy(use_config())
    for name in ("MIN_EXTRACTED_SIZE", "MIN_OUTPUT_SIZE"):  # else pages under 250 characters lose their headings
        config.set("DEFAULT", name, "1")
    return config
