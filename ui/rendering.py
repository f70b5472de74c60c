"""An answer as HTML and as Markdown: pure functions; whatever comes from documents or questions is escaped."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from app.api.schemas import AnswerBody, CollectionBody, PendingAnswer, TimeBody, TurnBody
from app.core.asked_time import time_words
from app.core.timespan import TimeConstraint, TimeSpan
from app.core.types import Citation, Passage
from ui.escaping import as_html, as_markdown
from ui.steps import FoundNote, Line, doing

CONTEXT = 180
UNDATED = "undated"
_CONSTRAINT = ("relation", "span", "anchor", "ordinal", "surface", "rest")
_MARKER = re.compile(r"\s?\[(\d{1,3})\]")
_PLAIN_MARKER = re.compile(r"\[(\d{1,3})\]")
_REASONS = {
    "insufficient_evidence": "The passages that were found do not support an answer.",
    "out_of_collection": "This collection does not seem to be about that.",
    "conflicting_evidence": "The documents contradict one another.",
    "time_gap": "Nothing in the collection covers the time you ask about.",
    "budget_exhausted": "The time or the number of model calls ran out first.",
}
_ENDS = {
    "abstained": ("No answer, and here is why", "Nothing is made up: without a quote there is no claim."),
    "failed": ("This answer failed", "Your question was fine. You can ask it again."),
    "cancelled": ("Stopped", "You stopped this answer before it was finished."),
}
_VERDICTS = {"partly": "partly supported", "unsupported": "not supported", "contradicted": "contradicted"}


def answer_html(text: str, known: frozenset[int]) -> str:
    """Return an answer's text with a chip for each marker that has a citation; paragraphs are kept."""
    paragraphs = [part for part in text.split("\n\n") if part.strip()]
    return '<div class="gn-answer">' + "".join(f"<p>{_with_chips(part, known)}</p>" for part in paragraphs) + "</div>"


def end_html(answer: AnswerBody) -> str:
    """Return what is shown of an answer that has no text: its reason, styled as an answer."""
    title, comfort = _ENDS.get(answer.status, ("No answer", ""))
    reason = _REASONS.get(answer.reason or "", "")
    detail = answer.detail if answer.status != "cancelled" else ""
    lines = [f"<p>{as_html(line)}</p>" for line in (reason, detail) if line]
    return (
        f'<div class="gn-end gn-{answer.status}"><h3>{title}</h3>{"".join(lines)}'
        f'<p class="gn-quiet">{comfort}</p></div>'
    )


def partial_html(answer: AnswerBody) -> str:
    """Return the words above an answer that is not whole: what ran out."""
    reason = _REASONS.get(answer.reason or "", "")
    detail = f" {as_html(answer.detail)}" if answer.detail else ""
    return f'<div class="gn-partial"><b>Partial answer.</b> {reason}{detail}</div>'


def warning_html(detail: str) -> str:
    """Return the words above an answer whose evidence is older than what was asked."""
    return f'<div class="gn-partial"><b>Warning.</b> {as_html(detail[:1].upper() + detail[1:])}.</div>'


def card_html(citation: Citation, passage: Passage | None) -> str:
    """Return the card of a citation: source, date, place, and the quote highlighted in its passage."""
    verdict = _VERDICTS.get(citation.verdict, "")
    badges = [word for word in (verdict, citation.stance if citation.stance != "supports" else "") if word]
    shown = "".join(f'<span class="gn-badge">{as_html(badge)}</span>' for badge in badges)
    return (
        f'<article class="gn-card" id="source-{citation.marker}">'
        f'<header><span class="gn-number">{citation.marker}</span>'
        f'<span class="gn-title">{as_html(citation.title or citation.doc_id)}</span>{shown}</header>'
        f'<div class="gn-meta">{_meta(citation)}</div>'
        f"<blockquote>{_context(citation, passage)}</blockquote></article>"
    )


def note_html(note: FoundNote) -> str:
    """Return the card of a piece of evidence that no answer cites yet."""
    return (
        f'<article class="gn-card gn-found"><header><span class="gn-title">{as_html(note.title)}</span></header>'
        f'<div class="gn-meta">{as_html(note.published or UNDATED)}</div>'
        f"<blockquote><mark>{as_html(note.quote)}</mark></blockquote></article>"
    )


def lines_html(lines: Sequence[Line]) -> str:
    """Return the steps taken so far as a list."""
    items = [
        f'<li class="gn-{line.kind}"><span>{as_html(line.text)}</span>{_seconds(line.seconds)}</li>' for line in lines
    ]
    return f'<ul class="gn-lines">{"".join(items)}</ul>'


def trace_html(trace: Mapping[str, Any]) -> str:
    """Return the steps of a finished answer: what each did, its seconds, calls and tokens."""
    rows = []
    for step in trace.get("steps", []):
        usages = [call["usage"] for call in step["calls"]]
        tokens = sum(usage["prompt_tokens"] + usage["completion_tokens"] for usage in usages)
        cost = [f"{step['seconds']:.1f} s", _count(len(usages), "call"), _count(tokens, "token")]
        rows.append(
            f"<li><b>{as_html(doing(step['node']))}</b><p>{as_html(step['summary'])}</p>"
            f'<span class="gn-quiet">{_dotted(cost)}</span></li>'
        )
    return f'<ol class="gn-trace">{"".join(rows)}</ol>'


def tree_html(trace: Mapping[str, Any]) -> str:
    """Return the search tree of a finished answer as nested lists; empty where none was searched."""
    rows: Sequence[Mapping[str, Any]] = next(
        (step["details"]["tree"] for step in trace.get("steps", []) if step["node"] == "tree"), []
    )
    below: dict[int | None, list[Mapping[str, Any]]] = {}
    for row in rows:
        below.setdefault(row["parent"], []).append(row)
    return "".join(_branches(below, row["node_id"]) for row in below.get(None, []))


def _branches(below: Mapping[int | None, Sequence[Mapping[str, Any]]], parent: int) -> str:
    items = [f"<li>{_tried(row)}{_branches(below, row['node_id'])}</li>" for row in below.get(parent, ())]
    return f'<ul class="gn-tree">{"".join(items)}</ul>' if items else ""


def _tried(row: Mapping[str, Any]) -> str:
    """Return what was tried and what came of it: the answer or the queries, visits, mean value, tokens, evidence."""
    words = row["answer"] or " \u00b7 ".join(row["queries"]) or row["text"] or row["error"]
    figures = [
        _count(row["visits"], "visit"),
        f"value {row['mean']:.2f}",
        _count(int(row["cost"]), "token"),
        _count(len(row["evidence"]), "note"),
        "" if row["status"] == "open" else row["status"],
    ]
    return (
        f"<b>{as_html(row['action'].replace('_', ' '))}</b> {as_html(words)}"
        f'<div class="gn-quiet">{_dotted(figures)}</div>'
    )


def question_html(answer: AnswerBody | PendingAnswer) -> str:
    """Return the question as the heading of its answer, with the collection and the dates and time it was asked for."""
    words = [f"in {as_html(answer.collection)}"]
    time = understood = ""
    if isinstance(answer, AnswerBody):
        if answer.understood_as:
            understood = f'<div class="gn-meta gn-understood">Understood as: {as_html(answer.understood_as)}</div>'
        words.append(f"asked on {date_words(answer.asked_on)}")
        if day := as_of(answer):
            words.append(f"as of {date_words(day)}")
        if answer.time is not None:
            time = f'<div class="gn-meta">Time: {as_html(asked_words(answer.time))}</div>'
    heading = f'<h2 class="gn-question">{as_html(answer.question)}</h2>{understood}'
    return f'{heading}<div class="gn-meta">{_dotted(words)}</div>{time}'


def turn_html(turn: TurnBody) -> str:
    """Return a turn of a conversation in short: its question, and its answer or why there is none."""
    told = turn.short or _MARKER.sub("", turn.text) or _REASONS.get(turn.reason or "", turn.status or "in progress")
    return f'<div class="gn-turn"><b>{as_html(turn.question)}</b><p>{as_html(told)}</p></div>'


def asked_words(time: TimeBody) -> str:
    """Return the time that a question asks for, and where it comes from, as plain text."""
    return time_words(TimeConstraint(**{name: getattr(time, name) for name in _CONSTRAINT}))


def as_of(answer: AnswerBody) -> date | None:
    """Return the day whose knowledge an answer was to rest on."""
    day = answer.trace.get("question", {}).get("as_of")
    return date.fromisoformat(day) if day else None


def short_html(short: str) -> str:
    """Return the bare answer, which stands before the sentences."""
    return f'<div class="gn-short">{as_html(short)}</div>'


def collection_label(row: CollectionBody) -> str:
    """Return a collection's name with its count, as plain text."""
    return f"{row.collection_id} \u00b7 {row.documents} {'document' if row.documents == 1 else 'documents'}"


def effort(answer: AnswerBody) -> str:
    """Return what an answer cost, in a few words."""
    seconds = sum(step.get("seconds", 0.0) for step in answer.trace.get("steps", []))
    words = [f"{seconds:.1f} s" if seconds else "", _count(answer.usage.calls, "model call")]
    words.append(_count(answer.usage.prompt_tokens + answer.usage.completion_tokens, "token"))
    return _dotted(words)


def answer_markdown(answer: AnswerBody) -> str:
    """Return an answer with its sources as Markdown to be kept elsewhere."""
    body = _markdown_text(answer.text) if answer.text else as_markdown(_REASONS.get(answer.reason or "", answer.detail))
    understood = [f"Understood as: {as_markdown(answer.understood_as)}"] if answer.understood_as else []
    time = [f"Time: {as_markdown(asked_words(answer.time))}"] if answer.time else []
    warning = [f"Warning: {as_markdown(answer.detail)}"] if answer.status == "answered" and answer.detail else []
    sources = [
        f"[{citation.marker}] {as_markdown(citation.title or citation.doc_id)}"
        f" ({as_markdown(_dates(citation))}): \u201c{as_markdown(citation.quote)}\u201d"
        for citation in answer.citations
    ]
    return "\n\n".join([f"# {as_markdown(answer.question)}", *understood, *time, body, *warning, *sources]) + "\n"


def date_words(day: date) -> str:
    """Return a day as `24 July 1969`."""
    return f"{day.day} {day:%B %Y}"


def _with_chips(text: str, known: frozenset[int]) -> str:
    """Return escaped text; a marker without a citation is left out, for it points at nothing."""
    parts: list[str] = []
    end = 0
    for match in _MARKER.finditer(text):
        marker = int(match[1])
        chip = f'<a class="gn-chip" href="#source-{marker}">{marker}</a>' if marker in known else ""
        parts += [as_html(text[end : match.start()]), chip]
        end = match.end()
    return "".join([*parts, as_html(text[end:])])


def _markdown_text(text: str) -> str:
    parts = _PLAIN_MARKER.split(text)
    return "".join(f"[{part}]" if at % 2 else _spaced(part) for at, part in enumerate(parts))


def _spaced(part: str) -> str:
    """Return escaped text that keeps the space at its ends."""
    before, after = (" " if part[:1].isspace() else ""), (" " if part[-1:].isspace() and part.strip() else "")
    return f"{before}{as_markdown(part)}{after}"


def _meta(citation: Citation) -> str:
    place = [f"page {citation.page}" if citation.page else "", citation.section or ""]
    return _dotted([_dates(citation), *(as_html(word) for word in place)])


def _dates(citation: Citation) -> str:
    """Return when a source was published and, for a question bound to a time, for when its quote tells the answer."""
    published = published_words(citation.published)
    if not citation.told_for:
        return published
    told = f"time told: {', '.join(map(published_words, citation.told_for))}"
    return _dotted([f"published {published}" if citation.published else published, told])


def published_words(span: TimeSpan | None) -> str:
    """Return a publication date in words, at its granularity."""
    if span is None:
        return UNDATED
    if span.granularity == "day" and span.start == span.end and span.start and not span.approximate:
        return date_words(span.start)
    return str(span)


def _context(citation: Citation, passage: Passage | None) -> str:
    """Return the quote marked in its passage; alone when the passage was changed since."""
    if passage is None or passage.text[citation.start : citation.end] != citation.quote:
        return f"<mark>{as_html(citation.quote)}</mark>"
    before, after = passage.text[: citation.start], passage.text[citation.end :]
    return f"{as_html(_tail(before))}<mark>{as_html(citation.quote)}</mark>{as_html(_head(after))}"


def _dotted(words: Sequence[str]) -> str:
    return " \u00b7 ".join(word for word in words if word)


def _head(text: str) -> str:
    return text if len(text) <= CONTEXT else text[:CONTEXT].rsplit(" ", 1)[0] + " \u2026"


def _tail(text: str) -> str:
    return text if len(text) <= CONTEXT else "\u2026 " + text[-CONTEXT:].split(" ", 1)[-1]


def _seconds(seconds: float | None) -> str:
    return f'<span class="gn-seconds">{seconds:.1f} s</span>' if seconds is not None else ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}" if number else ""
