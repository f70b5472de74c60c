import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.records import Gold, Hop, Record
from app.evaluation.selective import Flags
from app.evaluation.webdetective import (
    good_refusal_f1,
    knowledge_sufficiency,
    knowledge_utilisation_f1,
    search_score,
)

DOCS = st.sets(st.sampled_from("abcd"))


def a_question(relevant: dict[str, int], *, answerable: bool | None = True) -> Gold:
    return Gold(query_id="q", text="Who?", relevant=relevant, answerable=answerable)


def a_record(*read: str) -> Record:
    """Return a record whose hops read a document each; 'found' was found in all of them and never read."""
    hops = tuple(Hop(query="?", found=(doc_id, "found"), read=(doc_id,)) for doc_id in read)
    return Record(query_id="q", ranking=(), hops=hops)


def flags(*values: int) -> Flags:
    return np.array(values, dtype=np.bool_)


def test_knowledge_is_sufficient_when_all_evidence_was_read_over_the_hops() -> None:
    gold = a_question({"a": 1, "b": 1, "noise": 0})

    assert search_score(gold, a_record("b", "x", "a")) == 2 / 2
    assert knowledge_sufficiency(gold, a_record("b", "x", "a")) == 1.0
    assert search_score(gold, a_record("x", "a")) == 1 / 2
    assert knowledge_sufficiency(gold, a_record("x", "a")) == 0.0


def test_what_was_found_and_not_read_is_not_known() -> None:
    assert search_score(a_question({"found": 1}), a_record("a")) == 0.0
    assert search_score(a_question({"found": 1}), a_record()) == 0.0


def test_evidence_begins_at_the_grade_that_the_set_calls_relevant() -> None:
    gold = a_question({"a": 2, "b": 1})

    assert knowledge_sufficiency(gold, a_record("a")) == 0.0
    assert knowledge_sufficiency(gold, a_record("a"), relevant_from=2) == 1.0
    assert search_score(gold, a_record("a"), relevant_from=3) is None


def test_a_question_without_evidence_is_excluded_unless_it_is_unanswerable() -> None:
    assert search_score(a_question({}), a_record("a")) is None
    assert knowledge_sufficiency(a_question({"a": 0}), a_record("a")) is None
    assert knowledge_sufficiency(a_question({}, answerable=None), a_record("a")) is None
    assert knowledge_sufficiency(a_question({}, answerable=False), a_record("a")) == 0.0


def test_what_was_read_never_suffices_for_an_unanswerable_question() -> None:
    gold = a_question({"a": 1}, answerable=False)

    assert knowledge_sufficiency(gold, a_record("a")) == 0.0
    assert search_score(gold, a_record("a")) is None


@given(DOCS, DOCS, DOCS)
def test_reading_more_never_lowers_the_search_score(needed: set[str], read: set[str], more: set[str]) -> None:
    gold = a_question(dict.fromkeys(needed, 1))
    less, all_of_it = search_score(gold, a_record(*read)), search_score(gold, a_record(*read, *more))

    assert (less is None) == (not needed)
    if less is not None and all_of_it is not None:
        assert 0 <= less <= all_of_it <= 1
        assert knowledge_sufficiency(gold, a_record(*read)) == float(needed <= read)


def test_refusing_and_answering_are_scored_against_sufficiency() -> None:
    sufficient = flags(1, 1, 1, 0, 0)

    # not sufficient: 2, refused: 3, both: 2
    assert good_refusal_f1(sufficient, flags(0, 0, 1, 1, 1)) == 2 * 2 / (2 + 3)
    # sufficient: 3, correct: 2, both: 1
    assert knowledge_utilisation_f1(sufficient, flags(1, 0, 0, 1, 0)) == 2 * 1 / (3 + 2)


@pytest.mark.parametrize("sufficient", [flags(1, 0, 1), flags(0, 1, 0)])
def test_a_system_that_does_exactly_what_it_can_has_both_in_full(sufficient: Flags) -> None:
    assert good_refusal_f1(sufficient, ~sufficient) == 1.0
    assert knowledge_utilisation_f1(sufficient, sufficient) == 1.0


def test_there_is_nothing_to_say_where_no_refusal_was_due_or_made() -> None:
    assert good_refusal_f1(flags(1, 1), flags(0, 0)) is None
    assert good_refusal_f1(flags(1, 1), flags(0, 1)) == 0.0
    assert knowledge_utilisation_f1(flags(0, 0), flags(0, 0)) is None
