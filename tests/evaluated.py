"""Small results of evaluations, for tests of what is made of them."""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from app.experiments.results import Estimate, Result, Scored


def a_scored(query_id: str, **given: Any) -> Scored:
    """Return a question; right and quickly answered unless told otherwise."""
    fields: dict[str, Any] = {
        "query_id": query_id,
        "text": f"What is {query_id}?",
        "kind": "two_hop",
        "hops": 2,
        "golds": [f"gold {query_id}"],
        "status": "answered",
        "answer": f"gold {query_id}",
        "lost": "",
        "values": {"EM": 1.0, "F1": 1.0},
        "seconds": 2.0,
        "tokens": 100,
        "trace": "records.jsonl:1",
    }
    return Scored(**fields | given)


def an_estimate(value: float | None, *, n: int = 4, half: float = 0.05) -> Estimate:
    if value is None:
        return Estimate(value=None, low=None, high=None, n=0)
    return Estimate(value=value, low=value - half, high=value + half, n=n)


def a_result(scored: Sequence[Scored], /, **given: Any) -> Result:
    """Return a result of those questions; its figures are their means unless told otherwise."""
    fields: dict[str, Any] = {
        "dataset": "lakes",
        "system": "agent",
        "reranker": "identity",
        "command": "gnomon eval run lakes --system agent",
        "created": "2026-01-15T10:00:00+00:00",
        "questions": len(scored),
        "documents": 1234,
        "seed": 7,
        "sample": None,
        "limit": None,
        "relevant_from": 1,
        "excluded": {},
        "digests": {"dataset": "d" * 64, "settings": "5" * 64, "metrics": "1", "qwen": "e" * 64},
        "settings": {"search": {"mode": "hybrid", "top_k": 10}},
        "metrics": _means(scored),
        "groups": {},
        "cost": a_cost(questions=len(scored)),
        "lost": {},
        "curve": [],
        "scored": list(scored),
    }
    return Result(**fields | given)


def a_cost(*, questions: int, seconds: float = 2.0, tokens: float = 100.0) -> Mapping[str, Any]:
    spread = {
        name: {"mean": 0.0, "median": 0.0, "p95": 0.0} for name in ("calls", "cached_tokens", "completion_tokens")
    }
    spread["seconds"] = {"mean": seconds, "median": seconds * 0.8, "p95": seconds * 2}
    spread["prompt_tokens"] = {"mean": tokens, "median": tokens, "p95": tokens}
    spread["retrievals"] = {"mean": 1.5, "median": 1.0, "p95": 2.0}
    return {
        "questions": questions,
        "per_question": spread,
        "by_stage": {"retrieve": {"questions": questions, "seconds": 1.0, "mean": 0.25, "p95": 0.5}},
        "per_correct_answer": {"tokens": None, "calls": None, "seconds": None},
    }


def _means(scored: Sequence[Scored]) -> dict[str, Estimate]:
    names = dict.fromkeys(name for one in scored for name in one.values)
    known = {name: [value for one in scored if (value := one.values.get(name)) is not None] for name in names}
    return {name: an_estimate(mean(values) if values else None, n=len(values)) for name, values in known.items()}
