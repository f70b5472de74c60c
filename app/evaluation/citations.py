"""How well an answer is sourced: its citations against the gold documents, and its text against what it cites.

The last two read the answer alone and need no gold. Nothing here shares code with the checks that a system makes of
its own answers, so it can judge them. A ratio over nothing is None: nothing was said.
"""

import re
from collections.abc import Collection

from app.core.sentences import sentence_spans
from app.evaluation.records import Cited, Given
from app.evaluation.values import figures, is_known, known_figures

_NUMBERS = r"\[\s*\d{1,3}(?:\s*,\s*\d{1,3})*\s*\]"
_MARKER = re.compile(rf"\s*{_NUMBERS}")
_STOP = r"(?<![.!?\u2026])[.!?\u2026]++[\"'\u2019\u201d)]*"  # possessive: a long row of dots costs no square
_AFTER_STOP = re.compile(rf"({_STOP})[^\S\n]*({_NUMBERS}(?:[^\S\n]*{_NUMBERS})*)")


def citation_precision(cited: Collection[str], gold: Collection[str]) -> float | None:
    """Return the share of the cited documents that are gold; None when nothing is cited or there is no gold."""
    return len(set(cited) & set(gold)) / len(set(cited)) if cited and gold else None


def citation_recall(cited: Collection[str], gold: Collection[str]) -> float | None:
    """Return the share of the gold documents that are cited; None when there is no gold."""
    return len(set(cited) & set(gold)) / len(set(gold)) if gold else None


def quoted(given: Given) -> float | None:
    """Return the share of the answer's sentences with a citation whose quote stands verbatim in its passage.

    A marker belongs to the sentence it stands in, or right behind on the same line ('It flew. [1] Then'). One that
    resolves to no citation counts for nothing. None for an answer without a sentence.
    """
    held = [any(_is_verbatim(citation) for citation in cited) for _, cited in _sentences(given)]
    return sum(held) / len(held) if held else None


def figures_supported(given: Given) -> float | None:
    """Return the share of the dates and numbers in cited sentences that a passage cited there tells, by value.

    Each is counted as often as it is stated. A sentence without a citation is left to `quoted`. None when the cited
    sentences state no figure.
    """
    found = [
        any(is_known(figure, known) for known in passages)
        for text, cited in _sentences(given)
        if (passages := [known_figures(citation.passage) for citation in cited])
        for figure in figures(text)
    ]
    return sum(found) / len(found) if found else None


def _sentences(given: Given) -> list[tuple[str, list[Cited]]]:
    """Return the answer's sentences without their markers, each with the citations that these resolve to."""
    text = _AFTER_STOP.sub(r" \2\1", given.text)
    found = []
    for start, end in sentence_spans(text):
        markers = {int(number) for marker in _MARKER.findall(text[start:end]) for number in re.findall(r"\d+", marker)}
        bare = _MARKER.sub("", text[start:end])
        if re.search(r"\w", bare):
            found.append((bare, [citation for citation in given.cited if citation.marker in markers]))
    return found


def _is_verbatim(citation: Cited) -> bool:
    return bool(citation.quote.strip()) and citation.quote in citation.passage
