from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.multihop import full_support
from app.evaluation.ranking import retrieval_values
from app.evaluation.records import Gold, Ranking

RANKING: Ranking = (("a", 3.0), ("x", 2.0), ("b", 1.0))

documents = st.sampled_from([f"d{n}" for n in range(12)])
rankings = st.dictionaries(documents, st.sampled_from([0.5, 1.0, 1.0 + 1e-12, 2.0])).map(
    lambda hits: tuple(sorted(hits.items(), key=lambda hit: -hit[1]))
)
grades = st.dictionaries(documents, st.integers(0, 2), max_size=5)
depths = st.integers(1, 12)


def test_every_relevant_document_must_be_among_the_first_k() -> None:
    assert full_support(RANKING, {"a": 1, "b": 1, "x": 0}, k=2) == 0.0
    assert full_support(RANKING, {"a": 1, "b": 1, "x": 0}, k=3) == 1.0
    assert full_support(RANKING, {"a": 1, "never found": 1}, k=3) == 0.0
    assert full_support((), {"a": 1}, k=10) == 0.0


def test_only_grades_that_count_as_relevant_must_be_found() -> None:
    assert full_support(RANKING, {"a": 2, "b": 1}, k=1, relevant_from=2) == 1.0
    assert full_support(RANKING, {"a": 2, "b": 1}, k=1) == 0.0


def test_a_question_without_a_relevant_document_is_excluded() -> None:
    assert full_support(RANKING, {}, k=10) is None
    assert full_support(RANKING, {"a": 0}, k=10) is None
    assert full_support(RANKING, {"a": 1}, k=10, relevant_from=2) is None


def test_a_tie_at_the_border_goes_to_the_last_document_id() -> None:
    tied: Ranking = (("a", 1.0), ("b", 1.0))

    assert full_support(tied, {"b": 1}, k=1) == 1.0
    assert full_support(tied, {"a": 1}, k=1) == 0.0


@given(rankings, grades, depths)
def test_looking_deeper_never_loses_support(ranking: Ranking, relevant: dict[str, int], k: int) -> None:
    at_k, deeper = full_support(ranking, relevant, k=k), full_support(ranking, relevant, k=k + 1)

    assert (at_k is None) == (deeper is None)
    assert (at_k or 0.0) <= (deeper or 0.0)


@given(rankings, grades, depths, st.integers(1, 2))
def test_support_is_full_exactly_where_recall_is(
    ranking: Ranking, relevant: dict[str, int], k: int, relevant_from: int
) -> None:
    gold = Gold(query_id="q", text="?", relevant=relevant)
    recall = retrieval_values([gold], {"q": ranking}, relevant_from=relevant_from, names=[f"R@{k}"])["q"][f"R@{k}"]

    expected = None if recall is None else float(recall == 1.0)
    assert full_support(ranking, relevant, k=k, relevant_from=relevant_from) == expected
