"""What stands between the agent and a component, and keeps what the component does from the rest of an answer."""

from collections.abc import Callable, Sequence

from app.core.budget import Budget
from app.core.errors import NotFound
from app.core.protocols import Reranker, Retriever
from app.core.run import Run
from app.core.types import Filter, Hit, Query, Reranking


class UpToDate:
    """A retriever made anew when a publication took away what it had just found; implements Retriever."""

    def __init__(self, make: Callable[[], Retriever]) -> None:
        self._make = make
        self._made = make()

    def retrieve(self, query: Query, *, top_k: int, run: Run, allowed: Filter | None = None) -> list[Hit]:
        """Return at most `top_k` hits, best first."""
        return self.retrieve_many([query], top_k=top_k, run=run, allowed=allowed)[0]

    def retrieve_many(
        self, queries: Sequence[Query], *, top_k: int, run: Run, allowed: Filter | None = None
    ) -> list[list[Hit]]:
        """Return one list per query, each as `retrieve` would give it."""
        try:
            return self._made.retrieve_many(queries, top_k=top_k, run=run, allowed=allowed)
        except NotFound:  # the index named a passage whose document was replaced before it was read
            self._made = self._make()
            return self._made.retrieve_many(queries, top_k=top_k, run=run, allowed=allowed)


class BookedApart:
    """A reranker whose calls are booked apart from those of the answer, see `Run.apart`; implements Reranker.

    It reads whole passages, and more of them than the answer does: within one budget it would leave nothing to write.
    """

    def __init__(self, reranker: Reranker, budget: Budget) -> None:
        self._reranker = reranker
        self._budget = budget

    def rerank(self, query: Query, hits: Sequence[Hit], *, top_k: int, run: Run) -> Reranking:
        """Return the best `top_k` hits."""
        return self._reranker.rerank(query, hits, top_k=top_k, run=run.apart("rerank", self._budget))

    def rerank_many(self, pairs: Sequence[tuple[Query, Sequence[Hit]]], *, top_k: int, run: Run) -> list[Reranking]:
        """Return one reranking per pair, each as `rerank` would give it."""
        return self._reranker.rerank_many(pairs, top_k=top_k, run=run.apart("rerank", self._budget))
