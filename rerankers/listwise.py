"""Orders as a model writes: the whole permutation of each window (RankGPT, arXiv 2304.09542, section 4).

The decoder `schema` has it written as JSON under a grammar, read with repairs that are counted. `choices` reads letter
after letter from a set that shrinks (PE-Rank, arXiv 2406.14848), so that nothing but a permutation can be written.

Cost: one reply a window with `schema`, of about four tokens a passage; with `choices` a prompt for each passage but
one, each the one before it and a letter more. 20 passages are one window, 50 are four.
"""

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Generic, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from app.core.prompts import PromptTemplate, load_prompt
from app.core.protocols import FirstTokenScorer, LanguageModel, Reranker
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from app.core.types import Completion, DegradedReason, Hit, Prompt, Query, Reranking, Sampling
from rerankers._common.cache import Remembered, key_of
from rerankers._common.first_stage import told_scores
from rerankers._common.labels import LETTERS, OPENED, labelled, numbers, refuse_split_letters
from rerankers._common.passages import WORDS, shown, shown_query
from rerankers._common.replies import completed, ranking_in, ranking_schema
from rerankers._common.steps import REMEMBERED, Asked, Steps, Verdict, rerank_in_step
from rerankers._common.windows import windows

_TOKENS_A_NUMBER = 4
_TOKENS_AROUND = 16
_LONGEST_WINDOW = 100

A = TypeVar("A")
Row = NDArray[np.float32]


class Options(ComponentOptions):
    """How the model is asked."""

    depth: int = Field(default=20, ge=1, le=1000, description="candidates that are reranked; the rest follow in order")
    window: int = Field(default=20, ge=2, le=_LONGEST_WINDOW, description="passages in one prompt")
    stride: int = Field(default=10, ge=1, le=_LONGEST_WINDOW, description="places between windows, at most a window")
    words: int = Field(default=WORDS, ge=1, le=10_000, description="words of a passage that the model reads")
    scores: bool = Field(default=False, description="show the first stage's scores from 0 to 100 (InsertRank)")
    decoder: Literal["schema", "choices"] = Field(
        default="schema", description="JSON in one call a window, or letters read in a call for each passage"
    )

    @model_validator(mode="after")
    def _fits(self) -> "Options":
        if self.stride > self.window:
            raise ValueError(f"a stride of {self.stride} skips passages between windows of {self.window}")
        if self.decoder == "choices" and self.window > len(LETTERS):
            raise ValueError(f"the decoder choices has letters for windows of {len(LETTERS)}, not of {self.window}")
        if self.decoder == "choices" and self.scores:
            raise ValueError("scores are shown to the decoder schema only")
        return self


class Decoder(Protocol[A]):
    """How a permutation is got out of a model; `failure` is the reason when it is got of no window."""

    template: PromptTemplate
    failure: DegradedReason

    def ask(self, prompts: Sequence[Prompt], run: Run) -> Sequence[A]:
        """Return one answer per prompt."""
        ...

    def order(self, query: str, texts: Sequence[str]) -> Generator[list[Prompt], Sequence[A], list[int]]:
        """Return the places of the texts as far as the model ordered them, best first, each once."""
        ...


class ListwiseReranker(Generic[A]):
    """Orders window after window from the back; passages keep their scores wherever they move."""

    def __init__(self, decoder: Decoder[A], options: Options) -> None:
        self._decoder = decoder
        self._options = options
        self._memory: Remembered[Verdict] = Remembered(REMEMBERED)

    def rerank(self, query: Query, hits: Sequence[Hit], *, top_k: int, run: Run) -> Reranking:
        """Return the best `top_k` hits; the score is minus the rank, and coverage the share that the model ordered."""
        return self.rerank_many([(query, hits)], top_k=top_k, run=run)[0]

    def rerank_many(self, pairs: Sequence[tuple[Query, Sequence[Hit]]], *, top_k: int, run: Run) -> list[Reranking]:
        """Return one reranking per pair; windows of different questions are asked in one call."""
        asked = [self._asked(query, hits) for query, hits in pairs]
        return rerank_in_step(
            asked,
            lambda prompts: self._decoder.ask(prompts, run),
            memory=self._memory,
            name="listwise",
            top_k=top_k,
        )

    def _asked(self, query: Query, hits: Sequence[Hit]) -> Asked[A]:
        seen = hits[: self._options.depth]
        told = told_scores(seen) if self._options.scores else [""] * len(seen)
        key = key_of(self._decoder.template.digest, query.text, seen, self._options, told)
        return Asked(hits=hits, key=key, begin=lambda: self._steps(query, seen, told))

    def _steps(self, query: Query, hits: Sequence[Hit], told: Sequence[str]) -> Steps[A]:
        shown_hits = [shown(hit.passage, words=self._options.words) for hit in hits]
        texts = [f"({scores}) {text}" if scores else text for scores, text in zip(told, shown_hits, strict=True)]
        order, shares = list(range(len(texts))), list[float]()
        for start, end in windows(len(texts), size=self._options.window, stride=self._options.stride):
            places = order[start:end]
            said = yield from self._decoder.order(shown_query(query.text), [texts[place] for place in places])
            order[start:end] = [places[place] for place in completed(said, len(places))]
            shares.append(len(said) / len(places))
        if shares and not any(shares):
            return Verdict(coverage=0.0, reason=self._decoder.failure)
        return Verdict(order=tuple(order), coverage=float(np.mean(shares)) if shares else 1.0)


class WrittenRanking:
    """One JSON object a window, all its numbers in one go."""

    failure: DegradedReason = "unparsable"

    def __init__(self, model: LanguageModel, options: Options) -> None:
        self._model = model
        self._sampling = Sampling(max_tokens=_TOKENS_AROUND + _TOKENS_A_NUMBER * options.window)
        self.template = load_prompt("rerankers", "listwise_scores" if options.scores else "listwise")

    def ask(self, prompts: Sequence[Prompt], run: Run) -> Sequence[Completion]:
        """Return one completion per prompt."""
        return self._model.generate(prompts, sampling=self._sampling, run=run)

    def order(self, query: str, texts: Sequence[str]) -> Generator[list[Prompt], Sequence[Completion], list[int]]:
        """Return the places in the reply; a number that is doubled, out of range or missing is not counted."""
        passages = labelled(texts, numbers(len(texts)))
        schema = ranking_schema(len(texts))
        [reply] = yield [self.template.render(schema=schema, query=query, passages=passages)]
        return ranking_in(reply.text, len(texts))


class ChosenLetters:
    """The likeliest of the letters left, again and again; each call's prompt goes on from the last one's."""

    failure: DegradedReason = "missing_scores"

    def __init__(self, model: FirstTokenScorer, options: Options) -> None:
        self._model = model
        self._letters = LETTERS[: options.window]
        self.template = load_prompt("rerankers", "first_token_query_first")
        refuse_split_letters(model, self._letters)

    def ask(self, prompts: Sequence[Prompt], run: Run) -> Sequence[Row]:
        """Return the letters' natural logs, one row per prompt."""
        return list(self._model.first_token_logprobs(prompts, choices=tuple(self._letters), run=run))

    def order(self, query: str, texts: Sequence[str]) -> Generator[list[Prompt], Sequence[Row], list[int]]:
        """Return the places as they were chosen; it ends early where the backend tells none of the letters left."""
        prompt = self.template.render(query=query, passages=labelled(texts, LETTERS))
        written, said, left = OPENED, list[int](), list(range(len(texts)))
        while len(left) > 1:
            [row] = yield [replace(prompt, prefill=written)]
            told = [place for place in left if np.isfinite(row[place])]
            if not told:
                return said
            best = max(told, key=lambda place: float(row[place]))
            said.append(best)
            left.remove(best)
            written += f"{LETTERS[best]}] > {OPENED}"
        return [*said, *left]


def build(options: Options, resources: Resources) -> Reranker:
    """Return the reranker.

    Raises:
        ModelError: the decoder is `choices` and a letter is not one token of the model.
    """
    if options.decoder == "choices":
        return ListwiseReranker(ChosenLetters(resources.model_with(FirstTokenScorer), options), options)
    return ListwiseReranker(WrittenRanking(resources.model_with(LanguageModel), options), options)
