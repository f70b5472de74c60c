"""Orders by the first letter that a model would write: one prefill a window (FIRST, arXiv 2406.15657, section 3).

A general model's letters carry a prior by position. So what they get for a query without content is subtracted, and
both orders of a window are averaged; a model that was trained for this needs neither.

Cost: one prompt of up to 20 passages a window, read and nothing written, times `orders`, and again for N/A, which
shares all but the query: 20 candidates are one window and four prompts, 50 are four windows and sixteen.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from app.core.prompts import load_prompt
from app.core.protocols import FirstTokenScorer, Reranker
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from app.core.types import Hit, Prompt, Query, Reranking
from rerankers._common.cache import Remembered, key_of
from rerankers._common.labels import LETTERS, OPENED, labelled, refuse_split_letters
from rerankers._common.passages import CONTENT_FREE, WORDS, shown, shown_query
from rerankers._common.scoring import LOWEST_COVERAGE
from rerankers._common.steps import REMEMBERED, Asked, Steps, Verdict, rerank_in_step
from rerankers._common.windows import windows

_EASY = 10  # letters that servers tell, who tell 20 tokens; of 20 letters some are always missing

Row = NDArray[np.float32]


class Options(ComponentOptions):
    """How the model is asked."""

    depth: int = Field(default=20, ge=1, le=1000, description="candidates that are reranked; the rest follow in order")
    window: int = Field(
        default=20, ge=2, le=len(LETTERS), description="passages in one prompt; halved where a server tells few letters"
    )
    stride: int = Field(default=10, ge=1, le=len(LETTERS), description="places between windows, at most a window")
    calibrated: bool = Field(
        default=True, description="subtract what the letters get for the query N/A; one more prompt, which shares most"
    )
    orders: int = Field(default=2, ge=1, le=2, description="2: a window is asked in both orders and averaged")
    query_first: bool = Field(
        default=False, description="the question before the passages too, as in the paper; then N/A shares no prefix"
    )
    words: int = Field(default=WORDS, ge=1, le=10_000, description="words of a passage that the model reads")

    @model_validator(mode="after")
    def _strides_leave_no_gap(self) -> "Options":
        if self.stride > self.window:
            raise ValueError(f"a stride of {self.stride} skips passages between windows of {self.window}")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """What the letters of one window tell: a score for each passage, higher is better, and the share that was told."""

    scores: NDArray[np.float64]
    coverage: float


class FirstTokenReranker:
    """Reads letters; halves its windows for good when it first meets a backend that leaves letters out."""

    def __init__(self, model: FirstTokenScorer, options: Options) -> None:
        self._model = model
        self._options = options
        self._prompt = load_prompt("rerankers", "first_token_query_first" if options.query_first else "first_token")
        self._memory: Remembered[Verdict] = Remembered(REMEMBERED)
        self._parts = 1

    def rerank(self, query: Query, hits: Sequence[Hit], *, top_k: int, run: Run) -> Reranking:
        """Return the best `top_k` hits; in one window the score is the letter's, beyond that only order is known."""
        return self.rerank_many([(query, hits)], top_k=top_k, run=run)[0]

    def rerank_many(self, pairs: Sequence[tuple[Query, Sequence[Hit]]], *, top_k: int, run: Run) -> list[Reranking]:
        """Return one reranking per pair; windows of different questions are asked in one call."""

        def ask(prompts: Sequence[Prompt]) -> Sequence[Row]:
            choices = LETTERS[: self._options.window]
            return list(self._model.first_token_logprobs(prompts, choices=tuple(choices), run=run))

        asked = [self._asked(query, hits) for query, hits in pairs]
        return rerank_in_step(asked, ask, memory=self._memory, name="first_token", top_k=top_k)

    def _asked(self, query: Query, hits: Sequence[Hit]) -> Asked[Row]:
        seen = hits[: self._options.depth]
        key = key_of(self._prompt.digest, query.text, seen, self._options)
        return Asked(hits=hits, key=key, begin=lambda: self._steps(query, seen))

    def _steps(self, query: Query, hits: Sequence[Hit]) -> Steps[Row]:
        texts = [shown(hit.passage, words=self._options.words) for hit in hits]
        while True:
            parts = self._parts
            verdict = yield from self._slide(shown_query(query.text), texts, parts)
            if verdict is not None:
                return verdict
            self._parts = 2

    def _slide(
        self, query: str, texts: Sequence[str], parts: int
    ) -> Generator[list[Prompt], Sequence[Row], Verdict | None]:
        """Return the verdict, None if letters are missing and half a window may have them all."""
        size, stride = self._options.window // parts, max(1, self._options.stride // parts)
        order, seen = list(range(len(texts))), list[Letters]()
        for start, end in windows(len(texts), size=size, stride=stride):
            places = order[start:end]
            letters = yield from self._window(query, [texts[place] for place in places])
            if letters.coverage < 1.0 and parts == 1 and len(places) > _EASY:
                return None
            best = np.argsort(-letters.scores, kind="stable")
            order[start:end] = [places[place] for place in best]
            seen.append(letters)
        return _verdict(order, seen)

    def _window(self, query: str, texts: Sequence[str]) -> Generator[list[Prompt], Sequence[Row], Letters]:
        """Ask one window in each order, each with the query and without; prompts that begin alike stand together."""
        queries = [query, CONTENT_FREE] if self._options.calibrated else [query]
        orders = [list(texts), list(reversed(texts))][: self._options.orders]
        rows = yield [self._ask_for(one, listed) for listed in orders for one in queries]
        told = np.array([row[: len(texts)] for row in rows], dtype=np.float64).reshape(len(orders), len(queries), -1)
        read = [letters_of(*of_one_order) for of_one_order in told]
        scores = [one.scores if number == 0 else one.scores[::-1] for number, one in enumerate(read)]
        return Letters(scores=np.mean(scores, axis=0), coverage=float(np.mean([one.coverage for one in read])))

    def _ask_for(self, query: str, texts: Sequence[str]) -> Prompt:
        return replace(self._prompt.render(passages=labelled(texts, LETTERS), query=query), prefill=OPENED)


def letters_of(asked: NDArray[np.float64], content_free: NDArray[np.float64] | None = None) -> Letters:
    """Return scores from natural logs of the letters, less those for the content-free query where there are any.

    A letter that was not told gets the lowest score minus 1, so that such letters stay in order behind the others. One
    that only the content-free prompt left out is taken to have the least that was told there, minus 1.
    """
    told = np.isfinite(asked)
    if not told.any():
        return Letters(scores=np.zeros(len(asked)), coverage=0.0)
    scores = np.where(told, asked, 0.0) - (0.0 if content_free is None else _floored(content_free))
    scores = np.where(told, scores, scores[told].min() - 1.0)
    return Letters(scores=scores, coverage=float(told.mean()))


def _floored(logprobs: NDArray[np.float64]) -> NDArray[np.float64]:
    told = np.isfinite(logprobs)
    if not told.any():
        return np.zeros(len(logprobs))
    return np.where(told, logprobs, logprobs[told].min() - 1.0)


def _verdict(order: Sequence[int], seen: Sequence[Letters]) -> Verdict:
    """Return what came of all windows; scores of different prompts are not comparable, so of several only the order."""
    coverage = float(np.mean([letters.coverage for letters in seen])) if seen else 1.0
    if coverage < LOWEST_COVERAGE:
        return Verdict(coverage=coverage, reason="missing_scores")
    if len(seen) == 1:
        return Verdict(scores=tuple(seen[0].scores.tolist()), coverage=coverage)
    return Verdict(order=tuple(order), coverage=coverage)


def build(options: Options, resources: Resources) -> Reranker:
    """Return the reranker.

    Raises:
        ModelError: a letter is not one token of the model.
    """
    model = resources.model_with(FirstTokenScorer)
    refuse_split_letters(model, LETTERS[: options.window])
    return FirstTokenReranker(model, options)
