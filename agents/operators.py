"""Order, intervals and counting over the versions of a timeline, by code (operators after Prog-TQA, LREC-COLING 2024).

Operators take versions in order of time and return those that satisfy them, in order of time; nothing found means that
more must be searched. Spans widen by their own length where they are approximate, and a time counts by all days that
its granularity leaves open.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from agents.timeline import (
    Conflict,
    Statement,
    Timeline,
    Version,
    build_timeline,
    day_after,
    day_before,
    last_day,
)
from app.core.timespan import Relation, TimeConstraint, TimeSpan

Versions = Sequence[Version]
NoVersion = Literal["nothing_told", "time_gap", "conflict", "anchor_unknown"]

_STALE_DAYS = 365  # evidence this much older than the day of asking is told to be old
_DAYS_IN_YEAR = 365.2425


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Days between two times: at least and at most, as their granularity allows."""

    least: int
    most: int

    @property
    def years(self) -> tuple[int, int]:
        """Whole years, at least and at most."""
        return int(self.least / _DAYS_IN_YEAR), int(self.most / _DAYS_IN_YEAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionedAnswer:
    """What a timeline answers to a constraint: versions, the best first, or why there is none.

    `nearest` is the version told for the nearest other time, where the asked time is a gap. `warning` says that the
    newest evidence is older than what is asked.
    """

    constraint: TimeConstraint
    versions: tuple[Version, ...] = ()
    reason: NoVersion | None = None
    nearest: Version | None = None
    conflicts: tuple[Conflict, ...] = ()
    warning: str = ""

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The statements that the answer rests on."""
        return tuple(one for version in self.versions for one in version.statements)


def before(versions: Versions, span: TimeSpan) -> tuple[Version, ...]:
    """Return the versions told for a day before the span."""
    end = day_before(span.widened().start)
    return _told_in(versions, TimeSpan(start=None, end=end)) if end else ()


def after(versions: Versions, span: TimeSpan) -> tuple[Version, ...]:
    """Return the versions told for a day after the span."""
    start = day_after(span.widened().end)
    return _told_in(versions, TimeSpan(start=start, end=None)) if start else ()


def during(versions: Versions, span: TimeSpan) -> tuple[Version, ...]:
    """Return the versions told for a day of the span; where none is told, those that hold then by their neighbours."""
    wide = span.widened()
    return _told_in(versions, wide) or tuple(one for one in versions if one.holds.overlaps(wide))


def as_of(versions: Versions, day: date) -> tuple[Version, ...]:
    """Return the versions that hold on the day."""
    return during(versions, TimeSpan(start=day, end=day))


def since(versions: Versions, span: TimeSpan) -> tuple[Version, ...]:
    """Return the versions that began in the span or later and still hold."""
    start = span.widened().start
    return tuple(
        one
        for one in versions
        if one.holds.end is None and start is not None and one.holds.start is not None and one.holds.start >= start
    )


def until(versions: Versions, span: TimeSpan) -> tuple[Version, ...]:
    """Return the versions that hold up to the span: they began before its end and reach its start."""
    wide = span.widened()
    return tuple(
        one
        for one in versions
        if one.holds.overlaps(wide) and (one.holds.start is None or wide.start is None or one.holds.start <= wide.start)
    )


def first(versions: Versions, n: int = 1) -> tuple[Version, ...]:
    """Return the first n versions."""
    return tuple(versions[: max(n, 0)])


def last(versions: Versions, n: int = 1) -> tuple[Version, ...]:
    """Return the last n versions."""
    return tuple(versions[max(len(versions) - n, 0) :])


def nth(versions: Versions, n: int) -> tuple[Version, ...]:
    """Return the version at place n, which counts from 1; none where there are fewer."""
    return tuple(versions[n - 1 : n]) if n > 0 else ()


def current(versions: Versions, asked_on: date) -> tuple[Version, ...]:
    """Return the versions that hold on the day of asking."""
    return as_of(versions, asked_on)


def count(versions: Versions) -> int:
    """Return how many versions there are."""
    return len(versions)


def diff(one: TimeSpan, other: TimeSpan) -> Difference | None:
    """Return the days from one time to another, in whatever order they are given; None where an end is open."""
    spans = (one.widened(), other.widened())
    starts = [span.start for span in spans if span.start is not None]
    ends = [span.end for span in spans if span.end is not None]
    if len(starts) + len(ends) < 4:  # noqa: PLR2004 - two spans with two ends each
        return None
    return Difference(
        least=spans[0].gap_days(spans[1]), most=max((ends[1] - starts[0]).days, (ends[0] - starts[1]).days)
    )


def answer_by_version(timeline: Timeline, constraint: TimeConstraint, *, asked_on: date) -> VersionedAnswer:
    """Return what the timeline answers; the relation chooses the operator.

    Of what was before or after, the nearest answers. A time after `asked_on` is answered only by what is told for it.
    Versions that are told for the same days make a conflict, which is not resolved: all of them come back. For what is
    current a superseded document says nothing while any other does.
    """
    live = [one for one in timeline.statements if one.superseded_by is None and one.when is not None]
    if constraint.relation == "current" and live:
        timeline = build_timeline(live)
    if not timeline.versions:
        return VersionedAnswer(constraint=constraint, reason="nothing_told")
    asked = TimeSpan(start=asked_on, end=asked_on) if constraint.relation == "current" else constraint.span
    if asked is None and not (constraint.anchor is None and constraint.relation in ("first", "last", "nth")):
        return VersionedAnswer(constraint=constraint, reason="anchor_unknown")
    found = _satisfying(timeline.versions, constraint, asked_on)
    best = _best(found, constraint)
    if not best:
        nearest = min(timeline.versions, key=lambda one: one.told.gap_days(asked)) if asked else None
        return VersionedAnswer(constraint=constraint, reason="time_gap", nearest=nearest)
    conflicts = _conflicts(timeline, found, best[0])
    rivals = tuple(one for one in found if any(one in (conflict.one, conflict.other) for conflict in conflicts))
    told = [one for version in rivals or best for one in version.statements]
    dates = [span for one in told for span in (one.when, one.published)]
    return VersionedAnswer(
        constraint=constraint,
        versions=rivals or best,
        reason="conflict" if conflicts else None,
        conflicts=conflicts,
        warning=older_than_asked(dates, constraint, asked_on=asked_on),
    )


def older_than_asked(dates: Iterable[TimeSpan | None], constraint: TimeConstraint, *, asked_on: date) -> str:
    """Return the words of a warning that the newest evidence is older than what is asked, '' where it is not.

    `dates` are all that the evidence tells and was published on; it is as new as the latest day among them, that of the
    start where an end is open. For `current` a year is let pass. Evidence without a date, a constraint without a start
    and `before`, which asks for what is older, are no reason to warn.
    """
    newest = max((last_day(span) for span in dates if span is not None), default=None)
    asked = constraint.span.start if constraint.span is not None and constraint.relation != "before" else None
    if constraint.relation == "current":
        asked = asked_on - timedelta(days=min(_STALE_DAYS, asked_on.toordinal() - 1))
    if newest is None or asked is None or newest >= asked:
        return ""
    about = f"'{constraint.surface}'" if constraint.surface else f"{constraint.relation} {constraint.span or asked_on}"
    return f"the newest evidence is of {newest}, older than {about} asks"


def _satisfying(versions: Versions, constraint: TimeConstraint, asked_on: date) -> tuple[Version, ...]:
    span, relation = constraint.span, constraint.relation
    if relation == "current":
        happened = [one for one in versions if not one.lasts]  # the champion of today has won last
        return current(versions, asked_on) or last(_told_in(happened, TimeSpan(start=None, end=asked_on)))
    if span is None:
        return tuple(versions)
    if span.start is not None and span.start > asked_on:
        return _told_in([one for one in versions if one.told.end is not None], span)
    return _BY_SPAN.get(relation, during)(versions, span)


def _begun_or_holding(versions: Versions, span: TimeSpan) -> tuple[Version, ...]:
    start = span.widened().start
    happened = [one for one in versions if not one.lasts]
    begun = (*since(versions, span), *(_told_in(happened, TimeSpan(start=start, end=None)) if start else ()))
    return begun or until(versions, span)


def _best(found: Versions, constraint: TimeConstraint) -> tuple[Version, ...]:
    match constraint.relation:
        case "before" | "last":
            return last(found)
        case "after" | "first":
            return first(found)
        case "nth":
            return nth(found, constraint.ordinal or 1)
        case "current":
            return last(found, len(found))[::-1]
    span = constraint.span
    return tuple(sorted(found, key=lambda one: _shared_days(one.holds, span), reverse=True)) if span else tuple(found)


def _conflicts(timeline: Timeline, found: Versions, best: Version) -> tuple[Conflict, ...]:
    """Return the conflicts of the best version with others that satisfy the constraint too."""
    return tuple(
        one for one in timeline.conflicts if best in (one.one, one.other) and one.one in found and one.other in found
    )


def _told_in(versions: Versions, window: TimeSpan) -> tuple[Version, ...]:
    """Return the versions told for a day of the window; an open end reaches to the next version and no further."""
    told = ((one, one.told.intersection(one.holds)) for one in versions)
    return tuple(one for one, span in told if span is not None and span.widened().overlaps(window))


def _shared_days(span: TimeSpan, asked: TimeSpan) -> int:
    shared = span.intersection(asked)
    return 0 if shared is None else shared.days or date.max.toordinal()


_BY_SPAN: dict[Relation, Callable[[Versions, TimeSpan], tuple[Version, ...]]] = {
    "before": before,
    "after": after,
    "since": _begun_or_holding,
    "until": until,
    "first": _told_in,
    "last": _told_in,
    "nth": _told_in,
}
