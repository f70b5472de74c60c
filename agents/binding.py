"""Finds the sentences that an answer rests on, where a model told none: those that hold its words.

The words of the answer choose first; then the question's, so that the hops on the way to the answer are cited too.
"""

from collections.abc import Sequence

from agents.citing import MARKERS_PER_SENTENCE, needed, without_markers
from agents.names import content_words, lookup_words, stem, words_of
from agents.notes import write_note
from agents.reading import sentences_of
from agents.state import Claim, Draft, Sentence
from app.core.types import EvidenceNote, Hit

_HOLDING = 4  # sentences with words of the answer that are looked at
_LEADING = 4  # sentences with words of the question
_LED_BY = 2  # words of the question that such a sentence has at least
_TRUTHS = frozenset({"yes", "no"})


def bind(short: str, *, question: str, hits: Sequence[Hit]) -> tuple[Draft | None, list[EvidenceNote]]:
    """Return a draft of the answer, and the notes that it cites; None without a sentence for it.

    An answer of yes or no has no words of its own and is bound by the question's. The draft is not checked here.
    """
    short = without_markers(short).rstrip(".")
    wanted = _stems(content_words(short)) - _TRUTHS
    asked = _stems(lookup_words(question))
    sentences = list({sentence.span: sentence for hit in hits for sentence in sentences_of(hit)}.values())
    holding = [one for one in sentences if wanted & _told(one)]
    leading = [one for one in sentences if len(asked & _told(one)) >= min(_LED_BY, len(asked))]
    if not holding and (wanted or not leading or short.lower() not in _TRUTHS):
        return None, []
    holding.sort(key=lambda one: (-len(wanted & _told(one)), -len(asked & _told(one))))
    leading.sort(key=lambda one: -len(asked & _told(one)))
    chosen = list({one.span: one for one in [*holding[:_HOLDING], *leading[:_LEADING]]}.values())
    offered = [write_note(one.passage, one.start, one.end, claim=short) for one in chosen]
    titles = [one.passage.title for one in chosen]
    numbers = needed(range(1, len(offered) + 1), offered, titles, short=short, question=question)
    notes = [offered[number - 1] for number in numbers][:MARKERS_PER_SENTENCE]
    claim = Claim(text=short[:1].upper() + short[1:], cited=tuple(range(1, len(notes) + 1)))
    return Draft(short=short, claims=(claim,)), notes


def _told(sentence: Sentence) -> set[str]:
    return _stems(words_of(f"{sentence.passage.title} {sentence.text}"))


def _stems(words: Sequence[str]) -> set[str]:
    return {stem(word) for word in words}
