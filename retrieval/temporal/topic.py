"""How much a passage speaks of what is asked before its times count: by its own score, and by its document's best."""

import re
from collections.abc import Sequence

from app.core.fusion import spread
from app.core.types import Hit, Passage

_ADDED = re.compile(r"\s[-–—]+\s|[:,(]")


def topic_scores(hits: Sequence[Hit], *, by_document: bool = True) -> list[float]:
    """Return the hits' scores, spread from 0 to 1; `by_document`, the mean with the best of the same document.

    Half of the topic is settled where a document is found: of its passages many tell of what is asked, few of the time
    that is asked for (passages vouched for by their document: Callan, SIGIR 1994). A passage that is alone keeps its
    score.
    """
    scores = spread(hits)
    if not by_document:
        return scores
    names = [_document(hit.passage) for hit in hits]
    best: dict[str, float] = {}
    for name, score in zip(names, scores, strict=True):
        best[name] = max(best.get(name, 0.0), score)
    return [(score + best[name]) / 2 for name, score in zip(names, scores, strict=True)]


def _document(passage: Passage) -> str:
    """Return a title up to a dash, colon, comma or bracket that adds to it: what is cut into sections has one name."""
    return _ADDED.split(passage.title, maxsplit=1)[0].strip() or passage.doc_id
