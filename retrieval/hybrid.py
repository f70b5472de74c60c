"""Finds passages by words and by meaning, and fuses the two rankings by their ranks or by their scores."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from app.core.fusion import convex_fusion, reciprocal_rank_fusion
from app.core.protocols import Retriever
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from app.core.types import Filter, Hit, Query


class Options(ComponentOptions):
    """How the rankings are fused."""

    fusion: Literal["rrf", "convex"] = Field(
        default="rrf", description="reciprocal ranks, or the mean of scores spread from 0 to 1"
    )
    depth: int = Field(default=100, ge=1, le=1000, description="candidates taken from each retriever")
    rrf_k: int = Field(default=60, ge=1, le=1000, description="constant of reciprocal rank fusion")


class HybridRetriever:
    """Fuses several retrievers."""

    def __init__(self, retrievers: Sequence[Retriever], options: Options) -> None:
        self._retrievers = retrievers
        self._options = options

    def retrieve(self, query: Query, *, top_k: int, run: Run, allowed: Filter | None = None) -> list[Hit]:
        """Return the best hits of one query; each keeps the stages of every retriever that found it."""
        return self.retrieve_many([query], top_k=top_k, run=run, allowed=allowed)[0]

    def retrieve_many(
        self, queries: Sequence[Query], *, top_k: int, run: Run, allowed: Filter | None = None
    ) -> list[list[Hit]]:
        """Return one fused list per query; each retriever is asked once."""
        depth = max(self._options.depth, top_k)
        rankings = [one.retrieve_many(queries, top_k=depth, run=run, allowed=allowed) for one in self._retrievers]
        return [self._fused(of_one_query, top_k) for of_one_query in zip(*rankings, strict=True)]

    def _fused(self, rankings: Sequence[Sequence[Hit]], top_k: int) -> list[Hit]:
        if self._options.fusion == "convex":
            return convex_fusion(rankings, top_k=top_k, name="hybrid")
        return reciprocal_rank_fusion(rankings, top_k=top_k, rrf_k=self._options.rrf_k, name="hybrid")


def build(options: Options, resources: Resources) -> HybridRetriever:
    """Return the fusion of the lexical and the dense retriever."""
    return HybridRetriever([resources.component("retrieval", name) for name in ("lexical", "dense")], options)
