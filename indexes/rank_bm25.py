"""BM25 through rank-bm25, the plain reference: every score computed at query time (Robertson et al., Okapi)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from rank_bm25 import BM25Plus

from app.core.registry import ComponentOptions, Resources
from indexes._common.lexical import LexicalIndex


class Options(ComponentOptions):
    """Constants of BM25."""

    k1: float = Field(default=0.9, ge=0.0, le=10.0, description="saturation of the term frequency")
    b: float = Field(default=0.4, ge=0.0, le=1.0, description="weight of the passage's length")


class _Scorer:
    """BM25+ with delta 0 is Okapi with an idf that is never negative."""

    def __init__(self, texts: list[list[str]], options: Options) -> None:
        self._bm25 = BM25Plus(texts, k1=options.k1, b=options.b, delta=0)

    def scores(self, tokens: Sequence[str]) -> NDArray[np.float32]:
        return np.asarray(self._bm25.get_scores(list(tokens)), dtype=np.float32)


def build(options: Options, resources: Resources) -> LexicalIndex:
    """Return an empty index over the collection in hand."""
    return LexicalIndex(
        name="rank_bm25",
        fit=lambda texts: _Scorer(texts, options),
        recipe=options.model_dump(),
        passages=resources.passages,
    )
