"""The sentence that code makes of a timeline, with its dates and markers."""

from datetime import date

import pytest
from told import span, tells

from agents.citing import marked
from agents.operators import answer_by_version
from agents.state import Draft
from agents.telling import gap, tell
from agents.timeline import Statement, build_timeline
from app.core.timespan import Relation, TimeConstraint
from app.core.types import NoteId

ADA = tells("Ada", "..2021-03", note="a")
BOB = tells("Bob", "2021-04..", note="b")
CLEO = tells("Cleo", "2008-06-01", note="c", told="published")


def told(relation: Relation, when: str | None, *statements: Statement) -> tuple[str, tuple[int, ...]]:
    timeline = build_timeline(statements)
    constraint = TimeConstraint(relation=relation, span=span(when) if when else None)
    numbers = {NoteId(one.note_id): number for number, one in enumerate(statements, start=1)}
    claims = tell(answer_by_version(timeline, constraint, asked_on=date(2026, 1, 15)), timeline, numbers)
    draft = Draft(short="", claims=claims)
    return marked(draft), draft.cited


def test_the_current_version_comes_after_the_one_before_it_each_with_its_note() -> None:
    assert told("current", None, BOB, ADA) == ("Ada until 2021-03 [1]. Bob since 2021-04 [2].", (2, 1))


def test_an_end_that_is_not_told_is_explained_by_the_next_version() -> None:
    assert told("as_of", "2008-07-01", CLEO, BOB) == ("Cleo as of 2008-06-01 [1]. Bob since 2021-04 [2].", (1, 2))
    assert told("as_of", "2020-01-01", ADA, BOB) == ("Ada until 2021-03 [1].", (1,))


def test_both_ends_are_cited_where_two_notes_tell_them() -> None:
    begins, ends = tells("Ada", "2001-02-03", note="x"), tells("Ada", "..2005", note="y")

    assert told("during", "2003", begins, ends) == ("Ada from 2001-02-03 to 2005 [1][2].", (1, 2))
    assert told("during", "2003", begins, tells("Ada", "2004", note="z"))[0] == (
        "Ada from 2001-02-03 and still on 2004 [1][2]."
    )


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("1990..1997", "Ada from 1990 to 1997 [1]."),
        ("1995", "Ada in 1995 [1]."),
        ("~1995", "Ada in circa 1995 [1]."),
        ("1990..", "Ada since 1990 [1]."),
        ("..1997", "Ada until 1997 [1]."),
    ],
)
def test_a_time_is_told_as_its_note_tells_it(when: str, words: str) -> None:
    assert told("during", "1995", tells("Ada", when)) == (words, (1,))


def test_a_conflict_is_told_as_one() -> None:
    text, cited = told("during", "2019", tells("Ada", "2019", note="a"), tells("Bob", "2019", note="b"))

    assert text == "The evidence conflicts: Ada in 2019 [1]. Bob in 2019 [2]."
    assert cited == (1, 2)


def test_a_gap_names_the_nearest_evidence_and_its_time() -> None:
    asked = TimeConstraint(relation="during", span=span("1980"), surface="in 1980")
    answer = answer_by_version(build_timeline([CLEO]), asked, asked_on=date(2026, 1, 15))

    assert gap(answer) == "nothing found tells the answer for 'in 1980'; the nearest evidence is Cleo, as of 2008-06-01"
