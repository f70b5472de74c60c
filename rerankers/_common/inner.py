"""Rerankers inside a reranker: built alike, so that they share what they know, and asked without losing an order."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

from app.core import registry
from app.core.protocols import Reranker
from app.core.registry import Resources
from app.core.run import Run
from app.core.types import Reranking
from rerankers._common.ordering import FORGIVEN, or_as_they_came
from rerankers._common.scoring import Pair

_EVERY = 1000  # the highest depth there is: whoever asks has cut the candidates already


def inner(name: str, options: Mapping[str, Any], resources: Resources) -> Reranker:
    """Return a reranker that treats every candidate it is given; the same name and options give the same object.

    Raises:
        UnknownComponent: there is none of that name.
        ConfigError: the options do not fit.
    """
    takes_depth = "depth" in registry.load("rerankers", name).Options.model_fields
    every = {"depth": _EVERY} if takes_depth else {}
    return cast("Reranker", resources.component("rerankers", name, {**every, **options}))


def ask(reranker: Reranker, name: str, pairs: Sequence[Pair], run: Run) -> list[Reranking]:
    """Return one reranking of all candidates per pair, degraded where it could not be made.

    Raises:
        Cancelled: the caller stopped the work.
    """
    top_k = max((len(hits) for _, hits in pairs), default=0)
    try:
        return reranker.rerank_many(pairs, top_k=top_k, run=run)
    except FORGIVEN:  # a component may raise; then each question is on its own
        return [
            or_as_they_came(partial(reranker.rerank, *pair, top_k=top_k, run=run), pair[1], name=name, top_k=top_k)
            for pair in pairs
        ]
