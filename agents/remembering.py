"""What a search has found, reranked or asked once is not paid again by another branch of its tree.

One memory serves one question, several threads at once: who asks for what another is just making waits for it.
"""

import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

from app.core.protocols import LanguageModel, Reranker, Retriever
from app.core.run import Run
from app.core.types import Completion, Filter, Hit, Prompt, Query, Reranking, Sampling

A = TypeVar("A")
V = TypeVar("V")


class Memory:
    """Results by what was asked for."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Future[Any]] = {}
        self._lock = threading.Lock()

    def recall(self, asked: Sequence[tuple[Hashable, A]], make: Callable[[list[A]], Sequence[V]]) -> list[V]:
        """Return one result per key, in order; those that are not known are made together, from what stands by them.

        A failure is not remembered.
        """
        with self._lock:
            mine = {key: one for key, one in asked if key not in self._known}
            made: dict[Hashable, Future[V]] = {key: Future() for key in mine}
            self._known |= made
            wanted = [self._known[key] for key, _ in asked]
        try:
            if mine:
                for future, value in zip(made.values(), make(list(mine.values())), strict=True):
                    future.set_result(value)
        finally:
            self._forget([key for key, future in made.items() if future.cancel()])
        try:
            return [future.result() for future in wanted]
        except CancelledError:  # whoever was making it failed
            return self.recall(asked, make)

    def _forget(self, keys: Sequence[Hashable]) -> None:
        with self._lock:
            for key in keys:
                del self._known[key]


class RememberingRetriever:
    """Searches with each query once; all searches of a question have one filter. Implements Retriever."""

    def __init__(self, retriever: Retriever, memory: Memory) -> None:
        self._retriever = retriever
        self._memory = memory

    def retrieve(self, query: Query, *, top_k: int, run: Run, allowed: Filter | None = None) -> list[Hit]:
        """Return at most `top_k` hits, best first."""
        return self.retrieve_many([query], top_k=top_k, run=run, allowed=allowed)[0]

    def retrieve_many(
        self, queries: Sequence[Query], *, top_k: int, run: Run, allowed: Filter | None = None
    ) -> list[list[Hit]]:
        """Return one list per query, each as `retrieve` would give it."""
        return self._memory.recall(
            [(("search", " ".join(query.text.split()).lower(), query.time, top_k), query) for query in queries],
            lambda new: self._retriever.retrieve_many(new, top_k=top_k, run=run, allowed=allowed),
        )


class RememberingReranker:
    """Reranks the same hits for the same query once; implements Reranker."""

    def __init__(self, reranker: Reranker, memory: Memory) -> None:
        self._reranker = reranker
        self._memory = memory

    def rerank(self, query: Query, hits: Sequence[Hit], *, top_k: int, run: Run) -> Reranking:
        """Return the best `top_k` hits."""
        return self.rerank_many([(query, hits)], top_k=top_k, run=run)[0]

    def rerank_many(self, pairs: Sequence[tuple[Query, Sequence[Hit]]], *, top_k: int, run: Run) -> list[Reranking]:
        """Return one reranking per pair, each as `rerank` would give it."""
        asked = [
            (("rerank", query.text, query.time, tuple(hit.passage.passage_id for hit in hits), top_k), (query, hits))
            for query, hits in pairs
        ]
        return self._memory.recall(asked, lambda new: self._reranker.rerank_many(new, top_k=top_k, run=run))


class RememberingModel:
    """Asks the model the same thing once; a LanguageModel for one branch.

    `tokens` are those of all that the branch was told, remembered or not, so that what a branch costs by itself does
    not depend on which came first.
    """

    def __init__(self, model: LanguageModel, memory: Memory) -> None:
        self.model_id = model.model_id
        self.tokens = 0
        self._model = model
        self._memory = memory

    def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
        """Return one completion per prompt, in order."""
        drawn_with = run.seed if sampling.temperature > 0.0 else None
        completions = self._memory.recall(
            [((_key(prompt), sampling, drawn_with), prompt) for prompt in prompts],
            lambda new: self._model.generate(new, sampling=sampling, run=run),
        )
        self.tokens += sum(one.usage.prompt_tokens + one.usage.completion_tokens for one in completions)
        return completions


def _key(prompt: Prompt) -> Hashable:
    return prompt.digest, prompt.system, prompt.user, prompt.prefill
