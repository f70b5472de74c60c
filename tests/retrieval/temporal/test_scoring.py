from datetime import date, timedelta
from math import log10
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.timespan import Granularity, Relation, Role, TimeConstraint, TimeMention, TimeSpan
from fakes import a_passage
from retrieval.temporal.scoring import Mode, Times, TimeScorer, mrag_tau, temporal_factor

UNDATED = 0.5 + 0.5 * 0.3
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


def fit(relation: Relation, asked: TimeSpan | None, times: Times, *, mode: Mode = "soft") -> float:
    """The factor without its floor."""
    constraint = TimeConstraint(relation=relation, span=asked, ordinal=2 if relation == "nth" else None)
    return temporal_factor(constraint, times, floor=0.0, mode=mode).value


def missed(gap: int, half: int = 3652) -> float:
    return 0.4 * half / (half + gap)


def quality(value: float) -> float:
    return 0.4 + 0.6 * value


def test_a_factor_spreads_the_fit_from_the_floor_to_one() -> None:
    constraint = TimeConstraint(relation="during", span=TimeSpan.year(2005))

    assert temporal_factor(constraint, mentioning(TimeSpan.year(2005))).value == 1.0
    assert temporal_factor(constraint, Times()).value == pytest.approx(UNDATED)
    assert temporal_factor(constraint, Times(), floor=0.2).value == pytest.approx(0.2 + 0.8 * 0.3)
    assert temporal_factor(constraint, mentioning(TimeSpan.year(1066))).value == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (YEARS, 1.0),
        (TimeSpan.year(2004), quality(0.9)),
        (TimeSpan.parse("2004-03-05"), quality(0.9)),
        (TimeSpan.year(2005), quality(0.4)),
        (TimeSpan.year(2006), quality(0.6)),
        (years(2004, 2007), quality(0.9 * (1 - 0.1 * log10(1461 / 1096)))),
        (years(2000, 2009), quality(0.4 * (1 - 0.1 * log10(3653 / 1096)))),
        (years(2006, 2008), quality(0.4 * 365 / 1096)),
    ],
)
def test_what_begins_with_the_asked_range_fits_better_than_what_lies_in_it_or_around_it(
    told: TimeSpan, expected: float
) -> None:
    assert fit("between", YEARS, mentioning(told)) == pytest.approx(expected)


def test_a_day_in_the_asked_year_fits_wholly_and_a_year_around_the_asked_day_nearly() -> None:
    day = TimeSpan.parse("2014-03-05")

    assert fit("during", TimeSpan.year(2014), mentioning(day)) == 1.0
    assert fit("during", day, mentioning(day)) == 1.0
    assert fit("during", day, mentioning(TimeSpan.month(2014, 3))) == pytest.approx(quality(1 - 0.1 * log10(31)))
    assert fit("during", day, mentioning(TimeSpan.year(2014))) == pytest.approx(quality(1 - 0.1 * log10(365)))
    assert fit("during", day, mentioning(TimeSpan.decade(2010))) == pytest.approx(quality(1 - 0.1 * log10(3652)))


def test_a_miss_loses_with_the_days_between_and_more_when_it_comes_later() -> None:
    asked = TimeSpan.year(2005)

    assert fit("during", asked, mentioning(TimeSpan.year(2003))) == pytest.approx(missed(367))
    assert fit("during", asked, mentioning(TimeSpan.year(2007))) == pytest.approx(missed(4 * 366))
    assert fit("during", TimeSpan.parse("2005-03-05"), mentioning(TimeSpan.parse("2005-02-03"))) == pytest.approx(0.2)


def test_the_best_time_of_a_text_counts() -> None:
    assert fit("during", TimeSpan.year(2005), mentioning(TimeSpan.year(1990), TimeSpan.year(2005))) == 1.0


def test_what_holds_through_the_asked_time_fits_wholly() -> None:
    holds = Times(holds=years(1990, 2020), mentions=mentioning(TimeSpan.year(1990)).mentions)

    factor = temporal_factor(TimeConstraint(relation="as_of", span=TimeSpan.year(2005), surface="in 2005"), holds)

    assert factor.value == 1.0
    assert factor.explanation == "holds 1990 to 2020 covers 'in 2005'"


def test_what_began_earlier_goes_on_but_is_no_event_of_later_years() -> None:
    began = mentioning(TimeSpan.year(2004), role="valid_from")

    factor = temporal_factor(TimeConstraint(relation="as_of", span=TimeSpan.year(2006), surface="in 2006"), began)

    assert factor.value == pytest.approx(0.5 + 0.5 * quality(0.4 * (1 - 0.1 * log10(1096 / 365))))
    assert factor.explanation == "since 2004 covers 'in 2006'"
    assert fit("after", AFTER_2009, began) == fit("after", AFTER_2009, mentioning(TimeSpan.year(2004)))


def test_what_ended_was_so_before() -> None:
    ended = mentioning(TimeSpan.year(2004), role="valid_until")

    assert fit("as_of", TimeSpan.year(2003), ended) > 0.4 > fit("as_of", TimeSpan.year(2005), ended)


def test_times_on_both_sides_may_tell_what_was_so_between() -> None:
    asked = TimeConstraint(relation="during", span=TimeSpan.year(2005), surface="in 2005")

    factor = temporal_factor(
        asked, mentioning(TimeSpan.year(1990), TimeSpan.year(2004), TimeSpan.year(2007)), floor=0.0
    )

    assert factor.value == pytest.approx(quality(3652 / (3652 + 1 + 366)))
    assert factor.explanation == "2004 and 2007 around 'in 2005'"
    assert fit("before", BEFORE_2009, mentioning(TimeSpan.year(1990), TimeSpan.year(2020))) == pytest.approx(
        fit("before", BEFORE_2009, mentioning(TimeSpan.year(1990)))
    )
    assert fit("between", YEARS, mentioning(TimeSpan.year(2003), TimeSpan.year(2007))) == pytest.approx(
        quality(365 / 1096 * 3652 / 3654)
    )


@pytest.mark.parametrize("role", ["birth", "death", "comparison"])
def test_a_time_beside_the_point_speaks_weakly_for_and_never_against(role: Role) -> None:
    asked = TimeSpan.year(1976)

    assert fit("during", asked, mentioning(asked, role=role)) == pytest.approx(quality(0.5))
    assert fit("during", asked, mentioning(TimeSpan.year(1905), role=role)) == pytest.approx(0.3)


def test_the_day_of_publication_speaks_weakly_and_only_where_the_text_tells_no_time() -> None:
    asked = TimeSpan.year(2005)

    assert fit("during", asked, mentioning(published=asked)) == pytest.approx(quality(0.5))
    assert fit("during", asked, mentioning(published=TimeSpan.year(2020))) == pytest.approx(0.3)
    assert fit("during", asked, mentioning(TimeSpan.year(2003), published=asked)) == pytest.approx(missed(367))


def test_a_circa_fits_less_and_a_near_one_is_no_clear_miss() -> None:
    asked = TimeSpan.year(1850)

    assert fit("during", asked, mentioning(circa(asked))) == pytest.approx(quality(0.9))
    assert fit("during", asked, mentioning(circa(TimeSpan.year(1849)))) == pytest.approx(0.4)
    assert fit("during", circa(asked), mentioning(TimeSpan.year(1849))) == pytest.approx(0.4)
    assert fit("during", asked, mentioning(circa(TimeSpan.year(1840)))) < 0.4


def test_before_takes_the_nearest_earlier_first() -> None:
    def before(*told: TimeSpan) -> float:
        return fit("before", BEFORE_2009, mentioning(*told))

    assert before(TimeSpan.year(2008)) == 1.0
    assert before(TimeSpan.year(2006)) == pytest.approx(quality(3652 / (3652 + 731)))
    assert before(years(2008, 2009)) == pytest.approx(quality(366 / 731))
    assert before(SINCE_2009) == pytest.approx(missed(1))
    assert before(TimeSpan(start=date(2008, 12, 31), end=None)) == pytest.approx(quality(0.5))
    assert before(TimeSpan.year(2010)) == pytest.approx(missed(366))
    assert fit("before", TimeSpan.year(2009), mentioning(TimeSpan.year(2006))) == before(TimeSpan.year(2006))


def test_after_takes_the_nearest_later_first() -> None:
    def after(*told: TimeSpan) -> float:
        return fit("after", AFTER_2009, mentioning(*told))

    assert after(TimeSpan.year(2010)) == 1.0
    assert after(TimeSpan.year(2012)) == pytest.approx(quality(3652 / (3652 + 730)))
    assert after(years(2009, 2010)) == pytest.approx(quality(0.5))
    assert after(TimeSpan.year(2008)) == pytest.approx(missed(366))
    assert fit("after", TimeSpan.year(2009), mentioning(TimeSpan.year(2012))) == after(TimeSpan.year(2012))


def test_since_asks_for_what_begins_there_and_goes_on() -> None:
    def since(told: TimeSpan, role: Role = "event") -> float:
        return fit("since", SINCE_2009, mentioning(told, role=role))

    assert since(SINCE_2009) == 1.0
    assert since(TimeSpan.year(2009)) == 1.0
    assert since(TimeSpan.year(2009), "valid_from") == 1.0
    assert since(years(2009, 2012)) == pytest.approx(quality(0.5))
    assert since(TimeSpan.year(2011)) == pytest.approx(quality(3652 / (3652 + 730)))
    assert since(BEFORE_2009) == pytest.approx(missed(1))
    assert since(TimeSpan(start=None, end=date(2012, 12, 31), granularity="year")) == pytest.approx(quality(0.5))


def test_until_asks_for_what_holds_up_to_there() -> None:
    def until(told: TimeSpan) -> float:
        return fit("until", UNTIL_2009, mentioning(told))

    assert until(years(2004, 2009)) == 1.0
    assert until(TimeSpan.year(2009)) == 1.0
    assert until(years(2004, 2011)) == pytest.approx(quality(3652 / (3652 + 730)))
    assert until(years(2004, 2007)) == pytest.approx(quality(0.5 * 3652 / (3652 + 731)))
    assert until(TimeSpan.year(2007)) == pytest.approx(quality(3652 / (3652 + 731)))
    assert until(SINCE_2009) == pytest.approx(quality(0.5))
    assert until(AFTER_2009) == pytest.approx(missed(1))


@pytest.mark.parametrize("relation", ["first", "last", "nth"])
def test_what_is_counted_elsewhere_asks_only_for_the_window(relation: Relation) -> None:
    assert fit(relation, BEFORE_2009, mentioning(TimeSpan.year(1700))) == 1.0
    assert fit(relation, BEFORE_2009, mentioning(TimeSpan.year(2008))) == 1.0
    assert fit(relation, BEFORE_2009, mentioning(years(2008, 2009))) == pytest.approx(quality(366 / 731))
    assert fit(relation, BEFORE_2009, mentioning(TimeSpan.year(2010))) == pytest.approx(missed(366))
    assert fit(relation, None, mentioning(TimeSpan.year(2010))) == 1.0


def test_current_takes_what_still_holds_then_the_newest() -> None:
    def current(times: Times) -> float:
        return fit("current", TODAY, times)

    half = 5 * 365
    assert current(Times(holds=SINCE_2009)) == 1.0
    assert current(Times(holds=BEFORE_2009, published=TODAY)) == 0.0
    assert current(mentioning(TimeSpan.year(2026))) == 1.0
    assert current(mentioning(TimeSpan.year(2020))) == pytest.approx(half / (half + 1841))
    assert current(mentioning(TimeSpan.year(2026), role="valid_from")) == pytest.approx(quality(half / (half + 14)))
    assert current(mentioning(published=TODAY)) == pytest.approx(quality(0.5))
    assert current(mentioning(TimeSpan.year(1990), published=TODAY)) == pytest.approx(quality(0.5))
    assert current(mentioning(published=TimeSpan.year(1990))) < 0.3


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

    assert scorer.factor(mentioning(TimeSpan.year(2005))).value == pytest.approx(UNDATED)
    assert scorer.factor(Times(holds=YEARS, published=TODAY)).value == pytest.approx(UNDATED)


def test_hard_mode_excludes_what_provably_does_not_satisfy_and_keeps_the_unknown() -> None:
    scorer = TimeScorer(TimeConstraint(relation="during", span=TimeSpan.year(2005)), mode="hard")

    assert scorer.factor(mentioning(TimeSpan.year(2003))).value == 0.0
    assert scorer.factor(Times(holds=BEFORE_2009)).value > 0.5
    assert scorer.factor(Times(holds=AFTER_2009)).value == 0.0
    assert scorer.factor(mentioning(circa(TimeSpan.year(2004)))).value == pytest.approx(0.5 + 0.5 * 0.4)
    assert scorer.factor(mentioning(TimeSpan.year(1976), role="birth")).value == pytest.approx(UNDATED)
    assert scorer.factor(mentioning(published=TimeSpan.year(2020))).value == pytest.approx(UNDATED)
    assert scorer.factor(mentioning(TimeSpan.year(2005))).value == 1.0


def test_strict_excludes_the_unknown_too() -> None:
    constraint = TimeConstraint(relation="during", span=TimeSpan.year(2005))

    assert temporal_factor(constraint, Times(), mode="hard", strict=True).value == 0.0
    assert temporal_factor(constraint, mentioning(published=TimeSpan.year(2005)), mode="hard", strict=True).value > 0.5


def test_only_what_holds_proves_that_something_is_no_longer_current() -> None:
    assert fit("current", TODAY, mentioning(TimeSpan.year(1990)), mode="hard") > 0.0
    assert fit("current", TODAY, Times(holds=BEFORE_2009), mode="hard") == 0.0


def test_a_sentence_is_judged_by_its_own_times() -> None:
    mentions = (
        TimeMention(span=TimeSpan.year(2005), start=3, end=7),
        TimeMention(span=TimeSpan.year(1990), start=20, end=24),
    )
    scorer = TimeScorer(TimeConstraint(relation="during", span=TimeSpan.year(2005)), floor=0.0)

    factors = scorer.sentence_factors(Times(mentions=mentions), [(0, 10), (10, 30), (30, 40)])

    assert [factor.value for factor in factors] == pytest.approx([1.0, missed(5115), 0.3])
    assert scorer.sentence_factors(Times(mentions=mentions), []) == []


def test_a_passage_is_judged_as_it_is() -> None:
    passage = a_passage(published=TimeSpan.year(2005))

    assert temporal_factor(TimeConstraint(relation="during", span=TimeSpan.year(2005)), passage).source == "published"


@pytest.mark.parametrize(
    ("told", "words"),
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
def test_an_explanation_sets_the_evidence_against_the_words_of_the_question(told: Times, words: str) -> None:
    constraint = TimeConstraint(relation="between", span=YEARS, surface="from 2004 to 2006")

    assert temporal_factor(constraint, told).explanation == words


def test_an_explanation_does_without_the_words_of_the_question() -> None:
    first = TimeConstraint(relation="first")

    assert temporal_factor(first, mentioning(YEARS)).explanation == "2004 to 2006 for 'first'"
    assert temporal_factor(TimeConstraint(relation="during", span=YEARS), mentioning(YEARS)).explanation == (
        "2004 to 2006 equals 'during 2004 to 2006'"
    )


@pytest.mark.parametrize(
    ("relation", "asked", "first", "told", "tau"),
    [
        ("before", (2010, None), False, [2008], 0.984),
        ("before", (2010, None), False, [1975], 0.72),
        ("before", (2010, None), False, [1950], 0.5),
        ("before", (2010, None), False, [2012], 0.5),
        ("before", (2010, None), True, [1975], 0.88),
        ("after", (2000, None), False, [2001], 0.608),
        ("after", (2000, None), False, [2040], 0.92),
        ("after", (2000, None), True, [2001], 0.992),
        ("between", (1990, 2000), False, [1995, 2005], 0.8),
        ("between", (1990, 2000), True, [1991, 1999], 0.96),
        ("before", (2010, None), True, [1950, 1975], 0.5),
        ("after", (2000, None), False, [], 0.5),
        ("between", (1990, None), False, [1990], 1.0),
    ],
)
def test_mrags_formula_gives_its_published_values(
    relation: str, asked: tuple[int, int | None], first: bool, told: list[int], tau: float
) -> None:
    year, last_year = asked

    assert mrag_tau(told, relation=relation, year=year, last_year=last_year, first=first) == pytest.approx(tau)  # type: ignore[arg-type]


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


@given(CONSTRAINTS, ANY_TIMES, st.floats(0, 1))
def test_a_factor_lies_between_the_floor_and_one_and_explains_itself(
    constraint: TimeConstraint, times: Times, floor: float
) -> None:
    soft = temporal_factor(constraint, times, floor=floor)
    hard = temporal_factor(constraint, times, floor=floor, mode="hard")

    assert floor <= soft.value <= 1.0
    assert hard.value in (0.0, soft.value)
    assert soft.explanation


@given(st.sampled_from(["during", "between", "as_of", "before", "after"]), SPANS, SPANS, st.data())
def test_evidence_outside_never_loses_by_coming_nearer(
    relation: Relation, asked: TimeSpan, told: TimeSpan, data: st.DataObject
) -> None:
    length = timedelta(days=(told.days or 1) - 1)
    near, far = sorted(data.draw(st.tuples(st.integers(0, 9000), st.integers(0, 9000))))
    earlier = data.draw(st.booleans())

    def away(gap: int) -> TimeSpan:
        assert asked.start is not None
        assert asked.end is not None
        start = asked.start - timedelta(days=gap) - length if earlier else asked.end + timedelta(days=gap)
        return TimeSpan(start=start, end=start + length, granularity=told.granularity, approximate=told.approximate)

    if (relation, earlier) not in (("before", False), ("after", True)):
        assert fit(relation, asked, mentioning(away(near))) >= fit(relation, asked, mentioning(away(far))) - 1e-12


@given(CONSTRAINTS, ANY_SPANS, ANY_SPANS)
def test_what_satisfies_never_gets_less_than_what_does_not(
    constraint: TimeConstraint, one: TimeSpan, other: TimeSpan
) -> None:
    scorer = TimeScorer(constraint)
    hard = TimeScorer(constraint, mode="hard")
    better, worse = sorted((mentioning(one), mentioning(other)), key=lambda times: -hard.factor(times).value)

    if constraint.relation != "current" and hard.factor(better).value > 0.0:
        assert scorer.factor(better).value >= scorer.factor(worse).value
        assert scorer.factor(better).value > scorer.factor(Times()).value


@given(DAYS, ANY_TIMES)
def test_as_of_a_day_asks_what_was_so_during_that_day(day: date, times: Times) -> None:
    span = TimeSpan(start=day, end=day)

    assert fit("as_of", span, times) == fit("during", span, times)
