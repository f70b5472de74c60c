"""Scores to hits: the best rows of a search, with their passages."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.core.protocols import PassageSource
from app.core.types import Hit, PassageId, StageScore


def best_rows(scores: NDArray[np.float32], *, top_k: int, mask: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """Return the rows of the highest scores above 0, best first, ties by row, masked-out rows never."""
    candidates = np.flatnonzero(scores > 0.0 if mask is None else (scores > 0.0) & mask)
    if len(candidates) > top_k:
        floor = np.partition(scores[candidates], -top_k)[-top_k]
        candidates = candidates[scores[candidates] >= floor]
    order = np.lexsort((candidates, -scores[candidates]))
    return candidates[order][:top_k]


def to_hits(
    found: Sequence[Sequence[tuple[PassageId, float]]], *, name: str, passages: PassageSource
) -> list[list[Hit]]:
    """Return the hits of several searches, whose passages are fetched in one go."""
    wanted = list(dict.fromkeys(passage_id for one in found for passage_id, _ in one))
    by_id = dict(zip(wanted, passages.get(wanted), strict=True)) if wanted else {}
    return [
        [
            Hit(passage=by_id[passage_id], stages=(StageScore(name=name, rank=rank, score=score),))
            for rank, (passage_id, score) in enumerate(one, start=1)
        ]
        for one in found
    ]


def passage_text(title: str, text: str) -> str:
    """Return what is indexed of a passage: its document's title and its text."""
    return f"{title}. {text}" if title else text
