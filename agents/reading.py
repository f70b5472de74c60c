"""Chooses which sentences of the hits the model is shown, and shows them in their passages.

So a short prompt holds what matters, and no sentence stands without what it speaks of. A sentence is scored by its
cosine to the query and by the share of the query's words it has; its document's title counts as part of it, since a
sentence such as 'He resigned in 1992' says nothing alone.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agents.state import Sentence
from app.core.protocols import Embedder
from app.core.run import Run
from app.core.sentences import sentence_spans
from app.core.timespan import TimeSpan
from app.core.types import Hit
from app.core.untrusted import neutralise

_WORD = re.compile(r"\w+")
_WORD_WEIGHT = 0.3
_SHORTEST = 15
_LONGEST = 600


def choose_sentences(
    hits: Sequence[Hit],
    query: str,
    *,
    characters: int,
    embedder: Embedder,
    run: Run,
) -> list[Sentence]:
    """Return the best sentences that fit into so many characters: by rank of their passage, in its order.

    Where all fit, all are returned; else at least one. One embedding call where a choice must be made.
    """
    offered = [sentence for hit in hits for sentence in sentences_of(hit)]
    if sum(len(s.text) for s in offered) <= characters:
        return offered
    scores = _scores(offered, query, embedder=embedder, run=run)
    kept: set[int] = set()
    left = characters
    for row in np.argsort(-scores, kind="stable"):
        size = len(offered[row].text)
        if size <= left or not kept:
            kept.add(int(row))
            left -= size
    return [offered[row] for row in sorted(kept)]


def _scores(offered: Sequence[Sentence], query: str, *, embedder: Embedder, run: Run) -> NDArray[np.float32]:
    titled = [f"{s.passage.title}. {s.text}" for s in offered]
    vectors = embedder.embed([query, *titled], run=run)
    words = set(_WORD.findall(query.lower()))
    shared = [len(words & set(_WORD.findall(text.lower()))) / max(1, len(words)) for text in titled]
    scores: NDArray[np.float32] = vectors[1:] @ vectors[0] + _WORD_WEIGHT * np.array(shared, dtype=np.float32)
    return scores


def sentences_of(hit: Hit) -> list[Sentence]:
    """Return the sentences of a hit's passage, fragments left out, very long ones cut at a word."""
    passage = hit.passage
    return [
        Sentence(passage=passage, start=start, end=_cut(passage.text, start, end))
        for start, end in sentence_spans(passage.text)
        if end - start >= _SHORTEST
    ]


def show(sentences: Sequence[Sentence]) -> str:
    """Return the sentences numbered from 1 under their passage's title and date, safe for a prompt."""
    lines: list[str] = []
    before = ""
    for number, sentence in enumerate(sentences, start=1):
        passage = sentence.passage
        if passage.passage_id != before:
            before = passage.passage_id
            lines.append(f"From: {head(passage.title, passage.published)}")
        lines.append(f"{number}. {one_line(sentence.text)}")
    return "\n".join(lines)


def head(title: str, published: TimeSpan | None) -> str:
    """Return `title, published date` as one safe line."""
    return ", ".join(part for part in (one_line(title), f"published {published}" if published else "") if part)


def headed(title: str, published: TimeSpan | None, text: str) -> str:
    """Return `(title, date) text` as one safe line."""
    return f"({head(title, published)}) {one_line(text)}"


def one_line(text: str) -> str:
    """Return untrusted text as one safe line."""
    return " ".join(neutralise(text).split())


def _cut(text: str, start: int, end: int) -> int:
    if end - start <= _LONGEST:
        return end
    space = text.rfind(" ", start, start + _LONGEST)
    return space if space > start else start + _LONGEST
