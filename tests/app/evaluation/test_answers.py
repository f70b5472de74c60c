import pytest

from app.evaluation.answers import exact_match, normalise, token_f1
from app.evaluation.citations import citation_precision, citation_recall


@pytest.mark.parametrize(
    ("answer", "golds", "expected"),
    [
        ("The Saturn V.", ["Saturn V"], 1.0),
        ("Tucson , Arizona", ["Tucson, Arizona"], 1.0),
        ("saturn-v", ["Saturn V"], 1.0),
        ("Saturn IB", ["Saturn V", "Saturn 1B"], 0.0),
        ("", ["Saturn V"], 0.0),
        ("Saturn V", [], 0.0),
    ],
)
def test_exact_match_forgives_case_articles_and_punctuation(answer: str, golds: list[str], expected: float) -> None:
    assert exact_match(answer, golds) == expected


def test_token_f1_is_the_best_over_the_aliases() -> None:
    assert token_f1("9 November 1967", ["November 9, 1967"]) == 1.0
    assert token_f1("in November 1967", ["9 November 1967"]) == pytest.approx(2 * 2 / (3 + 3))
    assert token_f1("Griffin", ["Michael D. Griffin", "Griffin Michael"]) == pytest.approx(2 * 1 / (1 + 2))
    assert token_f1("", ["x"]) == 0.0
    assert token_f1("x", []) == 0.0


def test_repeated_tokens_count_once_each() -> None:
    assert token_f1("no no no", ["no"]) == pytest.approx(2 * 1 / (3 + 1))


def test_normalising_keeps_letters_and_numbers() -> None:
    assert normalise("  An  Apollo_11, the [Eagle]! ") == "apollo 11 eagle"


def test_citations_are_scored_by_document() -> None:
    assert citation_precision(["a", "a", "b"], ["a"]) == 0.5
    assert citation_recall(["a"], ["a", "c"]) == 0.5
    assert citation_precision([], ["a"]) is None
    assert citation_recall(["a"], []) is None
