"""Statements become versions in order of time, by hand and by laws."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from told import STATEMENTS, span, tells

from agents.timeline import Statement, Timeline, build_timeline
from agents.values import occurs_in, one_spelling, only_repeats, spellings


def held(*statements: Statement, lasting: bool = True) -> list[tuple[str, str]]:
    return [(one.value, str(one.holds)) for one in build_timeline(statements, lasting=lasting).versions]


def test_neighbours_close_each_others_open_ends() -> None:
    assert held(tells("Ada", "2015.."), tells("Bob", "2021-03-05..")) == [
        ("Ada", "2015 to 2021"),
        ("Bob", "since 2021-03-05"),
    ]
    closed = build_timeline([tells("Ada", "2015-01-01.."), tells("Bob", "2021-03-05..")]).versions[0]
    assert str(closed.holds) == "2015-01-01 to 2021-03-04"


def test_until_takes_the_silence_before_it() -> None:
    assert held(tells("Ada", "2010-05-01"), tells("Bob", "..2021-03-04")) == [
        ("Ada", "2010-05-01"),
        ("Bob", "2010-05-02 to 2021-03-04"),
    ]


def test_an_end_that_is_told_is_not_moved() -> None:
    assert held(tells("Ada", "1990..1997"), tells("Bob", "2003..2005"))[0] == ("Ada", "1990 to 1997")


def test_years_of_one_value_join_unless_another_begins_between_them() -> None:
    assert [str(one.told) for one in build_timeline([tells("Ada", "2005"), tells("Ada", "2007")]).versions] == [
        "2005 to 2007"
    ]
    parted = build_timeline([tells("Ada", "2005"), tells("Bob", "2006"), tells("Ada", "2007")])
    assert [(one.value, str(one.told)) for one in parted.versions] == [
        ("Ada", "2005"),
        ("Bob", "2006"),
        ("Ada", "2007"),
    ]
    assert parted.conflicts == ()


def test_events_do_not_last_and_do_not_conflict() -> None:
    events = [tells("Ada", "2005-03-01"), tells("Bob", "2005-03-01"), tells("Cleo", "2006-01-01")]

    assert held(*events, lasting=False) == [("Ada", "2005-03-01"), ("Bob", "2005-03-01"), ("Cleo", "2006-01-01")]
    assert build_timeline(events, lasting=False).conflicts == ()


@pytest.mark.parametrize(
    ("one", "other", "in_conflict"),
    [
        ("2019", "2019", True),
        ("2005-01-01..", "2005-01-01..", True),
        ("2005..", "2009..", False),  # the later closes the earlier
        ("1990..1997", "1997..2003", False),  # a change within the year
        ("1990..1997", "1996..2003", True),
        ("2001-01-20..2009-01-20", "2009-01-20..2017-01-20", False),
        ("1990..2000", "1995", True),
        ("1990..2000", "2000-04-08", False),  # in the year in which the first one ended
        ("..2021-03", "2021-03..", False),
        ("1977..1981-01-20", "1981-01..1981-07", False),  # by the coarser of the two
        ("..2021-06", "2021-03..", True),  # one had not gone when the other is told to have begun
        ("1990..2000", "..1995", True),
    ],
)
def test_different_values_for_the_same_days_conflict(one: str, other: str, in_conflict: bool) -> None:
    conflicts = build_timeline([tells("Ada", one), tells("Bob", other)]).conflicts

    assert bool(conflicts) is in_conflict
    assert {(c.one.value, c.other.value) for c in conflicts} <= {("Ada", "Bob"), ("Bob", "Ada")}


def test_spellings_of_one_value_are_one_version() -> None:
    timeline = build_timeline(
        [tells("Griffin", "2006"), tells("Michael D. Griffin", "2005"), tells("michael griffin", "2007")]
    )

    assert [(one.value, len(one.statements)) for one in timeline.versions] == [("Michael D. Griffin", 3)]


def test_a_bare_name_that_two_people_bear_stays_apart() -> None:
    names = spellings(["Griffin", "Michael Griffin", "John Griffin"])

    assert len(set(names.values())) == 3
    assert len(set(spellings(["six", "6 people", "seven"]).values())) == 2
    assert len(set(spellings(["Voyager", "Voyager 1"]).values())) == 2
    assert len(set(spellings(["Titov and Manarov", "Manarov, Titov"]).values())) == 1


def test_the_usual_spelling_is_shown() -> None:
    assert one_spelling(["Griffin", "Michael D. Griffin"]) == "Michael D. Griffin"
    assert one_spelling(["Griffin", "the famous Griffin", "Griffin"]) == "Griffin"


def test_a_value_stands_in_its_sentence_and_says_more_than_the_question() -> None:
    assert occurs_in("Michael D. Griffin", "As of 2008, Michael D. Griffin heads NASA.")
    assert not occurs_in("Mike Griffin", "As of 2008, Michael D. Griffin heads NASA.")
    assert not occurs_in("", "As of 2008")
    assert only_repeats("Administrator of NASA", "Who was the Administrator of NASA?")
    assert not only_repeats("Griffin", "Who was the Administrator of NASA?")


def test_until_before_since_is_a_break() -> None:
    assert [str(one.told) for one in build_timeline([tells("Ada", "..1990"), tells("Ada", "2000..")]).versions] == [
        "until 1990",
        "since 2000",
    ]


def test_no_statements_make_an_empty_timeline() -> None:
    assert build_timeline([]) == Timeline()


@given(STATEMENTS, st.randoms(), st.booleans())
def test_the_order_of_statements_does_not_matter(
    statements: list[Statement], lot: random.Random, lasting: bool
) -> None:
    shuffled = list(statements)
    lot.shuffle(shuffled)

    assert build_timeline(shuffled, lasting=lasting) == build_timeline(statements, lasting=lasting)


@given(STATEMENTS, st.booleans())
def test_merging_again_changes_nothing(statements: list[Statement], lasting: bool) -> None:
    once = build_timeline(statements, lasting=lasting)

    assert build_timeline([*once.statements, *once.statements], lasting=lasting) == once


@given(STATEMENTS, st.booleans())
def test_every_statement_is_kept_once_and_versions_are_in_order(statements: list[Statement], lasting: bool) -> None:
    timeline = build_timeline(statements, lasting=lasting)

    assert len(timeline.statements) == len(set(timeline.statements)) == len(set(statements))
    firsts = [one.told.start or one.told.end for one in timeline.versions]
    assert firsts == sorted(day for day in firsts if day is not None)
    assert all(one.when is None for one in timeline.undated)


@given(STATEMENTS)
def test_what_is_told_is_part_of_what_holds_but_for_ends_that_neighbours_close(statements: list[Statement]) -> None:
    for version in build_timeline(statements).versions:
        assert version.holds.overlaps(version.told)
        if version.told.start is not None:
            assert version.holds.start == version.told.start


def test_a_span_is_written_short() -> None:
    assert str(span("~2010..2014")) == "circa 2010 to 2014"
