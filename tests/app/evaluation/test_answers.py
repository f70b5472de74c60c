import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.answers import exact_match, normalise, temporal_accuracy, token_f1, wrong_time
from app.evaluation.records import Gold

WORDS = st.sampled_from(
    ["the", "Saturn", "V", "6", "May", "2021", "2021-05-06", "eight", "8", ",", "1,233", "yes", "U.S."]
)
TEXTS = st.lists(WORDS, max_size=4).map(" ".join) | st.text(max_size=12)


def is_yes_or_no(text: str) -> bool:
    return normalise(text) in ("yes", "no")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  An  Apollo_11, the [Eagle]! ", "apollo 11 eagle"),
        ("Bach 's `` Messiah ''", "bach s messiah"),
        ("Bach’s “Messiah”", "bach s messiah"),
        ("1 - year", "1 year"),
        ("1-year", "1 year"),
        ("the U.S.-led J.R.R. Tolkien", "us led jrr tolkien"),
        ("3 A.M.", "3 am"),
        ("6.8 inches, 2,913,123 people", "6.8 inches 2913123 people"),
        ("Cafe\u0301", "caf\u00e9"),
        ("The The", "the the"),
        ("+", "+"),
        ("  ", ""),
    ],
)
def test_normalising_keeps_the_words_and_numbers_of_plain_and_of_tokenised_text(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize(
    ("answer", "golds", "expected"),
    [
        ("The Saturn V.", ["Saturn V"], 1.0),
        ("Tucson , Arizona", ["Tucson, Arizona"], 1.0),
        ("saturn-v", ["Saturn V"], 1.0),
        ("A.M.", ["AM"], 1.0),
        ("The The", ["The The"], 1.0),
        ("Saturn IB", ["Saturn V", "Saturn 1B"], 0.0),
        ("", ["Saturn V"], 0.0),
        ("", [""], 0.0),
        ("Saturn V", [], None),
    ],
)
def test_exact_match_forgives_case_articles_and_punctuation(
    answer: str, golds: list[str], expected: float | None
) -> None:
    assert exact_match(answer, golds) == expected


@pytest.mark.parametrize(
    ("answer", "gold", "expected"),
    [
        ("6 May 2021", "2021-05-06", 1.0),
        ("May 6 , 2021", "6 May 2021", 1.0),
        ("March 1958", "1958-03", 1.0),
        ("eight", "8", 1.0),
        ("1.5 million", "1,500,000", 1.0),
        ("2021", "6 May 2021", 0.0),
        ("May 2021", "6 May 2021", 0.0),
        ("-5", "5", 0.0),
        ("8 minutes", "8", 0.0),
        ("03/04/2021", "3 April 2021", 0.0),
        ("03-04-2021", "03/04/2021", 1.0),
    ],
)
def test_dates_and_numbers_match_by_value_and_granularity(answer: str, gold: str, expected: float) -> None:
    assert exact_match(answer, [gold]) == expected
    if expected:
        assert token_f1(answer, [gold]) == 1.0


@pytest.mark.parametrize(
    ("answer", "gold", "expected"),
    [
        ("Yes, it did.", "yes", 1.0),
        ("No", "no", 1.0),
        ("No, yes", "yes", 0.0),
        ("It did, yes", "yes", 0.0),
        ("Nobody", "no", 0.0),
        ("", "no", 0.0),
    ],
)
def test_yes_and_no_are_told_by_the_first_word_and_have_no_partial_score(
    answer: str, gold: str, expected: float
) -> None:
    assert exact_match(answer, [gold]) == token_f1(answer, [gold]) == expected


def test_a_gold_that_only_begins_with_yes_is_compared_as_text() -> None:
    assert exact_match("Yes", ["Yes because he likes it"]) == 0.0
    assert token_f1("Yes", ["Yes because he likes it"]) == pytest.approx(2 * 1 / (1 + 5))


def test_token_f1_is_the_best_over_the_aliases() -> None:
    assert token_f1("9 November 1967", ["November 9, 1967"]) == 1.0
    assert token_f1("in November 1967", ["9 November 1967"]) == pytest.approx(2 * 2 / (3 + 3))
    assert token_f1("Griffin", ["Michael D. Griffin", "Griffin Michael"]) == pytest.approx(2 * 1 / (1 + 2))
    assert token_f1("", ["x"]) == 0.0
    assert token_f1("x", []) is None


def test_repeated_tokens_count_once_each() -> None:
    assert token_f1("ho ho ho", ["ho"]) == pytest.approx(2 * 1 / (3 + 1))


@given(TEXTS, TEXTS)
def test_token_f1_is_symmetric_and_bounded(one: str, other: str) -> None:
    there, back = token_f1(one, [other]), token_f1(other, [one])

    assert there is not None
    assert 0.0 <= there <= 1.0
    if not is_yes_or_no(one) and not is_yes_or_no(other):
        assert there == back


@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=4))
def test_an_exact_match_has_full_f1_and_aliases_have_no_order(answer: str, golds: list[str]) -> None:
    assert exact_match(answer, golds) == exact_match(answer, golds[::-1])
    assert token_f1(answer, golds) == token_f1(answer, golds[::-1])
    if exact_match(answer, golds):
        assert token_f1(answer, golds) == 1.0


@given(TEXTS)
def test_a_text_that_is_not_blank_matches_itself(text: str) -> None:
    assert exact_match(text, [text]) == float(bool(text.strip()))


def a_dated(*answers: str, others: tuple[str, ...] = (), has_time: bool = True) -> Gold:
    return Gold(
        query_id="q", text="Who led NASA in 2008?", answers=answers, answers_at_other_times=others, has_time=has_time
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Michael Griffin", 0.0),  # right
        ("Charles Bolden", 1.0),  # right in 2010
        ("Charles", 0.0),  # wrong at any time
        ("", 0.0),
    ],
)
def test_an_answer_of_another_time_is_told_from_a_wrong_one(answer: str, expected: float) -> None:
    gold = a_dated("Michael Griffin", others=("Michael Griffin", "Charles Bolden"))

    assert wrong_time(answer, gold) == expected


def test_an_answer_of_another_time_is_told_where_no_answer_is_right() -> None:
    assert wrong_time("Charles Bolden", a_dated(others=("Charles Bolden",))) == 1.0


def test_wrong_time_says_nothing_without_a_time_or_other_times() -> None:
    assert wrong_time("Charles Bolden", a_dated("Griffin")) is None
    assert wrong_time("Charles Bolden", a_dated("Griffin", others=("Charles Bolden",), has_time=False)) is None


def test_temporal_accuracy_is_the_exact_match_of_questions_with_a_time() -> None:
    assert temporal_accuracy("griffin", a_dated("Griffin")) == 1.0
    assert temporal_accuracy("Bolden", a_dated("Griffin")) == 0.0
    assert temporal_accuracy("Griffin", a_dated("Griffin", has_time=False)) is None
    assert temporal_accuracy("Griffin", a_dated()) is None
