"""Operators over versions: by hand and by laws."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from told import STATEMENTS, span, spans, tells

from agents import operators
from agents.operators import VersionedAnswer, answer_by_version
from agents.timeline import Statement, build_timeline
from app.core.timespan import Relation, TimeConstraint, TimeSpan

ASKED_ON = date(2026, 1, 15)
HEADS = build_timeline(
    [
        tells("Ada", "1990..1997"),
        tells("Bob", "1997..2003-05"),
        tells("Cleo", "2003-06-01.."),
        tells("Dora", "2012-03-05", told="published", published="2012-03-05"),
    ]
)


def answered(relation: Relation, when: str | None = None, ordinal: int | None = None) -> VersionedAnswer:
    constraint = TimeConstraint(relation=relation, span=span(when) if when else None, ordinal=ordinal)
    return answer_by_version(HEADS, constraint, asked_on=ASKED_ON)


@pytest.mark.parametrize(
    ("relation", "when", "best"),
    [
        ("during", "1992-05-01", "Ada"),
        ("during", "2001", "Bob"),
        ("between", "1998..2002", "Bob"),
        ("between", "1996..2002", "Bob"),  # for most of the time
        ("as_of", "2005-12-31", "Cleo"),
        ("as_of", "2020-12-31", "Dora"),  # told for 2012, and nothing later
        ("before", "1997-01-01", "Ada"),
        ("before", "2004", "Cleo"),
        ("after", "2003-06", "Cleo"),
        ("since", "2012", "Dora"),
        ("until", "2003", "Bob"),
        ("current", None, "Dora"),
        ("first", None, "Ada"),
        ("last", None, "Dora"),
        ("first", "1998..2010", "Bob"),
        ("last", "1998..2010", "Cleo"),
    ],
)
def test_the_relation_chooses_the_operator(relation: Relation, when: str | None, best: str) -> None:
    answer = answered(relation, when)

    assert (answer.versions[0].value, answer.reason) == (best, None)
    assert answer.statements


def test_the_third_is_counted_by_code_and_a_sixth_is_a_gap() -> None:
    assert [one.value for one in answered("nth", ordinal=3).versions] == ["Cleo"]
    assert (answered("nth", ordinal=6).versions, answered("nth", ordinal=6).reason) == ((), "time_gap")


def test_a_time_that_nothing_is_told_for_is_a_gap_with_its_nearest_evidence() -> None:
    answer = answered("during", "1980")

    assert (answer.versions, answer.reason) == ((), "time_gap")
    assert answer.nearest is not None
    assert answer.nearest.value == "Ada"


def test_nobody_holds_an_office_after_the_day_of_asking() -> None:
    assert answered("during", "2030-01-01").reason == "time_gap"


def test_no_statements_and_an_event_that_is_not_dated_yet_are_reasons_of_their_own() -> None:
    event = TimeConstraint(relation="before", anchor="the merger")

    assert answer_by_version(build_timeline([]), event, asked_on=ASKED_ON).reason == "nothing_told"
    assert answer_by_version(HEADS, event, asked_on=ASKED_ON).reason == "anchor_unknown"


def test_a_conflict_comes_back_with_all_its_values_and_is_not_resolved() -> None:
    timeline = build_timeline([tells("Ada", "2019"), tells("Bob", "2019"), tells("Cleo", "2010")])
    asked = TimeConstraint(relation="during", span=span("2019"))

    answer = answer_by_version(timeline, asked, asked_on=ASKED_ON)

    assert answer.reason == "conflict"
    assert {one.value for one in answer.versions} == {"Ada", "Bob"}
    earlier = answer_by_version(timeline, TimeConstraint(relation="during", span=span("2010")), asked_on=ASKED_ON)
    assert earlier.reason is None


def test_a_superseded_document_yields_to_its_successor_for_what_is_current() -> None:
    timeline = build_timeline(
        [tells("Ada", "2010-01-01", superseded_by="new.md"), tells("Bob", "2009-06-01", told="published")]
    )
    now = TimeConstraint(relation="current")

    assert [one.value for one in operators.current(timeline.versions, ASKED_ON)] == ["Ada"]
    assert [one.value for one in answer_by_version(timeline, now, asked_on=ASKED_ON).versions] == ["Bob"]


def test_evidence_older_than_what_is_asked_is_warned_of() -> None:
    assert answered("as_of", "2020-12-31").warning == (
        "the newest evidence is of 2012-03-05, older than as_of 2020-12-31 asks"
    )
    assert "2012-03-05" in answered("current").warning
    assert answered("during", "2001").warning == ""


@pytest.mark.parametrize(
    ("relation", "when", "dates", "newest"),
    [
        ("during", "2020", ["2012-03-05", None, "2015"], "2015-12-31"),
        ("during", "2020", ["2012", "2020-06"], None),
        ("until", "2009", ["2004..2006"], "2006-12-31"),
        ("since", "2009", ["2004.."], "2004-01-01"),
        ("before", "2009", ["2004"], None),  # what is asked is older
        ("current", None, ["2012"], "2012-12-31"),
        ("current", None, ["2012", "2025-06"], None),
        ("during", "2020", [None], None),
        ("during", "2020", [], None),
        ("first", None, ["2004"], None),
    ],
)
def test_any_evidence_is_held_against_the_time_that_is_asked(
    relation: Relation, when: str | None, dates: list[str | None], newest: str | None
) -> None:
    constraint = TimeConstraint(relation=relation, span=span(when) if when else None, surface="then")

    warning = operators.older_than_asked([span(one) if one else None for one in dates], constraint, asked_on=ASKED_ON)

    assert warning == (f"the newest evidence is of {newest}, older than 'then' asks" if newest else "")


def test_days_between_two_times_are_told_as_exactly_as_the_times_are() -> None:
    exact = operators.diff(span("2000-01-01"), span("2001-01-01"))
    vague = operators.diff(span("2000"), span("2010-06"))

    assert exact == operators.Difference(least=366, most=366)
    assert exact.years == (1, 1)
    assert vague is not None
    assert vague.years == (9, 10)
    assert operators.diff(span("2000.."), span("2010")) is None


def test_a_circa_counts_for_the_years_around_it() -> None:
    versions = build_timeline([tells("Ada", "~1900")], lasting=False).versions

    assert [one.value for one in operators.during(versions, span("1901"))] == ["Ada"]
    assert operators.during(versions, span("1903")) == ()


@given(STATEMENTS, spans(), st.booleans())
def test_no_operator_returns_a_version_outside_of_its_window(
    statements: list[Statement], window: TimeSpan, lasting: bool
) -> None:
    versions = build_timeline(statements, lasting=lasting).versions

    for one in operators.before(versions, window):
        assert window.start is not None
        assert one.told.approximate or window.approximate or one.told.start is None or one.told.start < window.start
    for one in operators.after(versions, window):
        assert window.end is not None
        assert one.told.approximate or window.approximate or one.told.end is None or one.told.end > window.end
    exact = [one for one in versions if not one.told.approximate]
    if not window.approximate:
        assert all(one.holds.overlaps(window) for one in operators.during(exact, window))
        assert all(one.holds.overlaps(window) for one in operators.until(exact, window))
    assert all(one.holds.end is None for one in operators.since(versions, window))


@given(STATEMENTS, st.integers(-1, 9))
def test_first_and_last_are_the_ends_and_count_is_the_length(statements: list[Statement], n: int) -> None:
    versions = build_timeline(statements, lasting=False).versions

    assert operators.count(versions) == len(versions) == len(operators.first(versions, len(versions)))
    kept = max(0, min(n, len(versions)))
    assert operators.first(versions, n) == versions[:kept]
    assert operators.last(versions, n) == versions[len(versions) - kept :]
    assert operators.nth(versions, n) == (versions[n - 1 : n] if n >= 1 else ())


@given(STATEMENTS, spans(), st.sampled_from(["before", "after", "during", "since", "until", "first", "last", "as_of"]))
def test_an_answer_has_versions_or_a_reason_and_invents_none(
    statements: list[Statement], window: TimeSpan, relation: Relation
) -> None:
    timeline = build_timeline(statements)

    answer = answer_by_version(timeline, TimeConstraint(relation=relation, span=window), asked_on=ASKED_ON)

    assert set(answer.versions) <= set(timeline.versions)
    assert bool(answer.versions) is (answer.reason in (None, "conflict"))
    assert set(answer.statements) <= set(statements)
