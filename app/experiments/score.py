"""Scores a batch's answers against the gold of its questions."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

from app.core.errors import ConfigError
from app.evaluation.answers import exact_match, token_f1
from app.evaluation.citations import citation_precision, citation_recall

_ID_KEYS = ("query_id", "_id", "id")
_ANSWERED = ("answered", "partial")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Means over one group of questions; a mean over nothing is None.

    Exact match and F1 count an abstention on an answerable question as 0; citations are scored where there are any.
    """

    questions: int
    answerable: int
    exact_match: float | None
    token_f1: float | None
    citation_precision: float | None
    citation_recall: float | None
    abstained_on_answerable: float | None
    abstained_on_unanswerable: float | None
    failed: int
    median_seconds: float | None
    mean_prompt_tokens: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)


def score(answers: Path, questions: Path) -> dict[str, Scores]:
    """Return the scores of all questions under `all`, and of each question type under its name.

    Raises:
        ConfigError: a file cannot be read, or a question has no answer in the batch's output.
    """
    golds = {_id_of(row, questions): row for row in _rows(questions)}
    given = {str(row["query_id"]): row for row in _rows(answers)}
    if missing := sorted(golds.keys() - given.keys()):
        raise ConfigError(
            f"{answers} lacks {len(missing)} of {len(golds)} questions, first {missing[0]}; run the batch on"
        )
    groups: dict[str, list[tuple[Mapping[str, Any], Mapping[str, Any]]]] = {"all": []}
    for query_id, gold in golds.items():
        groups["all"].append((gold, given[query_id]))
        groups.setdefault(str(gold.get("type", "other")), []).append((gold, given[query_id]))
    return {name: _score(pairs) for name, pairs in groups.items()}


def _score(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Scores:
    answerable = [(gold, answer) for gold, answer in pairs if gold["answers"]]
    unanswerable = [answer for gold, answer in pairs if not gold["answers"]]
    cited = [(_cited(answer), gold.get("documents", [])) for gold, answer in answerable if _cited(answer)]
    spent = [answer["usage"] for _, answer in pairs if answer.get("usage")]
    return Scores(
        questions=len(pairs),
        answerable=len(answerable),
        exact_match=_mean(exact_match(_short(answer), gold["answers"]) for gold, answer in answerable),
        token_f1=_mean(token_f1(_short(answer), gold["answers"]) for gold, answer in answerable),
        citation_precision=_mean(citation_precision(docs, gold) for docs, gold in cited),
        citation_recall=_mean(citation_recall(docs, gold) for docs, gold in cited),
        abstained_on_answerable=_mean(float(answer["status"] == "abstained") for _, answer in answerable),
        abstained_on_unanswerable=_mean(float(answer["status"] == "abstained") for answer in unanswerable),
        failed=sum(answer["status"] == "failed" for _, answer in pairs),
        median_seconds=median([s for _, a in pairs if (s := _seconds(a)) is not None] or [0.0]),
        mean_prompt_tokens=_mean(usage["prompt_tokens"] for usage in spent),
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error


def _id_of(row: Mapping[str, Any], path: Path) -> str:
    for key in _ID_KEYS:
        if key in row:
            return str(row[key])
    raise ConfigError(f"{path}: a question has no {' or '.join(_ID_KEYS)}")


def _short(answer: Mapping[str, Any]) -> str:
    return str(answer["short"]) if answer["status"] in _ANSWERED else ""


def _cited(answer: Mapping[str, Any]) -> list[str]:
    return [citation["doc_id"] for citation in answer.get("citations", [])]


def _seconds(answer: Mapping[str, Any]) -> float | None:
    steps = (answer.get("trace") or {}).get("steps", [])
    return sum(step["seconds"] for step in steps) if steps else None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return mean(known) if known else None
