"""Orders by the log-odds of Yes against No when a model is asked of each passage whether it helps.

(After ProRank, arXiv 2506.03487, without its training.) What the same passage gets for a query without content is
subtracted, as in ICR: a small model says Yes to some passages whatever is asked.

Cost: two prompts for each passage, one without `calibrated`; they begin alike, and nothing is written.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.core.prompts import load_prompt
from app.core.protocols import FirstTokenScorer, Reranker
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from rerankers._common.passages import CONTENT_FREE, WORDS, shown, shown_query
from rerankers._common.scoring import Asked, Pair, PassageScores, ScoredReranker, cut

_TOGETHER = 8  # questions whose passages go to the model in one call
_CHOICES = ("Yes", "No")
_SURE = 1.0 - 1e-6  # a probability of 1 has no log-odds


class Options(ComponentOptions):
    """How many candidates the model judges, and how."""

    depth: int = Field(default=20, ge=1, le=1000, description="candidates that are reranked; the rest follow in order")
    words: int = Field(default=WORDS, ge=1, le=10_000, description="words of a passage that the model reads")
    calibrated: bool = Field(
        default=True, description="subtract what the passage gets for the query N/A; twice the prompts"
    )


class LogOdds:
    """log p(Yes) - log p(No) for query and passage, less the same for a query without content."""

    def __init__(self, model: FirstTokenScorer, options: Options) -> None:
        self._model = model
        self._options = options
        self._prompt = load_prompt("rerankers", "pointwise")
        self._known = PassageScores(self._ask, digest=self._prompt.digest, options=(options.words,))

    def scores(self, pairs: Sequence[Pair], *, run: Run) -> list[NDArray[np.float64]]:
        """Return one array per pair, one number per candidate.

        The two prompts of a passage stand side by side, for they begin alike.
        """
        asked = [(query.text, hit) for query, hits in pairs for hit in hits]
        if not self._options.calibrated:
            return cut(self._known.of(asked, run=run), pairs)
        both = [(text, hit) for query, hit in asked for text in (query, CONTENT_FREE)]
        odds = self._known.of(both, run=run).reshape(-1, 2)
        return cut(odds[:, 0] - odds[:, 1], pairs)

    def _ask(self, asked: Sequence[Asked], run: Run) -> NDArray[np.float64]:
        prompts = [
            self._prompt.render(passage=shown(hit.passage, words=self._options.words), query=shown_query(text))
            for text, hit in asked
        ]
        found = self._model.first_token_logprobs(prompts, choices=_CHOICES, run=run)
        return np.array([log_odds(float(yes), float(no)) for yes, no in found])


def log_odds(yes: float, no: float) -> float:
    """Return log p(Yes) - log p(No) from natural logs, NaN where the backend gave neither.

    Where it gave one, the other is given the mass that is left, which is the most it can have.
    """
    if np.isneginf(yes) and np.isneginf(no):
        return float("nan")
    if np.isneginf(no):
        return yes - _log_of_rest(yes)
    if np.isneginf(yes):
        return _log_of_rest(no) - no
    return yes - no


def _log_of_rest(logprob: float) -> float:
    return float(np.log1p(-min(np.exp(logprob), _SURE)))


def build(options: Options, resources: Resources) -> Reranker:
    """Return the reranker."""
    scorer = LogOdds(resources.model_with(FirstTokenScorer), options)
    return ScoredReranker(scorer, name="pointwise", depth=options.depth, together=_TOGETHER)
