"""How two time spans lie to each other: Allen's thirteen relations (Communications of the ACM 26(11), 1983).

Allen's intervals are half-open on a line; ours are closed intervals of days, so one ends where the day after its last
begins: `a` meets `b` when it ends the day before `b` starts. An open end lies beyond every day and equals another open
end on the same side.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from app.core.timespan import TimeSpan

AllenRelation = Literal[
    "before",
    "meets",
    "overlaps",
    "starts",
    "during",
    "finishes",
    "equals",
    "finished_by",
    "contains",
    "started_by",
    "overlapped_by",
    "met_by",
    "after",
]

INVERSE: Mapping[AllenRelation, AllenRelation] = MappingProxyType(
    {
        "before": "after",
        "meets": "met_by",
        "overlaps": "overlapped_by",
        "starts": "started_by",
        "during": "contains",
        "finishes": "finished_by",
        "equals": "equals",
        "finished_by": "finishes",
        "contains": "during",
        "started_by": "starts",
        "overlapped_by": "overlaps",
        "met_by": "meets",
        "after": "before",
    }
)

_BEFORE_ALL = 0  # the first day has the ordinal 1
_AFTER_ALL = 10_000_000  # the last has 3,652,059

# by the sign of the difference of the starts, then of the ends, of two spans that share a day
_SHARING: tuple[tuple[AllenRelation, AllenRelation, AllenRelation], ...] = (
    ("overlaps", "finished_by", "contains"),
    ("starts", "equals", "started_by"),
    ("during", "finishes", "overlapped_by"),
)


def allen_relation(a: TimeSpan, b: TimeSpan) -> AllenRelation:
    """Return the one relation that `a` has to `b`; `allen_relation(b, a)` is its inverse."""
    (a_start, a_end), (b_start, b_end) = _half_open(a), _half_open(b)
    if a_end <= b_start:
        return "meets" if a_end == b_start else "before"
    if b_end <= a_start:
        return "met_by" if b_end == a_start else "after"
    return _SHARING[1 + _sign(a_start - b_start)][1 + _sign(a_end - b_end)]


def _half_open(span: TimeSpan) -> tuple[int, int]:
    start = _BEFORE_ALL if span.start is None else span.start.toordinal()
    return start, _AFTER_ALL if span.end is None else span.end.toordinal() + 1


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
