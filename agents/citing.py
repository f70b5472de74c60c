"""Binds an answer's sentence to its notes: every marker `[1]` points at one, or it is mended or dropped, counted."""

import re
from collections.abc import Mapping, Sequence

from agents.names import content_words, stem, words_of
from app.core.types import Citation, EvidenceNote, Passage, PassageId, Verdict

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


def without_markers(text: str) -> str:
    """Return the text without its markers."""
    return " ".join(_MARKER.sub("", text).split())


def needed(cited: Sequence[int], notes: Sequence[EvidenceNote], titles: Sequence[str], *, told: str) -> tuple[int, ...]:
    """Return those of the cited notes, numbers from 1, that are needed to cover the words of `told`.

    Greedy cover: a small model lists every fact it was shown, and a reader must check each. Ties go to the note
    cited first; when no word is covered, the first note stays.
    """
    wanted = {stem(word) for word in content_words(told)}
    covers = {
        number: wanted & {stem(word) for word in words_of(f"{notes[number - 1].quote} {titles[number - 1]}")}
        for number in cited
    }
    kept: list[int] = []
    while covers and wanted:
        best = max(covers, key=lambda number: (len(covers[number] & wanted), -cited.index(number)))
        if not covers[best] & wanted:
            break
        kept.append(best)
        wanted -= covers.pop(best)
    return tuple(number for number in cited if number in kept) or tuple(cited[:1])


def cite(
    cited: Sequence[int], notes: Sequence[EvidenceNote], passages: Mapping[PassageId, Passage], *, verdict: Verdict
) -> tuple[Citation, ...]:
    """Return the citations of the notes in the order they are cited, markers from 1."""
    return tuple(
        _citation(marker, notes[number - 1], passages[notes[number - 1].passage_id], verdict)
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
