"""Sees which part of a question has no note yet, and writes the next query from the notes.

A hop of a multi-hop question is found when its notes bring names that the question does not have ('Saturn V'), while
words of the question are in no note ('fly'). The next query joins the two. Code does this, since a model of 1.5 B
parameters mostly repeats the question instead.
"""

from collections.abc import Sequence

from agents.names import lookup_words, names_in, stem, words_of
from app.core.types import EvidenceNote

_MOSTLY_COVERED = 0.15  # share of uncovered words up to which a question counts as covered
_NOTES_BRIDGED = 2  # the model's first picks; later ones bring names that lead astray


def uncovered_words(question: str, notes: Sequence[EvidenceNote], titles: Sequence[str]) -> list[str]:
    """Return the words of the question that no quote or title of the notes has, in order; dates do not count."""
    seen = {stem(word) for text in [*titles, *(note.quote for note in notes)] for word in words_of(text)}
    return [word for word in lookup_words(question) if stem(word) not in seen]


def new_names(question: str, notes: Sequence[EvidenceNote], titles: Sequence[str], *, limit: int = 4) -> list[str]:
    """Return the names in quotes and titles that bring a word the question does not have, in order of appearance."""
    known = set(words_of(question))
    texts = [*(note.quote for note in notes), *titles]
    names = dict.fromkeys(name for text in texts for name in names_in(text))
    return [name for name in names if not known.issuperset(words_of(name))][:limit]


def next_query(question: str, notes: Sequence[EvidenceNote], titles: Sequence[str]) -> str | None:
    """Return the query for the part of the question that no note supports, or None when there is none to write."""
    uncovered = uncovered_words(question, notes, titles)
    names = new_names(question, notes[:_NOTES_BRIDGED], titles[:1])
    if not names or len(uncovered) <= _MOSTLY_COVERED * len(lookup_words(question)):
        return None
    return " ".join([*names, *uncovered])
