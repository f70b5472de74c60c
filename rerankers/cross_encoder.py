"""Orders by a trained cross-encoder, which reads query and passage together (Nogueira and Cho, arXiv 1901.04085).

Its model is a folder that sentence-transformers can load.

Cost: one forward pass of a small model for each passage, in batches.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.core.protocols import PairScorer, Reranker
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from rerankers._common.passages import WORDS, shown, shown_query
from rerankers._common.scoring import Asked, Pair, PassageScores, ScoredReranker, cut


class Options(ComponentOptions):
    """Which model scores, and how much it reads."""

    depth: int = Field(default=20, ge=1, le=1000, description="candidates that are reranked; the rest follow in order")
    model: str = Field(
        default="", description="path of a CrossEncoder's folder, or its name in the model catalogue; must be set"
    )
    words: int = Field(
        default=WORDS,
        ge=1,
        le=10_000,
        description="words of a passage that are given; a model may cut them",
    )
    batch_size: int = Field(default=32, ge=1, le=4096, description="passages computed at once")


class PairScores:
    """The scorer's own numbers, higher is better."""

    def __init__(self, scorer: PairScorer, options: Options) -> None:
        self._scorer = scorer
        self._words = options.words
        self._known = PassageScores(self._ask, digest=options.model, options=(options.words,))

    def scores(self, pairs: Sequence[Pair], *, run: Run) -> list[NDArray[np.float64]]:
        """Return one array per pair, one number per candidate."""
        return cut(self._known.of([(query.text, hit) for query, hits in pairs for hit in hits], run=run), pairs)

    def _ask(self, asked: Sequence[Asked], run: Run) -> NDArray[np.float64]:
        found = []
        for query, group in groupby(asked, key=lambda one: one[0]):
            texts = [shown(hit.passage, words=self._words) for _, hit in group]
            found.append(self._scorer.score(shown_query(query), texts, run=run).astype(np.float64))
        return np.concatenate(found)


def build(options: Options, resources: Resources) -> Reranker:
    """Return the reranker.

    Raises:
        ConfigError: no model is named, or neither catalogue nor disk has it.
    """
    named = {"model": options.model, "batch_size": options.batch_size}
    scorer = resources.component("app.models", "cross_encoder", named)
    return ScoredReranker(PairScores(scorer, options), name="cross_encoder", depth=options.depth)
