"""BM25 through bm25s: scores computed eagerly into a sparse matrix (Lù 2024, arXiv 2407.03618)."""

from collections.abc import Sequence

import bm25s
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.core.registry import ComponentOptions, Resources
from indexes._common.lexical import LexicalIndex


class Options(ComponentOptions):
    """Constants of BM25, Lucene's variant of the formula; defaults of Anserini."""

    k1: float = Field(default=0.9, ge=0.0, le=10.0, description="saturation of the term frequency")
    b: float = Field(default=0.4, ge=0.0, le=1.0, description="weight of the passage's length")


class _Scorer:
    def __init__(self, texts: list[list[str]], options: Options) -> None:
        self._bm25 = bm25s.BM25(method="lucene", k1=options.k1, b=options.b)
        self._bm25.index(texts, show_progress=False)

    def scores(self, tokens: Sequence[str]) -> NDArray[np.float32]:
        scores: NDArray[np.float32] = self._bm25.get_scores(list(tokens))
        return scores


def build(options: Options, resources: Resources) -> LexicalIndex:
    """Return an empty index over the collection in hand."""
    return LexicalIndex(
        name="bm25s_bm25",
        fit=lambda texts: _Scorer(texts, options),
        recipe=options.model_dump(),
        passages=resources.passages,
    )
