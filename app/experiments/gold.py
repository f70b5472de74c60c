"""A row of a question file → what is right for its question."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.evaluation.records import Gold
from app.experiments.files import Row

_REFUSALS = frozenset({"[unanswerable]", "insufficient information", "unanswerable"})
_TRUTHS = {"true": True, "false": False}


def gold_of(row: Row, *, query_id: str, text: str, relevant: Mapping[str, int] | None) -> Gold:
    """Return what a row says is right; without judged documents (None) those that it names by `documents` count.

    A refusal among the `answers` ('[unanswerable]') is none. Whether there is one, `answerable` says, else the answers
    do: none but refusals is a no, and so is an empty list without a judged document; without `answers` it is unknown.

    Raises:
        ValueError: a field holds something else than it should; the message tells which.
    """
    given = row["answers"] if row.get("answers") is not None else row.get("answer")
    told = _texts(given, "answers")
    answers = tuple(answer for answer in told if answer.lower() not in _REFUSALS)
    if relevant is None:
        relevant = dict.fromkeys(_texts(row.get("documents"), "documents"), 1)
    answerable = _truth(row.get("answerable"))
    if answerable is None and (told or (given is not None and not relevant)):
        answerable = bool(answers)
    hops = str(row.get("hops") or "")
    return Gold(
        query_id=query_id,
        text=text,
        answers=answers,
        answerable=answerable,
        relevant=relevant,
        kind=str(row.get("type") or "other"),
        hops=int(hops) if hops.isdecimal() else None,
        has_time=bool(row.get("time")),
        variant_of=str(row["variant_of"]) if row.get("variant_of") else None,
    )


def with_other_times(golds: Sequence[Gold], rows: Sequence[Row]) -> list[Gold]:
    """Return the golds, each with the answers to the questions of the same `page` and `relation` that are not its own.

    Such questions ask for one fact at several times (TimeQA: Chen et al., arXiv 2108.06314).
    """
    facts = [(row.get("page"), row.get("relation")) for row in rows]
    siblings: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for gold, (page, relation) in zip(golds, facts, strict=True):
        if page and relation:
            siblings[str(page), str(relation)] |= dict.fromkeys(gold.answers)
    return [
        replace(
            gold, answers_at_other_times=tuple(a for a in siblings[str(page), str(relation)] if a not in gold.answers)
        )
        for gold, (page, relation) in zip(golds, facts, strict=True)
    ]


def _texts(value: object, name: str) -> list[str]:
    """Return a list's texts, or the parts of a text between `|`; None is none."""
    if value is None:
        return []
    parts = value.split("|") if isinstance(value, str) else value if isinstance(value, list) else [value]
    if not all(isinstance(part, str | int | float) and not isinstance(part, bool) for part in parts):
        raise ValueError(f'\'{name}\' is neither text nor a list of texts; write ["…", "…"]')
    return [text for part in parts if (text := str(part).strip())]


def _truth(value: object) -> bool | None:
    if value is None:
        return None
    told = str(value).lower()
    if told not in _TRUTHS:
        raise ValueError(f"'answerable' is '{value}'; write true or false")
    return _TRUTHS[told]
