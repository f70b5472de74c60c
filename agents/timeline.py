"""What was true when: the values that notes give to one fact, put in order of time by code.

A statement is one value told for one time. Statements of one value that no other value parts are one version (the
neighbour years of ChroKnowPrompt, arXiv 2410.09870; there a model is asked, here code looks). A fact that lasts holds
until the next value is told, so neighbours close one another's open ends.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import combinations
from typing import Literal, get_args

from agents.values import one_spelling, spellings
from app.core.timespan import LONGEST_DAYS, Granularity, TimeSpan
from app.core.types import DocId, NoteId, PassageId

Source = Literal["mention", "holds", "published"]

DAY = timedelta(days=1)
_COARSEST_LAST: tuple[Granularity, ...] = get_args(Granularity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The value that one note gives to the question's fact, and the time it gives it for, None if it tells none.

    An open end of `when` says that it went on, or had been so before; a value that does not last is true of `when`
    only, and is no version of anything else. `told` is where that time was read.
    """

    value: str
    when: TimeSpan | None
    told: Source
    note_id: NoteId
    passage_id: PassageId
    doc_id: DocId
    published: TimeSpan | None = None
    superseded_by: DocId | None = None
    lasts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A value over one stretch of time, with the statements that tell it, in order of time.

    `told` are the days that the statements tell; `holds` are those and what follows from the neighbours. What does not
    last only happened, at the time that is told.
    """

    value: str
    statements: tuple[Statement, ...]
    told: TimeSpan
    holds: TimeSpan
    lasts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two versions of different values that are told for the same days."""

    one: Version
    other: Version
    span: TimeSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The versions of one fact in order of time; `undated` are statements without one."""

    versions: tuple[Version, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    undated: tuple[Statement, ...] = ()

    @property
    def statements(self) -> tuple[Statement, ...]:
        """All statements, the undated last."""
        return (*(one for version in self.versions for one in version.statements), *self.undated)


def build_timeline(statements: Iterable[Statement], *, lasting: bool = True) -> Timeline:
    """Return the timeline; neither the order of the statements nor one told twice changes it.

    A `lasting` fact has one value at a time, which stays until another is told; otherwise the values are events, which
    hold when they are told to and are never in conflict. So are those values of a lasting fact that no statement tells
    to last. Quadratic in the statements, of which there are few.
    """
    ordered = sorted(set(statements), key=_order)
    spelt = spellings(one.value for one in ordered)
    dated = [one for one in ordered if one.when is not None]
    values_that_last = {spelt[one.value] for one in dated if one.lasts or not lasting}
    staying = [one for one in dated if spelt[one.value] in values_that_last]
    happened = [one for one in dated if spelt[one.value] not in values_that_last]
    versions = sorted(_stretches(staying, spelt), key=_place)
    if lasting:
        versions = [_closed(place, versions) for place in range(len(versions))]
    return Timeline(
        versions=tuple(sorted([*versions, *_events(happened, spelt)], key=_place)),
        conflicts=tuple(_conflicts(versions)) if lasting else (),
        undated=tuple(one for one in ordered if one.when is None),
    )


def first_day(span: TimeSpan) -> date:
    """Return the first day that a span names: its end where the start is open."""
    return span.start or span.end or date.min


def last_day(span: TimeSpan) -> date:
    """Return the last day that a span names: its start where the end is open."""
    return span.end or span.start or date.max


def day_after(day: date | None) -> date | None:
    """Return the next day; None for none, and after the last there is."""
    return None if day is None or day == date.max else day + DAY


def day_before(day: date | None) -> date | None:
    """Return the day before; None for none, and before the first there is."""
    return None if day is None or day == date.min else day - DAY


def tells_end(version: Version) -> bool:
    """Tell whether a statement says when the version ended."""
    spans = [one.when for one in version.statements if one.when is not None]
    return any(span.end == version.told.end and _has_told_end(span) for span in spans)


def _order(one: Statement) -> tuple[date, date, str, str]:
    days = (date.max, date.max) if one.when is None else _days(one.when)
    return (*days, one.value, repr(one))


def _place(version: Version) -> tuple[date, date, str]:
    return (*_days(version.told), version.value)


def _days(span: TimeSpan) -> tuple[date, date]:
    return first_day(span), last_day(span)


def _has_told_end(span: TimeSpan) -> bool:
    return span.end is not None and (span.start is None or span.is_range)


def _stretches(dated: Sequence[Statement], spelt: dict[str, str]) -> list[Version]:
    groups: dict[str, list[list[Statement]]] = {}
    for one in dated:
        mine = groups.setdefault(spelt[one.value], [])
        others = [other for other in dated if spelt[other.value] != spelt[one.value]]
        if mine and not _parted(mine[-1], one, others):
            mine[-1].append(one)
        else:
            mine.append([one])
    return [version for stretches in groups.values() for version in _versions(stretches)]


def _events(dated: Sequence[Statement], spelt: dict[str, str]) -> list[Version]:
    """Return a version per value and time."""
    groups: dict[tuple[str, TimeSpan], list[Statement]] = {}
    for one in dated:
        if one.when is not None:
            groups.setdefault((spelt[one.value], one.when), []).append(one)
    return [replace(_versions([group])[0], lasts=False) for group in groups.values()]


def _parted(stretch: Sequence[Statement], later: Statement, others: Sequence[Statement]) -> bool:
    """Tell whether another value begins between a stretch and a later statement, or their ends exclude each other.

    "Until" reaches back over a value that is only told to have begun: that is a conflict, not two stretches.
    """
    if _hull([*stretch, later]) is None:
        return True
    ends = max(last_day(one.when) for one in stretch if one.when is not None)
    begins = first_day(later.when) if later.when is not None else date.max
    reaches_back = later.when is not None and later.when.start is None
    return any(
        ends < first_day(other.when) < begins and not (reaches_back and other.when.end is None)
        for other in others
        if other.when is not None
    )


def _versions(stretches: Sequence[Sequence[Statement]]) -> list[Version]:
    """Return the stretches of one value, under one spelling."""
    value = one_spelling([one.value for stretch in stretches for one in stretch])
    hulls = [(stretch, _hull(stretch)) for stretch in stretches]
    return [Version(value=value, statements=tuple(stretch), told=told, holds=told) for stretch, told in hulls if told]


def _hull(stretch: Sequence[Statement]) -> TimeSpan | None:
    """Return the days from the first to the last that are told; None where 'until' comes before 'since'."""
    spans = [one.when for one in stretch if one.when is not None]
    start = min((span.start for span in spans if span.start is not None), default=None)
    if any(span.start is None and span.end is not None and (start is None or span.end < start) for span in spans):
        start = None
    goes_on = max((span.start for span in spans if span.end is None and span.start is not None), default=None)
    ended = max((span.end for span in spans if span.end is not None and _has_told_end(span)), default=None)
    end = max((span.end for span in spans if span.end is not None), default=None)
    if goes_on is not None and (ended is None or ended < goes_on):
        end = None
    if start is None and end is None:
        return None
    coarsest = max((span.granularity for span in spans), key=_COARSEST_LAST.index)
    return TimeSpan(start=start, end=end, granularity=coarsest, approximate=any(span.approximate for span in spans))


def _closed(place: int, versions: Sequence[Version]) -> Version:
    """Return a version whose untold ends its neighbours close; after the last one it goes on."""
    version = versions[place]
    start, end = version.told.start, version.told.end
    if start is None:
        before = [last_day(other.told) for other in versions[:place] if last_day(other.told) < last_day(version.told)]
        start = day_after(max(before, default=None))
    if not tells_end(version):
        later = [other.told for other in versions[place + 1 :] if first_day(other.told) > last_day(version.told)]
        following = later[0] if later else None
        if following is None:
            end = None
        elif following.start is not None:  # "until" takes the silence before it
            end = day_before(following.start)
        elif end is None:
            end = start
    if start is None and end is None:
        start = version.told.end
    return replace(version, holds=replace(version.told, start=start, end=end))


def _conflicts(versions: Sequence[Version]) -> list[Conflict]:
    found = []
    for one, other in combinations(versions, 2):
        shared = _both_told(one.told, other.told) or _both_told(other.told, one.told)
        if shared is not None and one.value != other.value and not _hands_over(one.told, other.told, shared):
            found.append(Conflict(one=one, other=other, span=shared))
    return found


def _both_told(one: TimeSpan, other: TimeSpan) -> TimeSpan | None:
    """Return the days for which both are told. An open end may be over when another begins, so its one day counts.

    But 'until' and an earlier 'since' meet.
    """
    if one.start is None and other.end is None:
        return one.intersection(other)
    spans = [replace(span, start=first_day(span), end=last_day(span)) for span in (one, other)]
    return spans[0].intersection(spans[1])


def _hands_over(one: TimeSpan, other: TimeSpan, shared: TimeSpan) -> bool:
    """Tell whether one may end in the day, month or year in which the other begins; equal times are no succession."""
    if _days(one) == _days(other):
        return False
    room = max(LONGEST_DAYS[one.granularity], LONGEST_DAYS[other.granularity]) * (2 if shared.approximate else 1)
    return any(
        a.end is not None
        and b.start is not None
        and (a.end - first_day(shared)).days < room
        and (last_day(shared) - b.start).days < room
        for a, b in ((one, other), (other, one))
    )
