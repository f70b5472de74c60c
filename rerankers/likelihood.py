"""Orders by how likely the query is to be asked of each passage: the mean log-probability of its tokens.

(UPR: Sachan et al., EMNLP 2022, equation 3.)

Cost: one forward pass of passage and query for each passage, all of them in one call; nothing is written.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.core.prompts import load_prompt
from app.core.protocols import LikelihoodReader, Reranker
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from rerankers._common.passages import WORDS, shown, shown_query
from rerankers._common.scoring import Asked, Pair, PassageScores, ScoredReranker, cut

_TOGETHER = 8  # questions whose passages go to the model in one call


class Options(ComponentOptions):
    """How many candidates the model reads, and how much of each."""

    depth: int = Field(default=20, ge=1, le=1000, description="candidates that are reranked; the rest follow in order")
    words: int = Field(default=WORDS, ge=1, le=10_000, description="words of a passage that the model reads")


class Likelihood:
    """log p(query | passage) / tokens of the query; natural logs, at most 0."""

    def __init__(self, model: LikelihoodReader, options: Options) -> None:
        self._model = model
        self._words = options.words
        self._prompt = load_prompt("rerankers", "likelihood")
        self._known = PassageScores(self._ask, digest=self._prompt.digest, options=(options.words,))

    def scores(self, pairs: Sequence[Pair], *, run: Run) -> list[NDArray[np.float64]]:
        """Return one array per pair, one mean log-probability per candidate."""
        return cut(self._known.of([(query.text, hit) for query, hits in pairs for hit in hits], run=run), pairs)

    def _ask(self, asked: Sequence[Asked], run: Run) -> NDArray[np.float64]:
        prompts = [self._prompt.render(passage=shown(hit.passage, words=self._words)) for _, hit in asked]
        queries = [shown_query(text) for text, _ in asked]
        found = self._model.token_logprobs(prompts, continuations=queries, run=run)
        return np.array([_mean(logprobs) for logprobs in found])


def _mean(logprobs: NDArray[np.float32]) -> float:
    return float(logprobs.mean(dtype=np.float64)) if logprobs.size else float("nan")


def build(options: Options, resources: Resources) -> Reranker:
    """Return the reranker."""
    scorer = Likelihood(resources.model_with(LikelihoodReader), options)
    return ScoredReranker(scorer, name="likelihood", depth=options.depth, together=_TOGETHER)
