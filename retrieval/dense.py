"""Finds passages by the nearness of their meaning to the query."""

from collections.abc import Sequence

from app.core.protocols import Index
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from app.core.types import Filter, Hit, Query


class Options(ComponentOptions):
    """No options."""


class DenseRetriever:
    """Asks the collection's dense index."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def retrieve(self, query: Query, *, top_k: int, run: Run, allowed: Filter | None = None) -> list[Hit]:
        """Return the best hits of one query."""
        return self.retrieve_many([query], top_k=top_k, run=run, allowed=allowed)[0]

    def retrieve_many(
        self, queries: Sequence[Query], *, top_k: int, run: Run, allowed: Filter | None = None
    ) -> list[list[Hit]]:
        """Return one list per query, from one search of the index."""
        return self._index.search([query.text for query in queries], top_k=top_k, run=run, allowed=allowed)


def build(_options: Options, resources: Resources) -> DenseRetriever:
    """Return a retriever over the collection in hand."""
    return DenseRetriever(resources.index("dense"))
