"""Finds passages whose times fit the question: moves the scores of another retriever by what the times say."""

from typing import Any, Literal

from pydantic import Field

from app.core.registry import ComponentOptions, Resources
from retrieval.temporal.ranker import Method, TemporalRetriever


class Options(ComponentOptions):
    """What is ranked, and how."""

    mode: Literal["hybrid", "lexical", "dense"] = Field(default="hybrid", description="retriever that finds candidates")
    method: Method = Field(
        default="intervals", description="intervals of days; `mrag`, its published formula; `years`, overlap of years"
    )
    depth: int = Field(default=200, ge=1, le=1000, description="candidates ranked by time")
    hard: bool = Field(default=False, description="leave out passages whose times are all wrong; `intervals` only")
    by_document: bool = Field(
        default=True, description="a passage counts by its document's best score as much as by its own"
    )
    options: dict[str, Any] = Field(
        default_factory=dict, description="that retriever's own, for queries without a time"
    )


def build(options: Options, resources: Resources) -> TemporalRetriever:
    """Return the ranker over the retriever of a mode."""
    scored = {"depth": options.depth, "fusion": "convex"} if options.mode == "hybrid" else options.options
    return TemporalRetriever(
        plain=resources.component("retrieval", options.mode, options.options),
        scored=resources.component("retrieval", options.mode, scored),
        method=options.method,
        depth=options.depth,
        hard=options.hard,
        by_document=options.by_document,
    )
