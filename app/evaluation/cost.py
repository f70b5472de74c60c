"""What a run spent: model calls, tokens, seconds and searches, in all, by question, by purpose and by stage."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from app.core.types import Usage
from app.evaluation.records import Record


def cost_of(records: Sequence[Record], right: Mapping[str, bool]) -> dict[str, Any]:
    """Return what the records cost, ready for JSON; `right` says by query id which answers were right.

    - `questions` and `right`: how many; a question that `right` does not name was not right.
    - `total` and `per_question` (`mean`, `median`, `p95`) of `calls`, `prompt_tokens`, `cached_tokens` (those of the
      prompt that were not computed again), `completion_tokens`, `seconds` (of the whole question) and `retrievals`.
    - `by_purpose`: purpose of a model call → its usage; here `seconds` are those of the calls. By name.
    - `by_stage`: stage → `questions` that went through it, `seconds` in all, `mean` and `p95` over those. By name.
    - `per_correct_answer`: `tokens` (prompt and completion), `calls` and `seconds` of the whole run, wrong answers
      included, divided by the number of right ones.

    Without records totals are 0, figures per question None and tables empty; without a right answer all figures
    `per_correct_answer` are None.
    """
    spent = [_spent(record) for record in records]
    total = {name: sum(one[name] for one in spent) for name in _spent(Record(query_id="", ranking=()))}
    answers = sum(right.get(record.query_id, False) for record in records)
    return {
        "questions": len(records),
        "right": answers,
        "total": total,
        "per_question": {name: _spread([one[name] for one in spent]) for name in total},
        "by_purpose": _by_purpose(records),
        "by_stage": _by_stage(records),
        "per_correct_answer": _per_answer(total, answers),
    }


def _spent(record: Record) -> dict[str, float]:
    usage = asdict(sum((call.usage for call in record.calls), Usage()))
    return usage | {"seconds": record.seconds, "retrievals": len(record.hops)}


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    if not values:
        return {"mean": None, "median": None, "p95": None}
    return {"mean": float(np.mean(values)), "median": float(np.median(values)), "p95": _p95(values)}


def _p95(values: Sequence[float]) -> float:
    return float(np.percentile(values, 95))  # between the two nearest values where it falls between them


def _by_purpose(records: Sequence[Record]) -> dict[str, dict[str, float]]:
    usages: dict[str, Usage] = {}
    for record in records:
        for call in record.calls:
            usages[call.purpose] = usages.get(call.purpose, Usage()) + call.usage
    return {purpose: asdict(usages[purpose]) for purpose in sorted(usages)}


def _by_stage(records: Sequence[Record]) -> dict[str, dict[str, float]]:
    seconds: dict[str, list[float]] = {}
    for record in records:
        for stage, spent in record.stage_seconds.items():
            seconds.setdefault(stage, []).append(spent)
    return {
        stage: {"questions": len(spent), "seconds": sum(spent), "mean": float(np.mean(spent)), "p95": _p95(spent)}
        for stage, spent in sorted(seconds.items())
    }


def _per_answer(total: Mapping[str, float], answers: int) -> dict[str, float | None]:
    whole = {
        "tokens": total["prompt_tokens"] + total["completion_tokens"],
        "calls": total["calls"],
        "seconds": total["seconds"],
    }
    return {name: spent / answers if answers else None for name, spent in whole.items()}
