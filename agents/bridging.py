"""Sees which part of a question has no note yet, and writes the next query from the notes.

A hop of a multi-hop question is found when its notes bring names that the question does not have ('Saturn V'), while
words of the question are in no note ('fly'). The next query joins the two. Code does this, since a model of 1.5 B
parameters mostly repeats the question instead.
"""

import re
from collections.abc import Sequence

from agents.names import names_in, words_of
from app.core.types import EvidenceNote

_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_STEM = 5
# words that ask, bind or count and are looked up in no document
_EMPTY = frozenset(
    """a about after all also an and any are as at be became become been before being between both but by called
    came can come did do does during each either ever few first for from get had has have he her his how in into is
    it its kind last later latest least made make many more most much name named next no not number of on once one
    only or other over own part same second she since so some still such than that the their them then there these
    they third this those through time times to two type under until up use used was way went were what when where
    which while who whom whose why will with within would year years january february march april may june july
    august september october november december""".split()
)


def uncovered_words(question: str, notes: Sequence[EvidenceNote], titles: Sequence[str]) -> list[str]:
    """Return the words of the question that no quote or title of the notes has, in order; dates do not count."""
    seen = {_stem(word) for text in [*titles, *(note.quote for note in notes)] for word in _WORD.findall(text)}
    words = [word for word in _WORD.findall(question) if word.lower() not in _EMPTY and len(word) > 1]
    return list(dict.fromkeys(word for word in words if _stem(word) not in seen))


def new_names(question: str, notes: Sequence[EvidenceNote], titles: Sequence[str], *, limit: int = 4) -> list[str]:
    """Return the names in quotes and titles that bring a word the question does not have, in order of appearance."""
    known = set(words_of(question))
    texts = [*(note.quote for note in notes), *titles]
    names = dict.fromkeys(name for text in texts for name in names_in(text))
    return [name for name in names if not known.issuperset(words_of(name))][:limit]


def next_query(question: str, notes: Sequence[EvidenceNote], titles: Sequence[str]) -> str | None:
    """Return the query for the part of the question that no note supports, or None when there is none to write."""
    uncovered = uncovered_words(question, notes, titles)
    names = new_names(question, notes, titles)
    if not notes or not uncovered or not names:
        return None
    return " ".join([*names, *uncovered])


def _stem(word: str) -> str:
    return word.lower().removesuffix("'s").removesuffix("’s")[:_STEM]
