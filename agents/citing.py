"""Binds an answer's sentence to its notes: every marker `[1]` points at one, or it is mended or dropped, counted."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from agents.names import content_words, lookup_words, names_in, stem, words_of
from agents.state import Draft
from app.core.timespan import TimeSpan
from app.core.types import Citation, EvidenceNote, NoteId, Passage, PassageId, Verdict

_MARKER = re.compile(r"\s*\[\s*(\d{1,3}(?:\s*,\s*\d{1,3})*)\s*\]")
_STOP = re.compile(r"([.!?]+)$")
MARKERS_PER_SENTENCE = 4


def bind_markers(text: str, cited: Sequence[int], *, notes: int) -> tuple[str, tuple[int, ...], int]:
    """Return the sentence with its markers before the full stop, the note numbers it cites, and how many were dropped.

    Markers that the model wrote into the text and those it listed in `cited` count alike, both from 1; one beyond
    the `notes` at hand points at nothing and is dropped. The sentence comes back without markers if none is left.
    """
    written = [int(number) for match in _MARKER.finditer(text) for number in match[1].split(",")]
    wanted = list(dict.fromkeys([*written, *cited]))
    kept = [number for number in wanted if 1 <= number <= notes][:MARKERS_PER_SENTENCE]
    bare = without_markers(text)
    dropped = len([number for number in wanted if not 1 <= number <= notes])
    return _with_markers(bare, range(1, len(kept) + 1)), tuple(kept), dropped


def marked(draft: Draft) -> str:
    """Return the draft's sentences as one text, each with the markers of its own notes before its full stop."""
    markers = {number: marker for marker, number in enumerate(draft.cited, start=1)}
    return " ".join(
        _with_markers(without_markers(claim.text), [markers[number] for number in claim.cited])
        for claim in draft.claims
    )


def without_markers(text: str) -> str:
    """Return the text without its markers."""
    return " ".join(_MARKER.sub("", text).split())


def needed(
    cited: Sequence[int], notes: Sequence[EvidenceNote], titles: Sequence[str], *, short: str, question: str
) -> tuple[int, ...]:
    """Return the notes, numbers from 1, that the answer needs: few, and none of its hops left out.

    A small model lists every fact it was shown, or the wrong one. So the words of the short answer choose among all
    notes, the words of the question among the `cited`, and a name of the question that none of these has brings the
    first note that has it (greedy cover; ties go to the cited, then to the earlier). At least one note stays.
    """
    holds = {
        number: {stem(word) for word in words_of(f"{notes[number - 1].quote} {titles[number - 1]}")}
        for number in [*cited, *(n for n in range(1, len(notes) + 1) if n not in cited)]
    }
    asked = {stem(word) for word in lookup_words(question)}
    kept = _cover({stem(word) for word in content_words(short)}, holds, asked)
    known = set().union(*(holds[number] for number in kept)) if kept else set()
    kept += _cover(asked - known, {number: holds[number] for number in cited if number not in kept}, asked)
    kept = kept or list(cited[:1])
    for name in names_in(question):
        parts = {stem(word) for word in words_of(name)}
        if not any(parts <= holds[number] for number in kept):
            kept.extend(next(([number] for number in holds if parts <= holds[number]), []))
    return tuple(sorted(kept))


def _cover(wanted: set[str], holds: Mapping[int, set[str]], asked: set[str]) -> list[int]:
    kept: list[int] = []
    order = list(holds)
    while rest := [number for number in order if holds[number] & wanted and number not in kept]:
        best = max(rest, key=lambda n: (len(holds[n] & wanted), len(holds[n] & asked), -order.index(n)))
        kept.append(best)
        wanted = wanted - holds[best]
    return kept


def cite(
    cited: Sequence[int],
    notes: Sequence[EvidenceNote],
    passages: Mapping[PassageId, Passage],
    *,
    verdict: Verdict,
    dates: Mapping[NoteId, tuple[TimeSpan, ...]] | None = None,
) -> tuple[Citation, ...]:
    """Return the citations of the notes in the order they are cited, markers from 1, with what `dates` has for each."""
    told = dates or {}
    return tuple(
        replace(
            _citation(marker, notes[number - 1], passages[notes[number - 1].passage_id], verdict),
            told_for=told.get(notes[number - 1].note_id, ()),
        )
        for marker, number in enumerate(cited, start=1)
    )


def _with_markers(text: str, markers: Sequence[int]) -> str:
    if not markers or not text:
        return text
    chips = "".join(f"[{marker}]" for marker in markers)
    if stop := _STOP.search(text):
        return f"{text[: stop.start()]} {chips}{stop[1]}"
    return f"{text} {chips}."


def _citation(marker: int, note: EvidenceNote, passage: Passage, verdict: Verdict) -> Citation:
    return Citation(
        marker=marker,
        note_id=note.note_id,
        passage_id=note.passage_id,
        doc_id=note.doc_id,
        document_version=passage.document_version,
        title=passage.title,
        uri=passage.uri,
        quote=note.quote,
        start=note.start,
        end=note.end,
        page=passage.page,
        section=passage.section,
        published=passage.published,
        holds=passage.holds,
        stance=note.stance,
        verdict=verdict,
    )
