"""Time spans and mentions as columns and as JSON text."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from app.core.timespan import TimeMention, TimeSpan


def span_columns(span: TimeSpan | None) -> dict[str, Any]:
    """Return the four `published_…` columns of a span."""
    return {
        "published_start": span.start if span else None,
        "published_end": span.end if span else None,
        "published_granularity": span.granularity if span else None,
        "published_approximate": span.approximate if span else None,
    }


def span_of_columns(row: Mapping[Any, Any]) -> TimeSpan | None:
    """Return the span of a row's `published_…` columns."""
    if row["published_granularity"] is None:
        return None
    return TimeSpan(
        start=row["published_start"],
        end=row["published_end"],
        granularity=row["published_granularity"],
        approximate=row["published_approximate"],
    )


def span_text(span: TimeSpan | None) -> str | None:
    """Return a span as JSON text."""
    return None if span is None else json.dumps(_span_values(span))


def span_of_text(text: str | None) -> TimeSpan | None:
    """Return the span of JSON text."""
    return None if text is None else _span_of_values(json.loads(text))


def mentions_text(mentions: Sequence[TimeMention]) -> str | None:
    """Return mentions as JSON text, None for none."""
    if not mentions:
        return None
    return json.dumps([[_span_values(m.span), m.start, m.end, m.role] for m in mentions])


def mentions_of_text(text: str | None) -> tuple[TimeMention, ...]:
    """Return the mentions of JSON text."""
    return tuple(
        TimeMention(span=_span_of_values(span), start=start, end=end, role=role)
        for span, start, end, role in json.loads(text or "[]")
    )


def _span_values(span: TimeSpan) -> list[Any]:
    start, end = (None if day is None else day.isoformat() for day in (span.start, span.end))
    return [start, end, span.granularity, span.approximate]


def _span_of_values(values: Sequence[Any]) -> TimeSpan:
    start, end = (None if day is None else date.fromisoformat(day) for day in values[:2])
    return TimeSpan(start=start, end=end, granularity=values[2], approximate=values[3])
