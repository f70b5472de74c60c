from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.ledger import ModelCall
from app.core.types import Usage
from app.evaluation.records import Cited, Given, Gold, Hop, Ranking, Record
from app.experiments.scoring import Scores, is_judged, is_right, score


def a_record(query_id: str, *, found: Sequence[str] = ("a", "b"), **given: Any) -> Record:
    """What an agent made of a question that searched once; the answer as given."""
    hop = Hop(query="?", found=tuple(found), read=tuple(found))
    call = ModelCall(
        model="m", purpose="note", prompt_digest="d", usage=Usage(calls=1, prompt_tokens=40, completion_tokens=10)
    )
    return Record(
        query_id=query_id,
        ranking=ranked(*found),
        given=Given(**given),
        hops=(hop,),
        calls=(call,),
        stage_seconds={"search": 0.5},
        seconds=0.5,
    )


def ranked(*doc_ids: str) -> Ranking:
    return tuple((doc_id, -float(place)) for place, doc_id in enumerate(doc_ids))


def cited(*doc_ids: str) -> tuple[Cited, ...]:
    return tuple(
        Cited(marker=marker, doc_id=doc_id, quote="It flew", passage="It flew in 1967.")
        for marker, doc_id in enumerate(doc_ids, start=1)
    )


def scored(golds: Sequence[Gold], records: Sequence[Record], *, relevant_from: int = 1, seed: int = 0) -> Scores:
    traces = {gold.query_id: f"records.jsonl:{line}" for line, gold in enumerate(golds, start=1)}
    return score(golds, records, relevant_from=relevant_from, seed=seed, traces=traces)


GOLDS = [
    Gold(query_id="right", text="?", answers=("1967",), answerable=True, relevant={"a": 1}, kind="one", hops=1),
    Gold(query_id="wrong", text="?", answers=("Ada Brandt",), answerable=True, relevant={"b": 1}, kind="one", hops=1),
    Gold(
        query_id="silent", text="?", answers=("Graz",), answerable=True, relevant={"a": 1, "c": 1}, kind="two", hops=2
    ),
    Gold(query_id="refused", text="?", answerable=False, kind="none", hops=2),
]
RECORDS = [
    a_record(
        "right",
        status="answered",
        short="1967",
        text="It flew in 1967 [1].",
        confidence=0.9,
        cited=cited("a", "b"),
        noted=("a",),
    ),
    a_record(
        "wrong",
        status="answered",
        short="Ada Weiss",
        text="Ada Weiss did [1]. So it was.",
        confidence=0.6,
        cited=cited("b"),
        noted=("b",),
    ),
    a_record("silent", status="abstained"),
    a_record("refused", status="abstained"),
]


@pytest.fixture(scope="module")
def four() -> Scores:
    """One right answer, one wrong, one abstention from what can be answered and one from what cannot."""
    return scored(GOLDS, RECORDS)


@pytest.mark.parametrize(
    ("metric", "value", "n"),
    [
        ("EM", 1 / 3, 3),  # (1 + 0 + 0) / 3: an abstention is no exact match, an unanswerable question has no answer
        ("F1", 0.5, 3),  # (1 + 2 · 1/2 · 1/2 / (1/2 + 1/2) + 0) / 3, one of two tokens is shared
        ("temporal_accuracy", None, 0),
        ("wrong_time", None, 0),
        ("citation_precision", 0.75, 2),  # (1/2 + 1/1) / 2
        ("citation_recall", 1.0, 2),
        ("quoted", 0.75, 2),  # (1/1 + 1/2) / 2: 'So it was.' cites nothing
        ("figures_supported", 1.0, 1),  # 1967 is in the passage; the other answer states no figure
        ("abstained_answerable", 1 / 3, 3),
        ("answered_unanswerable", 0.0, 1),
        ("search_score", 2.5 / 3, 3),  # (1 + 1 + 1/2) / 3
        ("knowledge_sufficiency", 0.5, 4),  # (1 + 1 + 0 + 0) / 4: nothing suffices where there is no answer
        ("utility@0", 0.25, 4),  # (1 - 0 + 0 + 0) / 4
        ("utility@1", 0.0, 4),  # (1 - 1 + 0 + 0) / 4
        ("utility@20", -4.75, 4),  # (1 - 20 + 0 + 0) / 4
        ("refusal_precision", 0.5, 4),  # one of two refusals
        ("refusal_recall", 1.0, 4),  # one of one unanswerable question
        ("refusal_F1", 2 / 3, 4),  # 2 · 1 / (1 + 2)
        ("AURC", 0.25, 4),  # risks 0/1 and 1/2 of the two answers: (0 + 1/2) / 2
        ("good_refusal_F1", 1.0, 4),  # both were refused where not all was read
        ("knowledge_utilisation_F1", 2 / 3, 4),  # 2 · 1 / (2 sufficient + 1 correct)
        ("R@10", 2.5 / 3, 3),  # (1 + 1 + 1/2) / 3
        ("RR", 2.5 / 3, 3),  # (1 + 1/2 + 1) / 3
        ("P@5", 0.2, 3),  # (1/5 + 1/5 + 1/5) / 3
        ("AP", 2 / 3, 3),  # (1 + 1/2 + 1/2) / 3
        ("full@10", 2 / 3, 3),  # (1 + 1 + 0) / 3
    ],
)
def test_four_questions_by_hand(four: Scores, metric: str, value: float | None, n: int) -> None:
    estimate = four.metrics[metric]

    assert estimate.n == n
    assert estimate.value == (None if value is None else pytest.approx(value))
    if value is not None:
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low <= value + 1e-9
        assert estimate.high >= value - 1e-9


def test_each_question_is_told_with_its_loss(four: Scores) -> None:
    told = [(one.query_id, one.status, one.answer, one.lost, one.tokens, one.trace) for one in four.scored]

    assert told == [
        ("right", "answered", "1967", "", 50, "records.jsonl:1"),
        ("wrong", "answered", "Ada Weiss", "answer_wrong", 50, "records.jsonl:2"),
        ("silent", "abstained", "", "not_retrieved", 50, "records.jsonl:3"),
        ("refused", "abstained", "", "", 50, "records.jsonl:4"),
    ]
    assert four.lost == {"answer_wrong": 1, "not_retrieved": 1}
    assert four.scored[0].values["F1"] == 1.0
    assert four.scored[3].values["F1"] is None
    assert list(four.scored[0].values) == list(four.scored[3].values)


def test_the_curve_ends_at_the_coverage_reached(four: Scores) -> None:
    assert four.curve == [(0.25, 0.0), (0.5, 0.5)]


def test_the_cost_counts_what_was_right(four: Scores) -> None:
    assert (four.cost["questions"], four.cost["right"]) == (4, 2)  # a right refusal is right
    assert four.cost["per_correct_answer"] == {"tokens": 100.0, "calls": 2.0, "seconds": 1.0}


def test_groups_are_means_of_their_own_questions(four: Scores) -> None:
    assert four.groups.keys() == {"hops", "type"}
    assert four.groups["hops"].keys() == {"1", "2"}
    assert four.groups["type"].keys() == {"one", "two", "none"}
    first, second = four.groups["hops"]["1"], four.groups["hops"]["2"]
    assert (first["EM"].value, first["EM"].n) == (0.5, 2)
    assert (second["EM"].value, second["EM"].n) == (0.0, 1)
    assert (second["utility@1"].value, second["utility@1"].n) == (0.0, 2)
    assert (four.groups["type"]["none"]["EM"].value, four.groups["type"]["none"]["EM"].n) == (None, 0)


def test_one_group_alone_is_none() -> None:
    assert scored(GOLDS[:2], RECORDS[:2]).groups == {}


def test_questions_of_unknown_hops_are_in_no_group() -> None:
    golds = [
        *GOLDS[:2],
        Gold(query_id="silent", text="?", answers=("Graz",), answerable=True, hops=2),
        Gold(query_id="x", text="?"),
    ]
    groups = scored(golds, [*RECORDS[:3], a_record("x", status="abstained")]).groups

    assert sum(group["R@10"].n for group in groups["hops"].values()) == 2
    assert {name: group["EM"].n for name, group in groups["hops"].items()} == {"1": 2, "2": 1}
    assert {name: group["EM"].n for name, group in groups["type"].items()} == {"one": 2, "other": 1}


def test_what_is_left_out_is_counted(four: Scores) -> None:
    assert four.excluded == {"no relevant document: not in the retrieval figures": 1}


# Without gold.


def test_a_question_without_gold_is_excluded_and_never_scored_0(four: Scores) -> None:
    open_ended = Gold(query_id="open", text="?", relevant={"z": 0}, kind="one")
    record = a_record("open", status="answered", short="Ada", text="Ada [1].", confidence=1.0, cited=cited("a"))

    five = scored([*GOLDS, open_ended], [*RECORDS, record])

    values = five.scored[-1].values
    assert {name for name, value in values.items() if value is not None} == {"quoted"}  # which needs no gold
    assert five.metrics["quoted"].n == 3
    for name in four.metrics.keys() - {"quoted"}:
        assert five.metrics[name].value == pytest.approx(four.metrics[name].value)
        assert five.metrics[name].n == four.metrics[name].n
    assert (five.lost, five.curve, five.scored[-1].lost) == (four.lost, four.curve, "")
    assert five.excluded == {
        "no relevant document: not in the retrieval figures": 2,
        "no gold answer: not in the answer figures": 1,
    }


def test_of_an_answerable_question_without_a_gold_answer_only_the_silence_is_judged() -> None:
    gold = Gold(query_id="right", text="?", answerable=True, relevant={"a": 1})

    one = scored([gold, GOLDS[1]], RECORDS[:2])

    values = one.scored[0].values
    unknown = {"EM", "F1", "utility@0", "utility@1", "utility@20"}
    assert {name: values[name] for name in unknown} == dict.fromkeys(unknown)
    assert (values["abstained_answerable"], values["citation_recall"]) == (0.0, 1.0)
    assert (one.scored[0].lost, one.metrics["abstained_answerable"].n) == ("", 2)
    assert (one.metrics["AURC"].value, one.metrics["AURC"].n) == (1.0, 1)
    assert one.curve == [(1.0, 1.0)]
    assert one.excluded == {"no gold answer: not in the answer figures": 1}


def test_an_answer_without_judged_evidence_is_in_no_figure_of_evidence(four: Scores) -> None:
    gold = Gold(query_id="more", text="?", answers=("Ada",), answerable=True)
    record = a_record("more", status="answered", short="Ada", text="Ada [1].", confidence=0.5, cited=cited("a"))

    five = scored([*GOLDS, gold], [*RECORDS, record])

    for name in ("good_refusal_F1", "knowledge_utilisation_F1", "knowledge_sufficiency", "citation_precision", "R@10"):
        assert (five.metrics[name].value, five.metrics[name].n) == (four.metrics[name].value, four.metrics[name].n)
    assert (five.metrics["EM"].n, five.metrics["AURC"].n, five.metrics["refusal_F1"].n) == (4, 5, 5)


def test_grades_below_the_lowest_that_counts_are_no_evidence() -> None:
    gold = Gold(query_id="right", text="?", answers=("1967",), answerable=True, relevant={"a": 1, "b": 2, "c": 0})

    low, high = (scored([gold], RECORDS[:1], relevant_from=grade) for grade in (1, 2))

    assert [low.metrics[name].value for name in ("citation_precision", "RR", "AP")] == [1.0, 1.0, 1.0]
    assert [high.metrics[name].value for name in ("citation_precision", "RR", "AP")] == [0.5, 0.5, 0.5]
    assert scored([gold], RECORDS[:1], relevant_from=3).excluded == {
        "no relevant document: not in the retrieval figures": 1
    }


# Kinds of records.


def test_a_retrieval_has_no_answer_figures() -> None:
    records = [Record(query_id=gold.query_id, ranking=ranked("b", "a")) for gold in GOLDS]

    scores = scored(GOLDS, records)

    assert list(scores.metrics) == ["nDCG@10", "R@10", "R@100", "RR", "AP", "P@5", "full@10"]
    assert (scores.lost, scores.curve, scores.cost["right"]) == ({}, [], 0)
    assert [one.status for one in scores.scored] == [""] * 4
    assert scores.excluded == {"no relevant document: not in the retrieval figures": 1}


def test_a_reranking_is_scored_beside_its_first_stage() -> None:
    golds = [Gold(query_id="q", text="?", relevant={"a": 1})]
    record = Record(query_id="q", ranking=ranked("a", "b"), first_stage=ranked("c", "b", "d", "a"))

    metrics = scored(golds, [record]).metrics

    assert (metrics["RR"].value, metrics["RR/first_stage"].value) == (1.0, 0.25)
    assert [name for name in metrics if name.endswith("/first_stage")] == [
        f"{name}/first_stage" for name in ("nDCG@10", "R@10", "R@100", "RR", "AP", "P@5", "full@10")
    ]


def test_a_question_for_which_nothing_was_found_is_scored_0() -> None:
    golds = [Gold(query_id="q", text="?", relevant={"a": 1})]

    metrics = scored(golds, [Record(query_id="q", ranking=())]).metrics

    assert {name: (one.value, one.n) for name, one in metrics.items()} == dict.fromkeys(metrics, (0.0, 1))


def test_a_failure_is_neither_an_answer_nor_a_refusal() -> None:
    scores = scored(GOLDS, [*RECORDS[:2], a_record("silent", status="failed"), a_record("refused", status="failed")])

    assert scores.lost == {"answer_wrong": 1, "failed": 2}
    assert scores.metrics["refusal_F1"].value == 0.0
    assert scores.metrics["abstained_answerable"].value == 0.0
    assert scores.metrics["utility@20"].value == pytest.approx(-4.75)


def test_an_answer_at_another_time_is_told_from_other_wrong_ones() -> None:
    gold = Gold(
        query_id="q", text="?", answers=("Ada",), answerable=True, has_time=True, answers_at_other_times=("Ida",)
    )
    records = [a_record("q", status="answered", short=short, cited=cited("a")) for short in ("Ada", "Ida", "Eva")]

    metrics = [scored([gold], [record]).metrics for record in records]

    assert [one["temporal_accuracy"].value for one in metrics] == [1.0, 0.0, 0.0]
    assert [one["wrong_time"].value for one in metrics] == [0.0, 1.0, 0.0]


def test_variants_of_a_question_are_consistent_where_all_are_right() -> None:
    golds = [
        Gold(query_id=key, text="?", answers=("Ada",), answerable=True, relevant={"a": 1}, variant_of=group)
        for key, group in [("q1", "q1"), ("q2", "q1"), ("q3", "q3"), ("q4", "q3")]
    ]
    records = [
        a_record(f"q{n}", status="answered", short=short) for n, short in enumerate(["Ada", "Ada", "Ada", "Ida"], 1)
    ]
    records = [replace(one, ranking=ranked("a" if n < 3 else "b")) for n, one in enumerate(records)]

    metrics = scored(golds, records).metrics

    assert (metrics["consistent_answers"].value, metrics["consistent_answers"].n) == (0.5, 2)
    assert metrics["consistent_ranking"].value == 0.5
    assert "consistent_ranking" not in scored([Gold(query_id="q1", text="?")], records[:1]).metrics


def test_the_same_seed_gives_the_same_intervals() -> None:
    golds = [Gold(query_id=f"q{n}", text="?", relevant={"a": 1}) for n in range(40)]
    records = [Record(query_id=gold.query_id, ranking=ranked(*"bcdea"[n % 5 :])) for n, gold in enumerate(golds)]

    assert scored(golds, records, seed=3) == scored(golds, records, seed=3)
    assert scored(golds, records, seed=3).metrics["RR"] != scored(golds, records, seed=4).metrics["RR"]


@pytest.mark.parametrize(
    ("answerable", "answers", "judged"),
    [(None, (), False), (True, (), False), (True, ("x",), True), (False, (), True), (False, ("x",), True)],
)
def test_what_is_right_is_known_of_answers_and_of_their_absence(
    answerable: bool | None, answers: tuple[str, ...], judged: bool
) -> None:
    assert is_judged(Gold(query_id="q", text="?", answerable=answerable, answers=answers)) is judged


@given(
    answerable=st.sampled_from([None, True, False]),
    status=st.sampled_from(["answered", "partial", "abstained", "failed", "cancelled"]),
    short=st.sampled_from(["1967", "Ada", ""]),
)
def test_right_and_lost_exclude_one_another(answerable: bool | None, status: str, short: str) -> None:
    answers = ("1967",) if answerable else ()
    gold = Gold(query_id="q", text="?", answerable=answerable, answers=answers, relevant={"a": 1} if answers else {})
    record = a_record("q", status=status, short=short, cited=cited("a"), noted=("a",))

    scores = scored([gold], [record])

    right, told = is_right(gold, record), scores.scored[0]
    assert right == (scores.cost["right"] == 1)
    assert right != bool(told.lost) or answerable is None
    assert (told.values["utility@0"] == 1.0) <= right
