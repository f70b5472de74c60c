"""Finds passages by the words they share with the query."""

from collections.abc import Sequence

from app.core.protocols import Index
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from app.core.types import Filter, Hit, Query


class Options(ComponentOptions):
    """No options."""


class LexicalRetriever:
    """Asks the collection's lexical index."""

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


def build(_options: Options, resources: Resources) -> LexicalRetriever:
    """Return a retriever over the collection in hand."""
    return LexicalRetriever(resources.index("lexical"))
