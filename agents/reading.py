"""Chooses which sentences of the hits the model is shown, so that a short prompt holds what matters.

A sentence is scored by its cosine to the query and by the share of the query's words it has; its document's title
counts as part of it, since a sentence such as 'He resigned in 1992' says nothing alone.
"""

import re
from collections.abc import Collection, Sequence

import numpy as np

from agents.state import Sentence
from app.core.protocols import Embedder
from app.core.run import Run
from app.core.sentences import sentence_spans
from app.core.timespan import TimeSpan
from app.core.types import Hit, Offsets
from app.core.untrusted import neutralise

_WORD = re.compile(r"\w+")
_WORD_WEIGHT = 0.3
_SHORTEST = 15
_LONGEST = 600


def choose_sentences(
    hits: Sequence[Hit],
    query: str,
    *,
    limit: int,
    embedder: Embedder,
    run: Run,
    without: Collection[tuple[str, Offsets]] = (),
) -> list[Sentence]:
    """Return at most `limit` sentences, best first, since a small model picks from the top; one embedding call."""
    offered = [s for hit in hits for s in sentences_of(hit) if s.span not in without]
    if not offered:
        return []
    titled = [f"{s.passage.title}. {s.text}" for s in offered]
    vectors = embedder.embed([query, *titled], run=run)
    words = set(_WORD.findall(query.lower()))
    shared = [len(words & set(_WORD.findall(text.lower()))) / max(1, len(words)) for text in titled]
    scores = vectors[1:] @ vectors[0] + _WORD_WEIGHT * np.array(shared, dtype=np.float32)
    best = np.argsort(-scores, kind="stable")[:limit]
    return [offered[row] for row in best]


def sentences_of(hit: Hit) -> list[Sentence]:
    """Return the sentences of a hit's passage, fragments left out, very long ones cut at a word."""
    passage = hit.passage
    return [
        Sentence(passage=passage, start=start, end=_cut(passage.text, start, end))
        for start, end in sentence_spans(passage.text)
        if end - start >= _SHORTEST
    ]


def show(sentences: Sequence[Sentence]) -> str:
    """Return the sentences numbered from 1, each with its document's title and date, safe for a prompt."""
    return "\n".join(
        f"{number}. {headed(sentence.passage.title, sentence.passage.published, sentence.text)}"
        for number, sentence in enumerate(sentences, start=1)
    )


def headed(title: str, published: TimeSpan | None, text: str) -> str:
    """Return `(title, date) text` as one safe line."""
    head = ", ".join(part for part in (one_line(title), f"published {published}" if published else "") if part)
    return f"({head}) {one_line(text)}"


def one_line(text: str) -> str:
    """Return untrusted text as one safe line."""
    return " ".join(neutralise(text).split())


def _cut(text: str, start: int, end: int) -> int:
    if end - start <= _LONGEST:
        return end
    space = text.rfind(" ", start, start + _LONGEST)
    return space if space > start else start + _LONGEST
