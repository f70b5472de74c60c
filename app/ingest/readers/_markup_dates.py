"""When a page says it was published: its metadata first, then what it marks up as a date. Never its address."""

import json
from collections.abc import Iterator
from typing import Any

from lxml.html import HtmlElement, tostring

from app.core.timespan import TimeSpan
from app.ingest.dates import parse_published

_META = (
    "article:published_time",
    "datepublished",
    "citation_publication_date",
    "citation_date",
    "dcterms.issued",
    "dcterms.created",
    "dcterms.date",
    "dc.date.issued",
    "dc.date",
    "pubdate",
    "publish-date",
    "published",
    "date",
)
_VISIBLE = (
    "//*[@itemprop='datePublished']",
    "//time[@pubdate]",
    "//*[contains(@class,'publish') or contains(@class,'pubdate') or contains(@class,'byline') "
    "or contains(@class,'dateline') or contains(@class,'posted-on') or contains(@class,'entry-date')]",
    "//header//time",
)
_LONGEST = 200  # characters; a longer element is no date line


def published_on(page: HtmlElement) -> TimeSpan | None:
    """Return the publication date of a whole page, or None when nothing in it says so."""
    for text in [*_stated(page), *_linked_data(page)]:
        try:
            return parse_published(text)
        except ValueError:
            continue
    return None


def visibly_published_on(page: HtmlElement) -> TimeSpan | None:
    """Return the date in the page's visible date line, or None; call it after hidden elements are gone."""
    for path in _VISIBLE:
        for element in page.xpath(path):
            span = _date_in(element)
            if span is not None:
                return span
    return None


def _stated(page: HtmlElement) -> Iterator[str]:
    stated: dict[str, str] = {}
    for meta in page.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop") or ""
        stated.setdefault(name.lower(), meta.get("content", ""))
    yield from (stated[name] for name in _META if stated.get(name))


def _linked_data(page: HtmlElement) -> Iterator[str]:
    for script in page.xpath("//script[@type='application/ld+json']"):
        try:
            yield from _dates_in(json.loads(script.text or ""), depth=0)
        except ValueError:
            continue


def _dates_in(data: Any, *, depth: int) -> Iterator[str]:
    if isinstance(data, list) and depth < 5:  # noqa: PLR2004 - @graph lists are nested twice at most
        for item in data:
            yield from _dates_in(item, depth=depth + 1)
    elif isinstance(data, dict):
        if isinstance(data.get("datePublished"), str):
            yield data["datePublished"]
        yield from _dates_in(data.get("@graph", []), depth=depth + 1)


def _date_in(element: HtmlElement) -> TimeSpan | None:
    times = [element, *element.iter("time")]
    text = " ".join(element.text_content().split())
    for stated in [*(time.get("datetime") or time.get("content") for time in times), text]:
        try:
            return parse_published(stated or "")
        except ValueError:
            continue
    return _found_by_htmldate(element) if text and len(text) <= _LONGEST else None


def _found_by_htmldate(element: HtmlElement) -> TimeSpan | None:
    from htmldate import find_date  # 0.1 s

    line = f"<html><body><p class='date'>{tostring(element, encoding='unicode', method='text')}</p></body></html>"
    found = find_date(line, extensive_search=False, original_date=True, url=None)
    return parse_published(found) if found else None
