import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.ledger import ModelCall
from app.core.types import Usage
from app.evaluation.cost import cost_of
from app.evaluation.records import Hop, Record


def a_call(purpose: str, prompt: int, completion: int, *, cached: int = 0, seconds: float = 1.0) -> ModelCall:
    usage = Usage(calls=1, prompt_tokens=prompt, cached_tokens=cached, completion_tokens=completion, seconds=seconds)
    return ModelCall(model="m", purpose=purpose, prompt_digest="", usage=usage)


HOP = Hop(query="?", found=(), read=())
RECORDS = (
    Record(
        query_id="q1",
        ranking=(),
        hops=(HOP,),
        calls=(a_call("note", 100, 10, cached=40), a_call("answer", 200, 30, seconds=2.0)),
        stage_seconds={"search": 0.5, "answer": 3.0},
        seconds=4.0,
    ),
    Record(query_id="q2", ranking=(), hops=(HOP, HOP), calls=(a_call("note", 60, 20),), seconds=2.0),
    Record(query_id="q3", ranking=(), hops=(HOP,), stage_seconds={"search": 1.5}, seconds=0.0),
)


def test_totals_are_sums_over_calls_questions_and_hops() -> None:
    cost = cost_of(RECORDS, {"q1": True, "q2": False, "q3": True})

    assert (cost["questions"], cost["right"]) == (3, 2)
    assert cost["total"] == {
        "calls": 2 + 1 + 0,
        "prompt_tokens": 300 + 60,
        "cached_tokens": 40,
        "completion_tokens": 40 + 20,
        "seconds": 4.0 + 2.0,
        "retrievals": 1 + 2 + 1,
    }


def test_a_question_costs_a_mean_a_median_and_a_95th_percentile() -> None:
    per_question = cost_of(RECORDS, {})["per_question"]

    # 0, 1 and 2 calls: the 95th percentile lies at position 0.95 * 2 = 1.9
    assert per_question["calls"] == {"mean": 1.0, "median": 1.0, "p95": pytest.approx(1.9)}
    # 0, 60 and 300 tokens: 60 + 0.9 * 240
    assert per_question["prompt_tokens"] == {"mean": 120.0, "median": 60.0, "p95": pytest.approx(276.0)}
    # 0, 2 and 4 seconds, of the whole question: 2 + 0.9 * 2
    assert per_question["seconds"] == {"mean": 2.0, "median": 2.0, "p95": pytest.approx(3.8)}


def test_each_purpose_of_a_call_has_its_usage() -> None:
    by_purpose = cost_of(RECORDS, {})["by_purpose"]

    assert list(by_purpose) == ["answer", "note"]
    assert by_purpose["note"] == {
        "calls": 2,
        "prompt_tokens": 160,
        "cached_tokens": 40,
        "completion_tokens": 30,
        "seconds": 2.0,
    }


def test_a_stage_is_averaged_over_the_questions_that_went_through_it() -> None:
    by_stage = cost_of(RECORDS, {})["by_stage"]

    assert list(by_stage) == ["answer", "search"]
    # 0.5 and 1.5 seconds; q2 went through no stage; 0.5 + 0.95 * 1
    assert by_stage["search"] == {"questions": 2, "seconds": 2.0, "mean": 1.0, "p95": pytest.approx(1.45)}


def test_wrong_answers_are_paid_for_by_the_right_ones() -> None:
    cost = cost_of(RECORDS, {"q1": True, "q2": False, "q3": True})

    assert cost["per_correct_answer"] == {"tokens": (360 + 60) / 2, "calls": 3 / 2, "seconds": 6.0 / 2}


def test_without_a_right_answer_none_has_a_price() -> None:
    cost = cost_of(RECORDS, {"q1": False, "elsewhere": True})

    assert cost["right"] == 0
    assert cost["per_correct_answer"] == {"tokens": None, "calls": None, "seconds": None}


def test_no_records_cost_nothing_and_have_no_averages() -> None:
    cost = cost_of([], {})

    assert set(cost["total"].values()) == {0}
    assert cost["total"].keys() == cost["per_question"].keys()
    assert all(spread == {"mean": None, "median": None, "p95": None} for spread in cost["per_question"].values())
    assert cost["by_purpose"] == cost["by_stage"] == {}
    assert cost["per_correct_answer"] == {"tokens": None, "calls": None, "seconds": None}


@given(st.lists(st.sampled_from(RECORDS), max_size=6))
def test_purposes_add_up_to_the_total_and_all_of_it_is_json(records: list[Record]) -> None:
    cost = cost_of(records, {"q1": True})

    for name in ("calls", "prompt_tokens", "cached_tokens", "completion_tokens"):
        assert sum(usage[name] for usage in cost["by_purpose"].values()) == cost["total"][name]
    assert json.loads(json.dumps(cost, allow_nan=False)) == cost
