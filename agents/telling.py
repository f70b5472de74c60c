"""Tells a timeline's answer in sentences made by code, each with the dates and the notes that it rests on."""

from collections.abc import Mapping

from agents.operators import VersionedAnswer
from agents.state import Claim
from agents.timeline import Statement, Timeline, Version, first_day, last_day, tells_end
from app.core.timespan import TimeSpan
from app.core.types import NoteId

_VERSIONS_TOLD = 3


def tell(answer: VersionedAnswer, timeline: Timeline, numbers: Mapping[NoteId, int]) -> tuple[Claim, ...]:
    """Return one sentence a version with the notes that tell it: "X until 2021-03", "Y since 2021-03".

    Told are the versions that answer, best first, and the one that closed the best one's open end, or for `current` the
    one before it. `numbers` counts notes from 1.
    """
    claims: list[Claim] = []
    for version in _told_versions(answer, timeline):
        cited = dict.fromkeys(numbers[one.note_id] for one in telling_statements(version))
        lead = "The evidence conflicts: " if answer.reason == "conflict" and not claims else ""
        text = f"{lead}{version.value} {when_told(version)}"
        claims.append(Claim(text=text[:1].upper() + text[1:], cited=tuple(cited)))
    return tuple(claims)


def telling_statements(version: Version) -> tuple[Statement, ...]:
    """Return the one or two statements that tell from when and to when a version is told."""
    dated = [(one, one.when) for one in version.statements if one.when is not None]
    begins = min(dated, key=lambda pair: first_day(pair[1]))[0]
    if version.told.start is None or version.told.end is None:
        begins = next((one for one, when in dated if None in (when.start, when.end)), begins)
    ends = max(dated, key=lambda pair: last_day(pair[1]))[0]
    is_point = begins.when is not None and last_day(begins.when) == last_day(version.told)
    return (begins,) if is_point or begins == ends else (begins, ends)


def when_told(version: Version) -> str:
    """Return the words for the time that a version is told for: `since 2021-03`, `from 1990 to 1997`, `in 2019`."""
    telling = telling_statements(version)
    spans = [one.when for one in telling if one.when is not None]
    if version.told.end is None:
        return f"{_about(version.told)}since {_start(spans[0])}"
    if version.told.start is None:
        return f"{_about(version.told)}until {_end(spans[-1])}"
    if len(spans) > 1:
        joint = "to" if tells_end(version) else "and still on"
        return f"{_about(version.told)}from {_start(spans[0])} {joint} {_end(spans[-1])}"
    if spans[0].is_range:
        return f"{_about(version.told)}from {_start(spans[0])} to {_end(spans[0])}"
    if telling[0].told != "mention":
        return f"as of {spans[0]}"
    return f"{'on' if spans[0].granularity == 'day' else 'in'} {spans[0]}"


def gap(answer: VersionedAnswer) -> str:
    """Return the words for a time that nothing is told for, with the nearest evidence and its date."""
    asked = answer.constraint.surface or f"{answer.constraint.relation} {answer.constraint.span or ''}".strip()
    nearest = f"; the nearest evidence is {answer.nearest.value}, {when_told(answer.nearest)}" if answer.nearest else ""
    return f"nothing found tells the answer for '{asked}'{nearest}"


def _told_versions(answer: VersionedAnswer, timeline: Timeline) -> list[Version]:
    shown = list(answer.versions[:_VERSIONS_TOLD])
    if answer.reason == "conflict" or len(shown) != 1 or not shown[0].lasts:
        return shown
    first, last = first_day(shown[0].told), last_day(shown[0].told)
    others = [one for one in timeline.versions if one.value != shown[0].value]
    if answer.constraint.relation == "current":
        return [*[one for one in others if last_day(one.told) < first][-1:], *shown]
    closes = not tells_end(shown[0]) and shown[0].holds.end is not None
    return [*shown, *[one for one in others if first_day(one.told) > last][:1]] if closes else shown


def _about(span: TimeSpan) -> str:
    return "circa " if span.approximate else ""


def _start(span: TimeSpan) -> str:
    return _day_of(span, is_start=True)


def _end(span: TimeSpan) -> str:
    return _day_of(span, is_start=False)


def _day_of(span: TimeSpan, *, is_start: bool) -> str:
    day = first_day(span) if is_start else last_day(span)
    width = {"day": 10, "month": 7, "quarter": 7, "season": 7}.get(span.granularity, 4)
    return day.isoformat()[:width]
