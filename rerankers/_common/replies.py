"""What a model writes of numbered passages: the schema its grammar is held to, and how the reply is read.

Numbers count from 1 in prompts and replies, places from 0 everywhere else; here one becomes the other.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError


class _Ranking(BaseModel):
    ranking: list[int]


class _Pick(BaseModel):
    best: int


def ranking_schema(count: int) -> dict[str, Any]:
    """Return the schema of a ranking of so many passages; that its numbers differ is beyond a grammar."""
    numbers = {"type": "array", "items": _number(count), "minItems": count, "maxItems": count}
    return _object({"ranking": numbers})


def pick_schema(count: int, *, reason: bool) -> dict[str, Any]:
    """Return the schema of a pick among so many passages, with the reason before it or without."""
    return _object(({"reason": {"type": "string"}} if reason else {}) | {"best": _number(count)})


def ranking_in(text: str, count: int) -> list[int]:
    """Return the places that a reply ranks, best first, each once; empty if it is no ranking."""
    try:
        told = _Ranking.model_validate_json(text).ranking
    except ValidationError:
        return []
    return usable([number - 1 for number in told], count)


def pick_in(text: str, count: int) -> int | None:
    """Return the place that a reply picks, None if it picks none."""
    try:
        place = _Pick.model_validate_json(text).best - 1
    except ValidationError:
        return None
    return place if 0 <= place < count else None


def usable(places: Sequence[int], count: int) -> list[int]:
    """Return the places below `count` in their order, without repetitions and those that are none."""
    return list(dict.fromkeys(place for place in places if 0 <= place < count))


def completed(places: Sequence[int], count: int) -> list[int]:
    """Return the usable places, then those that are missing as they came: always a permutation of `count` places."""
    told = usable(places, count)
    return [*told, *(place for place in range(count) if place not in set(told))]


def _number(count: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": 1, "maximum": count}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
