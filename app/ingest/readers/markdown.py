"""Markdown: front matter becomes metadata, headings become sections, the rest keeps its words and loses its marks."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from app.core.errors import UnreadableDocument
from app.ingest.dates import published_or_warning
from app.ingest.readers._common import TextBuilder, clean, one_line, read_text, title_of, unwrap
from app.ingest.records import ReadDocument
from app.ingest.sniff import check_text

DATE_KEYS = ("published", "date", "published_at")
_FRONT = re.compile(r"---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-{2,})\s*")
_RULE = re.compile(r" {0,3}(?:(?:\*\s*){3,}|(?:-\s*){3,}|(?:_\s*){3,})")
_FENCE = re.compile(r" {0,3}(?:`{3,}[^`]*|~{3,}.*)")
_TABLE_RULE = re.compile(r"\s*\|?[\s:|-]*-[\s:|-]*\|[\s:|-]*")
_UNSEEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|template)\b.*?(?:</\1>|\Z)"
    r"|<(\w+)\b[^<>]*?(?:\shidden\b|display\s*:\s*none|visibility\s*:\s*hidden)[^<>]*>.*?(?:</\2>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_LONGEST_LINE = 20_000  # longer lines are data; marks pair within 400 characters, so that time stays linear
_INLINE = (
    (re.compile(r"!?\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\((?:[^()\s]|\([^()]*\))*(?:\s+\"[^\"]*\")?\)"), r"\1"),  # links
    (re.compile(r"!?\[([^\[\]]+)\]\[[^\[\]]*\]"), r"\1"),
    (re.compile(r"<((?:https?|mailto):[^<>\s]+)>"), r"\1"),
    (re.compile(r"</?[A-Za-z][^<>]*>"), ""),
    (re.compile(r"(?<!\\)(\*{1,3})(?=\S)(.{1,400}?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![\\\w])(_{1,3})(?=\S)(.{1,400}?)(?<=\S)\1(?!\w)"), r"\2"),
    (re.compile(r"~~(.{1,400}?)~~"), r"\1"),
    (re.compile(r"(`+)\s?(.{1,400}?)\s?\1"), r"\2"),
    (re.compile(r"\\([!-/:-@\[-`{-~])"), r"\1"),
)


def read(path: Path) -> Iterator[ReadDocument]:
    """Yield the file as one document; its title is the front matter's, else the first heading's."""
    check_text(path)
    front, body = _split_front(read_text(path))
    builder = _build(_UNSEEN.sub("", body))
    if not builder.text:
        raise UnreadableDocument("holds no text below its front matter; remove it or fill it")
    published, warnings = published_or_warning(next((front[key] for key in DATE_KEYS if front.get(key)), None))
    first = builder.sections[0].name if builder.sections else title_of(path)
    yield ReadDocument(
        title=one_line(str(front.get("title") or first)),
        text=builder.text,
        published=published,
        superseded_by=one_line(str(front["superseded_by"])) if front.get("superseded_by") else None,
        metadata=_metadata(front),
        sections=tuple(builder.sections),
        warnings=warnings,
    )


def _split_front(text: str) -> tuple[Mapping[str, Any], str]:
    match = _FRONT.match(text)
    if match is None:
        return {}, text
    try:
        front = yaml.safe_load(match[1])
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        raise UnreadableDocument(f"line {line}: the front matter is not YAML; mend or remove it") from error
    return (front, text[match.end() :]) if isinstance(front, dict) else ({}, text)


def _metadata(front: Mapping[str, Any]) -> dict[str, str]:
    known = {"title", "superseded_by", *DATE_KEYS}
    scalars = (str, int, float, bool, date)
    return {
        clean(str(key)): clean(str(value))
        for key, value in front.items()
        if isinstance(value, scalars) and key not in known
    }


def _build(body: str) -> TextBuilder:
    builder = TextBuilder()
    for code, block in _blocks(body):
        if code:
            builder.add("\n".join(block))
        else:
            _add_block(builder, block)
    return builder


def _blocks(body: str) -> Iterator[tuple[bool, list[str]]]:
    """Yield runs of lines without a blank one, and whether they are code."""
    fenced = False
    marked: list[tuple[bool, str]] = []
    for line in body.split("\n"):
        if _FENCE.fullmatch(line):
            fenced = not fenced
            marked.append((False, ""))
        else:
            marked.append((fenced, line))
    for (blank, code), run in groupby(marked, key=lambda item: (not item[1].strip(), item[0])):
        if not blank:
            yield code, [line for _, line in run]


def _add_block(builder: TextBuilder, lines: list[str]) -> None:
    pending: list[str] = []
    for line in lines:
        heading = _HEADING.fullmatch(line)
        if heading or _UNDERLINE.fullmatch(line):
            text = heading[2] if heading else (pending.pop() if pending else "")
            _flush(builder, pending)
            builder.heading(_inline(text))
        elif not _RULE.fullmatch(line) and not _TABLE_RULE.fullmatch(line):
            pending.append(line)
    _flush(builder, pending)


def _flush(builder: TextBuilder, lines: list[str]) -> None:
    shown = [shown for line in lines if (shown := _inline(_line(line)))]
    if shown:
        builder.add(unwrap(shown))
    lines.clear()


def _line(line: str) -> str:
    line = re.sub(r"^(\s*>)+\s?", "", line).strip()
    if line.startswith("|") and line.endswith("|"):
        line = " | ".join(cell.strip() for cell in line.strip("|").split("|"))
    return re.sub(r"^[*+]\s", "- ", line)


def _inline(text: str) -> str:
    if len(text) > _LONGEST_LINE:
        return text.strip()
    for pattern, shown in _INLINE:
        text = pattern.sub(shown, text)
    return text.strip()
