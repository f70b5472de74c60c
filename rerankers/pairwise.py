"""Orders by comparing passages two by two, each pair in both directions (PRP, arXiv 2306.17563, section 3).

A passage wins where both directions say so; else the two are alike and stay as the first stage had them.

Cost: two prompts of two passages for each comparison, nothing is written; for the best 10 of 20 about 95 prompts in 8
calls.
"""

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.core.prompts import load_prompt
from app.core.protocols import FirstTokenScorer, Reranker
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from app.core.types import Hit, Prompt, Query, Reranking
from rerankers._common.cache import Remembered, key_of
from rerankers._common.labels import LETTERS, OPENED, refuse_split_letters
from rerankers._common.passages import WORDS, shown, shown_query
from rerankers._common.quicksort import Pair, quicksort
from rerankers._common.scoring import LOWEST_COVERAGE
from rerankers._common.steps import REMEMBERED, Asked, Steps, Verdict, rerank_in_step

_CHOICES = LETTERS[:2]
_REMEMBERED_PAIRS = 20_000

Row = NDArray[np.float32]
Odds = tuple[float, float]
"""Log-odds of the passage with the lower id, where it stands first and where it stands second; NaN if not told."""


class Options(ComponentOptions):
    """How much is sorted and what it may cost."""

    depth: int = Field(default=20, ge=1, le=1000, description="candidates that are reranked; the rest follow in order")
    top: int = Field(default=10, ge=1, le=1000, description="places that are sorted; the rest follow as far as known")
    max_comparisons: int = Field(
        default=500, ge=1, le=1_000_000, description="pairs compared for a query, two prompts each; then it stops"
    )
    words: int = Field(default=WORDS, ge=1, le=10_000, description="words of a passage that the model reads")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One query with its hits as they are shown, and what is known of their pairs."""

    query: Query
    hits: Sequence[Hit]
    texts: Sequence[str]
    odds: dict[Pair, Odds] = field(default_factory=dict)

    def by_id(self, pair: Pair) -> Pair:
        """Return the pair with the lower passage id first, so that it is one pair from either side."""
        return min(pair, pair[::-1], key=lambda places: self.hits[places[0]].passage.passage_id)


class PairwiseReranker:
    """Sorts by quicksort with all comparisons of a level in one call; every pair is asked once and remembered."""

    def __init__(self, model: FirstTokenScorer, options: Options) -> None:
        self._model = model
        self._options = options
        self._prompt = load_prompt("rerankers", "pairwise")
        self._memory: Remembered[Verdict] = Remembered(REMEMBERED)
        self._pairs: Remembered[Odds] = Remembered(_REMEMBERED_PAIRS)

    def rerank(self, query: Query, hits: Sequence[Hit], *, top_k: int, run: Run) -> Reranking:
        """Return the best `top_k` hits; the score is minus the rank.

        Past `max_comparisons` it is degraded: coverage is then the share of the hits that stand where they belong.
        """
        return self.rerank_many([(query, hits)], top_k=top_k, run=run)[0]

    def rerank_many(self, pairs: Sequence[tuple[Query, Sequence[Hit]]], *, top_k: int, run: Run) -> list[Reranking]:
        """Return one reranking per pair; comparisons of different questions are asked in one call."""

        def ask(prompts: Sequence[Prompt]) -> Sequence[Row]:
            return list(self._model.first_token_logprobs(prompts, choices=tuple(_CHOICES), run=run))

        asked = [self._asked(query, hits, min(top_k, self._options.top)) for query, hits in pairs]
        return rerank_in_step(asked, ask, memory=self._memory, name="pairwise", top_k=top_k)

    def _asked(self, query: Query, hits: Sequence[Hit], top: int) -> Asked[Row]:
        seen = hits[: self._options.depth]
        key = key_of(self._prompt.digest, query.text, seen, self._options, top)
        return Asked(hits=hits, key=key, begin=lambda: self._steps(query, seen, top))

    def _steps(self, query: Query, hits: Sequence[Hit], top: int) -> Steps[Row]:
        texts = [shown(hit.passage, words=self._options.words) for hit in hits]
        question = _Question(query=query, hits=hits, texts=texts)
        done = yield from quicksort(len(hits), top=top, compare=lambda pairs: self._compare(question, pairs))
        told = [not math.isnan(odds) for both in question.odds.values() for odds in both]
        coverage = sum(told) / len(told) if told else 1.0
        if coverage < LOWEST_COVERAGE:
            return Verdict(coverage=coverage, reason="missing_scores")
        if done.unsorted:
            settled = 1.0 - done.unsorted / len(hits)
            return Verdict(order=tuple(done.order), coverage=min(coverage, settled), reason="budget")
        return Verdict(order=tuple(done.order), coverage=coverage)

    def _compare(
        self, question: _Question, pairs: Sequence[Pair]
    ) -> Generator[list[Prompt], Sequence[Row], list[int] | None]:
        """Return who is better in each pair, None if that takes more comparisons than are allowed.

        Those remembered from other calls count too, so that the order does not depend on what was asked before.
        """
        wanted = list(dict.fromkeys(question.by_id(pair) for pair in pairs))
        new = [pair for pair in wanted if pair not in question.odds]
        if len(question.odds) + len(new) > self._options.max_comparisons:
            return None
        yield from self._look_up(question, new)
        return [
            preference(question.odds[key]) * (1 if key == pair else -1)
            for pair, key in ((pair, question.by_id(pair)) for pair in pairs)
        ]

    def _look_up(self, question: _Question, pairs: Sequence[Pair]) -> Generator[list[Prompt], Sequence[Row], None]:
        """Fill in the odds of the pairs: those remembered, and the others from one call with two prompts for each."""
        keys = {pair: self._key(question, pair) for pair in pairs}
        known = {pair: odds for pair, key in keys.items() if (odds := self._pairs.get(key)) is not None}
        unknown = [pair for pair in pairs if pair not in known]
        if unknown:
            rows = yield [self._ask_for(question, both) for pair in unknown for both in (pair, pair[::-1])]
            for number, pair in enumerate(unknown):
                first, second = rows[2 * number], rows[2 * number + 1]
                known[pair] = (_log_odds(first), -_log_odds(second))
                self._pairs.put(keys[pair], known[pair])
        question.odds.update(known)

    def _key(self, question: _Question, pair: Pair) -> str:
        hits = [question.hits[place] for place in pair]
        return key_of(self._prompt.digest, question.query.text, hits, self._options.words)

    def _ask_for(self, question: _Question, pair: Pair) -> Prompt:
        first, second = (question.texts[place] for place in pair)
        prompt = self._prompt.render(query=shown_query(question.query.text), first=first, second=second)
        return replace(prompt, prefill=OPENED)


def preference(odds: Odds) -> int:
    """Return 1 where a passage is the better one in both places, -1 where the other is, 0 for all else."""
    first, second = odds
    return int(first > 0.0 and second > 0.0) - int(first < 0.0 and second < 0.0)


def _log_odds(row: Row) -> float:
    """Return log p(A) - log p(B), NaN where the backend told neither."""
    return float(row[0]) - float(row[1])


def build(options: Options, resources: Resources) -> Reranker:
    """Return the reranker.

    Raises:
        ModelError: A or B is not one token of the model.
    """
    model = resources.model_with(FirstTokenScorer)
    refuse_split_letters(model, _CHOICES)
    return PairwiseReranker(model, options)
