from collections.abc import Mapping
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.lost import LOSSES, Loss, lost
from app.evaluation.records import Cited, Given, Gold, Hop, Record

BOTH = {"a": 1, "b": 2, "z": 0}


def a_gold(relevant: Mapping[str, int] = BOTH, *, answerable: bool | None = True) -> Gold:
    return Gold(query_id="q", text="?", answerable=answerable, relevant=relevant)


def given_of(status: str, *, noted: str = "", cited: str = "") -> Given:
    citations = tuple(Cited(marker=at, doc_id=doc, quote="", passage="") for at, doc in enumerate(cited, start=1))
    return Given(status=status, noted=tuple(noted), cited=citations)


def a_record(given: Given | None, *hops: tuple[str, str]) -> Record:
    """Document ids are single letters; a hop is those found and those read."""
    made = tuple(Hop(query="?", found=tuple(found), read=tuple(read)) for found, read in hops)
    return Record(query_id="q", ranking=(), given=given, hops=made)


ALL = ("abz", "ab")


@pytest.mark.parametrize(
    ("hops", "noted", "cited", "loss"),
    [
        ([], "", "", "not_retrieved"),
        ([("az", "az")], "a", "a", "not_retrieved"),
        ([("abz", "az")], "a", "a", "lost_by_reranking"),
        ([ALL], "az", "a", "not_noted"),
        ([ALL], "abz", "az", "not_used"),
        ([ALL], "ab", "ab", "answer_wrong"),
        ([ALL], "ab", "abz", "answer_wrong"),
    ],
)
@pytest.mark.parametrize("status", ["answered", "partial"])
def test_a_wrong_answer_is_booked_to_the_first_stage_that_lost_evidence(
    status: str, hops: list[tuple[str, str]], noted: str, cited: str, loss: Loss
) -> None:
    record = a_record(given_of(status, noted=noted, cited=cited), *hops)

    assert lost(a_gold(), record, right=False) == loss


@pytest.mark.parametrize(
    ("hops", "noted", "loss"),
    [
        ([("az", "az")], "", "not_retrieved"),
        ([("ab", "b")], "", "lost_by_reranking"),
        ([ALL], "b", "not_noted"),
        ([ALL], "ab", "wrongly_abstained"),
    ],
)
def test_an_abstention_is_wrong_in_itself_only_with_all_evidence_noted(
    hops: list[tuple[str, str]], noted: str, loss: Loss
) -> None:
    assert lost(a_gold(), a_record(given_of("abstained", noted=noted), *hops), right=False) == loss


def test_evidence_may_be_spread_over_the_hops() -> None:
    answer = given_of("answered", noted="ab", cited="ab")

    assert lost(a_gold(), a_record(answer, ("az", "a"), ("bz", "b")), right=False) == "answer_wrong"
    # b is found by the first search alone and read after none
    assert lost(a_gold(), a_record(answer, ("ab", "a"), ("z", "z")), right=False) == "lost_by_reranking"


def test_a_document_below_the_grade_is_no_evidence() -> None:
    record = a_record(given_of("answered", noted="b", cited="b"), ("b", "b"))

    assert lost(a_gold(), record, right=False) == "not_retrieved"
    assert lost(a_gold(), record, right=False, relevant_from=2) == "answer_wrong"


@pytest.mark.parametrize("relevant", [{}, {"z": 0}])
def test_without_evidence_to_lose_the_answer_itself_is_at_fault(relevant: dict[str, int]) -> None:
    gold = a_gold(relevant)

    assert lost(gold, a_record(given_of("answered", cited="z")), right=False) == "answer_wrong"
    assert lost(gold, a_record(given_of("abstained")), right=False) == "wrongly_abstained"


@pytest.mark.parametrize("answerable", [True, False])
@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_failure_is_no_fault_of_a_stage(status: str, answerable: bool) -> None:
    gold = a_gold(answerable=answerable)

    assert lost(gold, a_record(given_of(status)), right=False) == "failed"


@pytest.mark.parametrize("status", ["answered", "partial"])
def test_an_unanswerable_question_is_lost_by_answering_it(status: str) -> None:
    record = a_record(given_of(status, noted="a", cited="a"), ALL)

    assert lost(a_gold({}, answerable=False), record, right=False) == "wrongly_answered"


def test_abstaining_from_an_unanswerable_question_loses_nothing() -> None:
    record = a_record(given_of("abstained"), ALL)

    assert lost(a_gold({}, answerable=False), record, right=False) == ""


def test_what_is_not_judged_is_not_lost() -> None:
    assert lost(a_gold(answerable=None), a_record(given_of("answered")), right=False) == ""
    assert lost(a_gold(), a_record(None, ("z", "z")), right=False) == ""


def test_each_loss_is_explained_in_one_line() -> None:
    assert {"", *LOSSES} == set(get_args(Loss))
    assert all(line and "\n" not in line for line in LOSSES.values())


DOCS = st.text("abyz", max_size=4)
STATUSES = st.sampled_from(["answered", "partial", "abstained", "cancelled", "failed"])
GIVEN = st.builds(given_of, STATUSES, noted=DOCS, cited=DOCS)
GOLDS = st.builds(
    a_gold, st.dictionaries(st.sampled_from("abz"), st.integers(0, 2)), answerable=st.sampled_from([True, False])
)


@given(GOLDS, GIVEN, st.lists(st.tuples(DOCS, DOCS), max_size=3), st.integers(1, 3))
def test_every_wrong_answer_has_one_loss_and_a_right_one_none(
    gold: Gold, answer: Given, hops: list[tuple[str, str]], relevant_from: int
) -> None:
    record = a_record(answer, *hops)
    rightly_abstained = answer.status == "abstained" and not gold.answerable

    assert lost(gold, record, right=True, relevant_from=relevant_from) == ""
    assert (lost(gold, record, right=False, relevant_from=relevant_from) in LOSSES) is not rightly_abstained
