"""Evidence notes: the model picks sentences by number, code takes the quote, so a quote is exact by construction.

(Evidence notes after EviNote-RAG, Dai et al., arXiv 2509.00877; there the model writes the note freely.)
"""

import hashlib
from collections.abc import Iterable, Sequence

from agents.state import Sentence
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
    key = f"{passage.passage_id}:{start}:{end}"
    return EvidenceNote(
        note_id=NoteId("n" + hashlib.sha256(key.encode()).hexdigest()[:10]),
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
