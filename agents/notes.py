"""Evidence notes: the model picks sentences by number, code takes the quote, so a quote is exact by construction.

(Evidence notes after EviNote-RAG, Dai et al., arXiv 2509.00877; there the model writes the note freely.)
"""

import hashlib
from collections.abc import Iterable, Sequence

from agents.names import lookup_words, stem, words_of
from agents.state import Sentence
from agents.verify import figures_unseen, words_unseen
from app.core.types import EvidenceNote, NoteId, Passage, Stance


def notes_from_picks(
    picks: Iterable[int], sentences: Sequence[Sentence], *, claim: str
) -> tuple[list[EvidenceNote], int]:
    """Return a note per picked sentence, numbers from 1, and how many picks were rejected.

    A pick is rejected when no sentence has that number or when it was picked before.
    """
    notes: list[EvidenceNote] = []
    rejected = 0
    seen: set[int] = set()
    for pick in picks:
        if pick in seen or not 1 <= pick <= len(sentences):
            rejected += 1
            continue
        seen.add(pick)
        sentence = sentences[pick - 1]
        notes.append(write_note(sentence.passage, sentence.start, sentence.end, claim=claim))
    return notes, rejected


def grounded(picks: Sequence[int], sentences: Sequence[Sentence], *, answer: str, question: str) -> list[int]:
    """Return the picks, numbers from 1, led by the sentence that holds the answer where none of them does.

    A small model often answers rightly and points at the wrong number. Of several sentences that hold every word of the
    answer, the one with most words of the question leads; the first of equals.
    """
    picked = [pick for pick in dict.fromkeys(picks) if 1 <= pick <= len(sentences)]
    seen = " ".join(_told(sentences[pick - 1]) for pick in picked)
    if not answer or not (words_unseen(answer, seen) or figures_unseen(answer, seen)):
        return list(picks)
    asked = {stem(word) for word in lookup_words(question)}
    holding = [
        (len(asked & {stem(word) for word in words_of(_told(one))}), -number)
        for number, one in enumerate(sentences, start=1)
        if not words_unseen(answer, _told(one)) and not figures_unseen(answer, _told(one))
    ]
    return [-max(holding)[1], *picks] if holding else list(picks)


def _told(sentence: Sentence) -> str:
    return f"{sentence.passage.title}. {sentence.text}"


def numbered(notes: Iterable[EvidenceNote]) -> dict[NoteId, int]:
    """Return the number of each note, from 1, by which claims cite it."""
    return {note.note_id: number for number, note in enumerate(notes, start=1)}


def note_from_quote(quote: str, passages: Sequence[Passage], *, claim: str) -> EvidenceNote | None:
    """Return a note for a free-text quote, or None when no passage holds it word for word."""
    wanted = quote.strip()
    for passage in passages:
        start = passage.text.find(wanted) if wanted else -1
        if start >= 0:
            return write_note(passage, start, start + len(wanted), claim=claim)
    return None


def write_note(passage: Passage, start: int, end: int, *, claim: str, stance: Stance = "supports") -> EvidenceNote:
    """Return the note on `passage.text[start:end]`; the same span always gives the same id."""
    return EvidenceNote(
        note_id=note_id_of(passage, start, end),
        passage_id=passage.passage_id,
        doc_id=passage.doc_id,
        claim=claim,
        quote=passage.text[start:end],
        start=start,
        end=end,
        stance=stance,
        published=passage.published,
        holds=passage.holds,
    )


def note_id_of(passage: Passage, start: int, end: int) -> NoteId:
    """Return the id of a note on that span of a passage."""
    key = f"{passage.passage_id}:{start}:{end}"
    return NoteId("n" + hashlib.sha256(key.encode()).hexdigest()[:10])
