"""Rerankers that give each candidate a number: depth, gaps, memory and several questions at once, treated here once."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.core.run import Run
from app.core.types import Hit, Query, Reranking
from rerankers._common.cache import Remembered, key_of
from rerankers._common.ordering import FORGIVEN, as_they_came, by_score, or_as_they_came

LOWEST_COVERAGE = 0.6
"""Share of the candidates that must have a number, else the order stays; the value of the FIRST card's letters."""
_PAIRS = 256 * 20  # numbers remembered by `PassageScores`: 256 questions of 20 candidates

Pair = tuple[Query, Sequence[Hit]]
Asked = tuple[str, Hit]


class ListScorer(Protocol):
    """Numbers for the candidates of some questions."""

    def scores(self, pairs: Sequence[Pair], *, run: Run) -> list[NDArray[np.float64]]:
        """Return one array per pair, one number per candidate, higher is better, not finite where there is none."""
        ...


class ScoredReranker:
    """Orders the first `depth` hits by a scorer's numbers; implements Reranker.

    `together` questions are asked in one call; a call that fails is made again for each of them alone.
    """

    def __init__(self, scorer: ListScorer, *, name: str, depth: int, together: int = 1) -> None:
        self._scorer = scorer
        self._name = name
        self._depth = depth
        self._together = together

    def rerank(self, query: Query, hits: Sequence[Hit], *, top_k: int, run: Run) -> Reranking:
        """Return the best `top_k` hits; those beyond the depth follow as they came."""
        return or_as_they_came(lambda: self._reranked(query, hits, top_k, run), hits, name=self._name, top_k=top_k)

    def rerank_many(self, pairs: Sequence[Pair], *, top_k: int, run: Run) -> list[Reranking]:
        """Return one reranking per pair, each as `rerank` would give it."""
        found: list[Reranking] = []
        for start in range(0, len(pairs), self._together):
            batch = pairs[start : start + self._together]
            self._remember_together(batch, run)
            found += [self.rerank(query, hits, top_k=top_k, run=run) for query, hits in batch]
        return found

    def _remember_together(self, pairs: Sequence[Pair], run: Run) -> None:
        """Let the scorer meet all the questions at once; what goes wrong is told when each is asked alone."""
        if len(pairs) > 1:
            with suppress(*FORGIVEN):
                self._scorer.scores([(query, hits[: self._depth]) for query, hits in pairs], run=run)

    def _reranked(self, query: Query, hits: Sequence[Hit], top_k: int, run: Run) -> Reranking:
        scores = self._scorer.scores([(query, hits[: self._depth])], run=run)[0]
        known = np.isfinite(scores)
        coverage = float(known.mean())
        if coverage < LOWEST_COVERAGE:
            return as_they_came(hits, name=self._name, top_k=top_k, reason="missing_scores", coverage=coverage)
        filled = np.where(known, scores, scores[known].min() - 1.0)
        return by_score(hits, filled.tolist(), name=self._name, top_k=top_k, coverage=coverage)


class PassageScores:
    """A number for each query and passage, whatever list it stands in; each is asked for once and remembered."""

    def __init__(
        self,
        ask: Callable[[Sequence[Asked], Run], NDArray[np.float64]],
        *,
        digest: str,
        options: Sequence[object] = (),
    ) -> None:
        """Take what asks the model; `digest` and `options` are what else its numbers depend on."""
        self._ask = ask
        self._digest = digest
        self._options = options
        self._remembered: Remembered[float] = Remembered(_PAIRS)

    def of(self, asked: Sequence[Asked], *, run: Run) -> NDArray[np.float64]:
        """Return the numbers, shape (len(asked),); those not known yet are asked for in one call, in order."""
        keys = [key_of(self._digest, query, [hit], *self._options) for query, hit in asked]
        found = {key: self._remembered.get(key) for key in keys}
        wanted = {key: one for key, one in zip(keys, asked, strict=True) if found[key] is None}
        if wanted:
            new = self._ask(list(wanted.values()), run)
            for key, score in zip(wanted, new.tolist(), strict=True):
                found[key] = score
                if np.isfinite(score):  # what the backend did not tell now it may tell next time
                    self._remembered.put(key, score)
        return np.array([found[key] for key in keys], dtype=np.float64)


def cut(scores: NDArray[np.float64], pairs: Sequence[Pair]) -> list[NDArray[np.float64]]:
    """Return the numbers of all candidates of all pairs, in order, as one array per pair."""
    ends = np.cumsum([len(hits) for _, hits in pairs])
    return [np.asarray(part) for part in np.split(scores, ends[:-1])] if pairs else []
