"""What components promise one another; every `run` is checked before work that costs."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from app.core.run import Run
from app.core.timespan import TimeConstraint
from app.core.types import (
    Completion,
    Filter,
    Hit,
    Offsets,
    Passage,
    PassageId,
    Prompt,
    Query,
    Reranking,
    Sampling,
)


class PassageSource(Protocol):
    """Where passages live; indexes keep ids only."""

    def get(self, passage_ids: Sequence[PassageId]) -> list[Passage]:
        """Return the passages in the order asked for; an unknown id raises NotFound."""
        ...

    def select(self, allowed: Filter) -> frozenset[PassageId]:
        """Return the ids of the live passages that the filter lets through."""
        ...


class Index(Protocol):
    """Finds passages by text; a search reads one immutable generation, changes make the next."""

    generation: int

    def add(self, passages: Iterable[Passage], *, run: Run) -> None:
        """Add passages; a known passage_id is replaced."""
        ...

    def delete(self, passage_ids: Iterable[PassageId]) -> None:
        """Remove passages: never a hit again; an unknown id is ignored."""
        ...

    def search(self, texts: Sequence[str], *, top_k: int, run: Run, allowed: Filter | None = None) -> list[list[Hit]]:
        """Return one list per text, best first, live and allowed passages only; empty index, empty lists."""
        ...

    def live_ids(self) -> frozenset[PassageId]:
        """Return the ids a search can find."""
        ...

    def compact(self) -> None:
        """Drop tombstones and give the space back."""
        ...

    def save(self, folder: Path) -> None:
        """Write everything, manifest included, into an empty folder."""
        ...

    def load(self, folder: Path) -> None:
        """Take over what `save` wrote.

        Raises:
            StaleIndex: it was built by another component, model or setting, or is damaged.
        """
        ...


class Retriever(Protocol):
    """Finds passages for queries."""

    def retrieve(self, query: Query, *, top_k: int, run: Run, allowed: Filter | None = None) -> list[Hit]:
        """Return at most `top_k` hits, best first."""
        ...

    def retrieve_many(
        self, queries: Sequence[Query], *, top_k: int, run: Run, allowed: Filter | None = None
    ) -> list[list[Hit]]:
        """Return one list per query, each as `retrieve` would give it."""
        ...


class TimeReader(Protocol):
    """Reads the time constraint out of a question."""

    def read(self, text: str, *, asked_on: date, run: Run) -> TimeConstraint | None:
        """Return the constraint, or None when the text has none."""
        ...


class Reranker(Protocol):
    """Reorders hits; never invents, drops or repeats a passage before `top_k`."""

    def rerank(self, query: Query, hits: Sequence[Hit], *, top_k: int, run: Run) -> Reranking:
        """Return the best `top_k` hits, each with one more stage."""
        ...

    def rerank_many(self, pairs: Sequence[tuple[Query, Sequence[Hit]]], *, top_k: int, run: Run) -> list[Reranking]:
        """Return one reranking per pair, each as `rerank` would give it."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into vectors; `fingerprint` changes whenever the vectors would."""

    dim: int
    fingerprint: str

    def embed(self, texts: Sequence[str], *, run: Run) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dim), rows of norm 1."""
        ...


class TokenCounter(Protocol):
    """Counts as the embedder does, so that passages fit its window."""

    max_tokens: int

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text, special tokens included."""
        ...


@runtime_checkable
class LanguageModel(Protocol):
    """Every model that writes."""

    model_id: str

    def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
        """Return one completion per prompt, in order; a prompt's schema is enforced by the backend's grammar."""
        ...


@runtime_checkable
class StreamingModel(Protocol):
    """A model that can show its text while it writes."""

    def stream(self, prompt: Prompt, *, sampling: Sampling, run: Run) -> Iterator[str]:
        """Yield the completion's text piece by piece; the pieces join to what `generate` returns."""
        ...


@runtime_checkable
class FirstTokenScorer(Protocol):
    """A model whose first-token distribution can be read."""

    def first_token_logprobs(
        self, prompts: Sequence[Prompt], *, choices: Sequence[str], run: Run
    ) -> NDArray[np.float32]:
        """Return natural logs, shape (len(prompts), len(choices)); -inf where the backend gave none."""
        ...


@runtime_checkable
class LikelihoodReader(Protocol):
    """A model that can score given text."""

    def token_logprobs(
        self, prompts: Sequence[Prompt], *, continuations: Sequence[str], run: Run
    ) -> list[NDArray[np.float32]]:
        """Return natural logs of each continuation's tokens given its prompt, one array per pair."""
        ...


@runtime_checkable
class AttentionReader(Protocol):
    """A model whose attention can be read; it has `layers` of `heads` each, and heads are named for its `model_id`."""

    model_id: str
    layers: int
    heads: int

    def suffix_attention(
        self,
        prefix: Prompt,
        *,
        suffixes: Sequence[str],
        spans: Sequence[Offsets],
        run: Run,
        heads: Sequence[tuple[int, int]] | None = None,
    ) -> list[list[NDArray[np.float32]]]:
        """Return, per suffix and span, attention from the suffix (mean over its tokens) to each token of the span.

        Arrays have shape (heads, tokens). Spans are character offsets in the prefix, which is computed once for all
        suffixes; heads are (layer, head), None for all.
        """
        ...


@runtime_checkable
class PairScorer(Protocol):
    """A trained scorer of query and text."""

    def score(self, query: str, texts: Sequence[str], *, run: Run) -> NDArray[np.float32]:
        """Return one relevance score per text, shape (len(texts),), higher is better."""
        ...
