from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.timespan import Granularity, Relation, Role, TimeConstraint, TimeMention, TimeSpan
from fakes import a_passage
from retrieval.temporal.fit import EXACT, MISSED, SATISFIED, UNTOLD
from retrieval.temporal.scoring import Mode, Times, TimeScorer

YEARS = TimeSpan(start=date(2004, 1, 1), end=date(2006, 12, 31), granularity="year")
BEFORE_2009 = TimeSpan(start=None, end=date(2008, 12, 31), granularity="year")
AFTER_2009 = TimeSpan(start=date(2010, 1, 1), end=None, granularity="year")
SINCE_2009 = TimeSpan(start=date(2009, 1, 1), end=None, granularity="year")
UNTIL_2009 = TimeSpan(start=None, end=date(2009, 12, 31), granularity="year")
TODAY = TimeSpan.parse("2026-01-15")


def years(first: int, last: int) -> TimeSpan:
    return TimeSpan(start=date(first, 1, 1), end=date(last, 12, 31), granularity="year")


def circa(span: TimeSpan) -> TimeSpan:
    return TimeSpan(start=span.start, end=span.end, granularity=span.granularity, approximate=True)


def mentioning(*told: TimeSpan, role: Role = "event", published: TimeSpan | None = None) -> Times:
    return Times(
        mentions=tuple(TimeMention(span=span, start=n, end=n + 1, role=role) for n, span in enumerate(told)),
        published=published,
    )


def scorer(relation: Relation, asked: TimeSpan | None, *, mode: Mode = "soft", strict: bool = False) -> TimeScorer:
    constraint = TimeConstraint(relation=relation, span=asked, ordinal=2 if relation == "nth" else None)
    return TimeScorer(constraint, mode=mode, strict=strict)


def odds(relation: Relation, asked: TimeSpan | None, times: Times, *, mode: Mode = "soft") -> float:
    return scorer(relation, asked, mode=mode).factor(times).value


BOTH_ENDS = EXACT * EXACT / SATISFIED  # of a window whose ends lie in different units


def told(nearness: float, most: float = EXACT) -> float:
    """What satisfies, by the nearness of its ends."""
    return SATISFIED * (most / SATISFIED) ** nearness


def inferred(nearness: float, most: float = EXACT) -> float:
    """What may have gone on, by the nearness of its ends."""
    return most**nearness


def missed(gap: int, scale: int = 365) -> float:
    return 0.5 + 0.5 * scale / (scale + gap)


def near(days: int, scale: int = 365) -> float:
    return scale / (scale + days)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (mentioning(YEARS), BOTH_ENDS),
        (mentioning(TimeSpan.year(2004)), told((1 + near(730 + 1)) / 2, BOTH_ENDS)),
        (mentioning(TimeSpan.parse("2006-12-31")), told((near(1095) + 1) / 2, BOTH_ENDS)),
        (mentioning(TimeSpan.year(2005)), told((near(366) + near(365)) / 2, BOTH_ENDS)),
        (mentioning(years(2004, 2007)), told((1 + near(365)) / 2, BOTH_ENDS)),
        (mentioning(TimeSpan.year(2007)), missed(1)),
        (mentioning(TimeSpan.year(2010)), missed(1097)),
        (Times(), UNTOLD),
    ],
)
def test_a_time_speaks_for_a_text_by_how_near_it_begins_and_ends_to_the_asked_range(
    times: Times, expected: float
) -> None:
    assert odds("between", YEARS, times) == pytest.approx(expected, rel=1e-3)


def test_a_time_is_as_near_as_the_question_can_tell() -> None:
    day = TimeSpan.parse("2014-03-05")

    assert odds("during", TimeSpan.year(2014), mentioning(day)) == EXACT
    assert odds("during", day, mentioning(day)) == EXACT
    assert odds("during", day, mentioning(TimeSpan.month(2014, 3))) == pytest.approx(
        told((near(4, 28) + near(26, 28)) / 2)
    )
    assert odds("during", day, mentioning(TimeSpan.year(2014))) == pytest.approx(told((near(63) + near(301)) / 2))


def test_what_is_dated_by_the_century_is_dated_near_nothing() -> None:
    century = TimeSpan(start=date(1901, 1, 1), end=date(2000, 12, 31), granularity="century")

    assert odds("during", TimeSpan.year(1990), mentioning(century)) < told(0.1)


def test_what_a_text_tells_last_before_may_have_stayed_so_and_what_it_tells_first_after_had_not_begun() -> None:
    asked = TimeSpan.year(2005)

    assert odds("during", asked, mentioning(TimeSpan.year(2003))) == pytest.approx(inferred(near(731) / 2), rel=1e-3)
    assert odds("during", asked, mentioning(TimeSpan.year(2007))) == pytest.approx(missed(366))
    assert odds("before", UNTIL_2009, mentioning(TimeSpan.year(2011))) == pytest.approx(missed(366))


def test_times_on_both_sides_may_tell_what_was_so_between() -> None:
    asked = TimeConstraint(relation="during", span=TimeSpan.year(2005), surface="in 2005")
    sides = mentioning(TimeSpan.year(1990), TimeSpan.year(2004), TimeSpan.year(2007))

    factor = TimeScorer(asked).factor(sides)

    assert factor.value == pytest.approx(inferred((near(366) + near(730)) / 2))
    assert factor.explanation == "2004 and 2007 around 'in 2005'"
    assert odds("between", YEARS, mentioning(TimeSpan.year(2004), TimeSpan.year(2006))) == pytest.approx(BOTH_ENDS)


def test_the_best_time_of_a_text_counts() -> None:
    assert odds("during", TimeSpan.year(2005), mentioning(TimeSpan.year(1990), TimeSpan.year(2005))) == EXACT


def test_what_holds_through_the_asked_time_fits_wholly() -> None:
    holds = Times(holds=years(1990, 2020), mentions=mentioning(TimeSpan.year(1990)).mentions)

    factor = TimeScorer(TimeConstraint(relation="as_of", span=TimeSpan.year(2005), surface="in 2005")).factor(holds)

    assert factor.value == EXACT
    assert factor.explanation == "holds 1990 to 2020 covers 'in 2005'"
    assert odds("before", UNTIL_2009, Times(holds=TimeSpan.year(2009))) == EXACT


def test_what_began_earlier_goes_on_but_is_no_event_of_later_years() -> None:
    began = mentioning(TimeSpan.year(2004), role="valid_from")

    factor = TimeScorer(TimeConstraint(relation="as_of", span=TimeSpan.year(2006), surface="in 2006")).factor(began)

    assert factor.value == pytest.approx(inferred(near(731) / 2), rel=1e-3)
    assert factor.explanation == "since 2004 covers 'in 2006'"
    assert odds("after", AFTER_2009, began) == odds("after", AFTER_2009, mentioning(TimeSpan.year(2004)))


def test_what_ended_was_so_before() -> None:
    ended = mentioning(TimeSpan.year(2004), role="valid_until")

    assert odds("as_of", TimeSpan.year(2003), ended) == pytest.approx(inferred(near(366) / 2), rel=1e-3)


@pytest.mark.parametrize("role", ["birth", "death", "comparison"])
def test_a_time_beside_the_point_speaks_weakly_for_and_never_against(role: Role) -> None:
    asked = TimeSpan.year(1976)

    assert odds("during", asked, mentioning(asked, role=role)) == SATISFIED
    assert odds("during", asked, mentioning(TimeSpan.year(1905), role=role)) == UNTOLD


def test_the_day_of_publication_speaks_weakly_for_and_never_against() -> None:
    asked = TimeSpan.year(2005)

    assert odds("during", asked, mentioning(published=asked)) == SATISFIED
    assert odds("during", asked, mentioning(published=TimeSpan.year(2020))) == UNTOLD
    assert odds("during", asked, mentioning(asked, published=asked)) == EXACT


def test_a_circa_may_be_off_by_its_own_length() -> None:
    asked = TimeSpan.year(1850)

    assert odds("during", asked, mentioning(circa(TimeSpan.year(1849)))) == EXACT
    assert odds("during", circa(asked), mentioning(TimeSpan.year(1849))) == EXACT
    assert odds("before", asked, mentioning(circa(TimeSpan.year(1860)))) < UNTOLD


def test_before_takes_the_nearest_earlier_first_and_after_the_nearest_later() -> None:
    assert odds("before", BEFORE_2009, mentioning(TimeSpan.year(2008))) == EXACT
    assert odds("before", TimeSpan.year(2009), mentioning(TimeSpan.year(2008))) == EXACT
    assert odds("before", BEFORE_2009, mentioning(TimeSpan.year(2006))) == pytest.approx(told(near(731)))
    assert odds("before", BEFORE_2009, mentioning(TimeSpan.year(2010))) == pytest.approx(missed(366))
    assert odds("after", AFTER_2009, mentioning(TimeSpan.year(2010))) == EXACT
    assert odds("after", TimeSpan.year(2009), mentioning(TimeSpan.year(2012))) == pytest.approx(told(near(730)))
    assert odds("after", AFTER_2009, mentioning(TimeSpan.year(2008))) == pytest.approx(missed(366))


def test_since_asks_for_what_begins_there_and_until_for_what_ends_there() -> None:
    assert odds("since", SINCE_2009, mentioning(SINCE_2009)) == EXACT
    assert odds("since", SINCE_2009, mentioning(TimeSpan.year(2009))) == EXACT
    assert odds("since", SINCE_2009, mentioning(TimeSpan.year(2011))) == pytest.approx(told(near(730)))
    assert odds("until", UNTIL_2009, mentioning(years(2004, 2009))) == EXACT
    assert odds("until", UNTIL_2009, mentioning(years(2004, 2011))) == pytest.approx(told(near(730)))
    assert odds("until", UNTIL_2009, mentioning(AFTER_2009)) == pytest.approx(missed(1))


def test_of_what_is_counted_elsewhere_the_first_is_near_the_start_of_its_window_and_the_last_near_its_end() -> None:
    early, late = mentioning(TimeSpan.year(2004)), mentioning(TimeSpan.year(2006))

    assert odds("first", YEARS, early) == odds("last", YEARS, late) == EXACT
    assert odds("first", YEARS, late) == pytest.approx(told(near(731)), rel=1e-3)
    assert odds("last", YEARS, early) == pytest.approx(told(near(730)), rel=1e-3)
    assert odds("nth", YEARS, early) == EXACT
    assert odds("nth", YEARS, mentioning(TimeSpan.year(2007))) == pytest.approx(missed(1))
    assert odds("first", None, late) == UNTOLD  # of all there are, any time fits


def test_current_takes_what_still_holds_then_the_newest() -> None:
    assert odds("current", TODAY, Times(holds=SINCE_2009)) == EXACT
    assert odds("current", TODAY, Times(holds=BEFORE_2009, published=TODAY)) == MISSED
    assert odds("current", TODAY, mentioning(TimeSpan.year(2026))) == EXACT
    assert odds("current", TODAY, mentioning(TimeSpan.year(2026), role="valid_from")) == EXACT
    assert odds("current", TODAY, mentioning(TimeSpan.year(2020))) == pytest.approx(missed(1841))
    assert odds("current", TODAY, mentioning(TimeSpan.year(1990), published=TODAY)) == SATISFIED
    assert odds("current", TODAY, mentioning(published=TimeSpan.year(1990))) < UNTOLD


@pytest.mark.parametrize(
    "constraint",
    [
        TimeConstraint(relation="before", anchor="he became minister"),
        TimeConstraint(relation="first", anchor="he became minister"),
        TimeConstraint(relation="current"),
    ],
)
def test_a_constraint_without_days_treats_all_texts_alike(constraint: TimeConstraint) -> None:
    scorer = TimeScorer(constraint, mode="hard", strict=True)

    assert scorer.factor(mentioning(TimeSpan.year(2005))).value == UNTOLD
    assert scorer.factor(Times(holds=YEARS, published=TODAY)).value == UNTOLD


def test_hard_mode_excludes_what_provably_does_not_satisfy_and_keeps_the_unknown() -> None:
    hard = scorer("during", TimeSpan.year(2005), mode="hard")

    assert hard.factor(mentioning(TimeSpan.year(2007))).value == 0.0
    assert hard.factor(Times(holds=AFTER_2009)).value == 0.0
    assert hard.factor(mentioning(TimeSpan.year(1990))).value > UNTOLD  # may have stayed so
    assert hard.factor(mentioning(circa(TimeSpan.year(2004)))).value > 0.0
    assert hard.factor(mentioning(TimeSpan.year(1976), role="birth")).value == UNTOLD
    assert hard.factor(mentioning(published=TimeSpan.year(2020))).value == UNTOLD
    assert hard.factor(mentioning(TimeSpan.year(2005))).value == EXACT


def test_strict_excludes_the_unknown_too() -> None:
    strict = scorer("during", TimeSpan.year(2005), mode="hard", strict=True)

    assert strict.factor(Times()).value == 0.0
    assert strict.factor(mentioning(published=TimeSpan.year(2005))).value > 0.0


def test_only_what_holds_proves_that_something_is_no_longer_current() -> None:
    assert odds("current", TODAY, mentioning(TimeSpan.year(1990)), mode="hard") > 0.0
    assert odds("current", TODAY, Times(holds=BEFORE_2009), mode="hard") == 0.0


def test_a_passage_is_judged_as_it_is() -> None:
    assert scorer("during", TimeSpan.year(2005)).factor(a_passage(published=TimeSpan.year(2005))).source == "published"


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (mentioning(TimeSpan.year(2005)), "2005 inside 'from 2004 to 2006'"),
        (mentioning(YEARS), "2004 to 2006 equals 'from 2004 to 2006'"),
        (mentioning(TimeSpan.decade(2000)), "2000 to 2009 covers 'from 2004 to 2006'"),
        (mentioning(years(2006, 2008)), "2006 to 2008 overlaps 'from 2004 to 2006'"),
        (mentioning(TimeSpan.year(2003)), "2003, 1 day before 'from 2004 to 2006'"),
        (mentioning(TimeSpan.year(2010)), "2010, 1,097 days after 'from 2004 to 2006'"),
        (mentioning(published=YEARS), "published 2004 to 2006 equals 'from 2004 to 2006'"),
        (Times(), "no time to compare with 'from 2004 to 2006'"),
    ],
)
def test_an_explanation_sets_the_evidence_against_the_words_of_the_question(times: Times, words: str) -> None:
    constraint = TimeConstraint(relation="between", span=YEARS, surface="from 2004 to 2006")

    assert TimeScorer(constraint).factor(times).explanation == words


def test_an_explanation_does_without_the_words_of_the_question() -> None:
    first = TimeConstraint(relation="first")

    assert TimeScorer(first).factor(mentioning(YEARS)).explanation == "no time to compare with 'first'"
    assert scorer("during", YEARS).factor(mentioning(YEARS)).explanation == "2004 to 2006 equals 'during 2004 to 2006'"


DAYS = st.dates(date(1900, 1, 1), date(2099, 12, 31))
SPANS = st.builds(
    lambda first, length, unit, fuzzy: TimeSpan(
        start=first, end=first + timedelta(days=length), granularity=unit, approximate=fuzzy
    ),
    DAYS,
    st.integers(0, 5000),
    st.sampled_from(get_args(Granularity)),
    st.booleans(),
)
ENDS = st.sampled_from(["closed", "closed", "start", "end"])
ANY_SPANS = st.builds(
    lambda span, open_at: TimeSpan(
        start=None if open_at == "start" else span.start,
        end=None if open_at == "end" else span.end,
        granularity=span.granularity,
        approximate=span.approximate,
    ),
    SPANS,
    ENDS,
)
ANY_TIMES = st.builds(
    lambda told, holds, published: Times(
        mentions=tuple(TimeMention(span=span, start=n, end=n + 1, role=role) for n, (span, role) in enumerate(told)),
        holds=holds,
        published=published,
    ),
    st.lists(st.tuples(ANY_SPANS, st.sampled_from(get_args(Role))), max_size=4),
    st.none() | ANY_SPANS,
    st.none() | SPANS,
)
CONSTRAINTS = st.builds(
    lambda relation, span: TimeConstraint(relation=relation, span=span, ordinal=2 if relation == "nth" else None),
    st.sampled_from(get_args(Relation)),
    ANY_SPANS,
)


@given(CONSTRAINTS, ANY_TIMES)
def test_odds_lie_between_missed_and_both_ends_and_explain_themselves(constraint: TimeConstraint, times: Times) -> None:
    soft = TimeScorer(constraint).factor(times)
    hard = TimeScorer(constraint, mode="hard").factor(times)

    assert MISSED <= soft.value <= BOTH_ENDS
    assert hard.value in (0.0, soft.value)
    assert soft.explanation


@given(st.sampled_from(["during", "between", "as_of", "before", "after"]), SPANS, SPANS, st.data())
def test_evidence_outside_never_loses_by_coming_nearer(
    relation: Relation, asked: TimeSpan, evidence: TimeSpan, data: st.DataObject
) -> None:
    length = timedelta(days=(evidence.days or 1) - 1)
    nearer, farther = sorted(data.draw(st.tuples(st.integers(0, 9000), st.integers(0, 9000))))
    earlier = data.draw(st.booleans())

    def away(gap: int) -> TimeSpan:
        assert asked.start is not None
        assert asked.end is not None
        start = asked.start - timedelta(days=gap) - length if earlier else asked.end + timedelta(days=gap)
        return TimeSpan(
            start=start, end=start + length, granularity=evidence.granularity, approximate=evidence.approximate
        )

    if (relation, earlier) not in (("before", False), ("after", True)):
        near, far = (odds(relation, asked, mentioning(away(gap))) for gap in (nearer, farther))
        assert near >= far - 1e-12


@given(CONSTRAINTS, ANY_SPANS)
def test_what_satisfies_beats_a_text_that_tells_no_time(constraint: TimeConstraint, span: TimeSpan) -> None:
    hard = TimeScorer(constraint, mode="hard").factor(mentioning(span))

    if constraint.relation != "current" and hard.value > 0.0:
        assert TimeScorer(constraint).factor(mentioning(span)).value > UNTOLD


@given(DAYS, ANY_TIMES)
def test_as_of_a_day_asks_what_was_so_during_that_day(day: date, times: Times) -> None:
    span = TimeSpan(start=day, end=day)

    assert odds("as_of", span, times) == odds("during", span, times)
