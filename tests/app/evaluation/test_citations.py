import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.citations import citation_precision, citation_recall, figures_supported, quoted
from app.evaluation.records import Cited, Given

PASSAGE = "Skylab was launched on May 14, 1973 by a Saturn V. Its mass was 76,540 kg, and three crews of 3 lived in it."
IDS = st.sets(st.sampled_from("abcdef"))


def a_citation(marker: int = 1, *, quote: str = "launched on May 14, 1973", passage: str = PASSAGE) -> Cited:
    return Cited(marker=marker, doc_id="skylab", quote=quote, passage=passage)


def an_answer(text: str, *cited: Cited) -> Given:
    return Given(status="answered", text=text, cited=cited)


def test_citations_are_scored_by_document() -> None:
    assert citation_precision(["a", "a", "b"], ["a"]) == 1 / 2
    assert citation_recall(["a"], ["a", "c"]) == 1 / 2
    assert citation_recall([], ["a"]) == 0.0


def test_citations_say_nothing_where_there_is_nothing_to_compare() -> None:
    assert citation_precision([], ["a"]) is None
    assert citation_precision(["a"], []) is None
    assert citation_recall(["a"], []) is None


@given(IDS, IDS)
def test_precision_is_recall_the_other_way_round(cited: set[str], gold: set[str]) -> None:
    if cited and gold:
        assert citation_precision(cited, gold) == citation_recall(gold, cited)


@pytest.mark.parametrize(
    "text",
    [
        "Skylab flew in 1973 [1]. It had crews.",
        "Skylab flew in 1973. [1] It had crews.",
        "Skylab flew in 1973.[1] It had crews.",
        "Skylab flew in 1973 [1].\nIt had crews",
        "[1] Skylab flew in 1973. It had crews.",
        "Skylab flew in 1973 [2, 1]. It had crews [7].",
        "Skylab flew in 1973.[2] [1] It had crews.",
        "Skylab flew in 1973 [1]. It had crews.\n[1]",
    ],
)
def test_a_marker_belongs_to_its_sentence_before_and_behind_the_stop(text: str) -> None:
    given = an_answer(text, a_citation(1), a_citation(2, quote="not there"))

    assert quoted(given) == 1 / 2
    assert figures_supported(given) == 1 / 1


@pytest.mark.parametrize("quote", ["launched on May 15", "Launched on May 14", "", "  "])
def test_a_quote_counts_only_verbatim(quote: str) -> None:
    assert quoted(an_answer("Skylab flew [1].", a_citation(quote=quote))) == 0.0


def test_a_marker_without_its_citation_is_none() -> None:
    given = an_answer("Skylab flew in 1973 [2].", a_citation(1))

    assert quoted(given) == 0.0
    assert figures_supported(given) is None


def test_an_abstention_has_no_sentence_to_judge() -> None:
    assert quoted(Given(status="abstained")) is None
    assert figures_supported(Given(status="abstained")) is None


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("It was launched on 14 May 1973 [1].", 1 / 1),
        ("It was launched in May 1973, with 76540 kg [1].", 2 / 2),
        ("It was launched on 15 May 1973 with 76.5 kg [1].", 0 / 2),
        ("Three of its 4 crews flew in 1973 [1].", 2 / 3),
        ("It was the first station of its kind [1].", None),
        ("It was launched in 1973.", None),
    ],
)
def test_figures_are_sought_by_value_in_the_cited_passage(sentence: str, expected: float | None) -> None:
    assert figures_supported(an_answer(sentence, a_citation())) == expected


def test_a_figure_may_stand_in_any_passage_that_its_sentence_cites() -> None:
    mir = a_citation(2, quote="Mir", passage="Mir fell in 2001.")

    assert figures_supported(an_answer("It flew in 1973 and fell in 2001 [1][2].", a_citation(), mir)) == 2 / 2
    assert figures_supported(an_answer("It flew in 1973 [1]. Mir fell in 1973 [2].", a_citation(), mir)) == 1 / 2


def test_a_date_is_not_put_together_from_two_passages() -> None:
    day = a_citation(1, passage="It fell on 23 March.")
    year = a_citation(2, passage="Mir fell in 2001.")

    assert figures_supported(an_answer("It fell on 23 March 2001 [1][2].", day, year)) == 0 / 1
