from typing import Any

import pytest
from evaluated import a_result, a_scored
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidDataset
from app.experiments.compare import Changed, Comparison, compare, name
from app.experiments.results import Result


def a_run(*right: float | None, **given: Any) -> Result:
    """A result of questions q0, q1, … that are right (1), wrong (0) or excluded (None)."""
    return a_result([a_scored(f"q{at}", values={"EM": value}) for at, value in enumerate(right)], **given)


def test_means_are_over_the_questions_that_both_score() -> None:
    a = a_run(1, 0, 1, None, 1)
    b = a_run(1, 1, 1, 1, None)

    (difference,) = compare(a, b, seed=1).differences

    assert (difference.metric, difference.n) == ("EM", 3)
    assert difference.a == pytest.approx(2 / 3)
    assert difference.b == 1.0
    assert difference.difference == pytest.approx(1 / 3)
    # differences 0, 1, 0: standard deviation 1/√3; (1.9600 + 0.8416) · (1/√3) / √3 = 2.8016 / 3
    assert difference.detectable == pytest.approx(2.8016 / 3, abs=1e-4)
    # one question differs: either of its signs is as far from 0
    assert difference.p == 1.0


def test_a_metric_that_only_one_result_has_is_left_out() -> None:
    a = a_result([a_scored("q", values={"EM": 1.0, "nDCG@10": 0.5, "F1": None})])
    b = a_result([a_scored("q", values={"EM": 1.0, "F1": 1.0})])

    assert [difference.metric for difference in compare(a, b, seed=1).differences] == ["EM"]


def test_questions_asked_in_one_alone_are_counted_and_left_out() -> None:
    comparison = compare(a_run(1, 1, 1, 1), a_run(0), seed=1)

    assert (comparison.asked, comparison.only_a, comparison.only_b) == (1, 3, 0)
    assert comparison.differences[0].n == 1


def test_flipped_questions_are_tested_and_shown_with_both_answers() -> None:
    a = a_run(1, 1, 1, 1, 0, 1)
    wrong = {"values": {"EM": 0.0}, "answer": "no", "lost": "not_used", "trace": "records.jsonl:9"}
    right = {"values": {"EM": 1.0}}
    b = a_result([a_scored(f"q{at}", **(wrong if at < 4 else right)) for at in range(6)])

    flips = compare(a, b, seed=1).flips

    assert flips is not None
    assert (flips.metric, flips.only_a, flips.only_b) == ("EM", 4, 1)
    # five discordant pairs, one for b: 2 · (C(5,0) + C(5,1)) / 2⁵
    assert flips.p == pytest.approx(2 * (1 + 5) / 32)
    assert [flip.query_id for flip in flips.questions] == ["q0", "q1", "q2", "q3", "q4"]
    first = flips.questions[0]
    assert (first.text, first.golds) == ("What is q0?", ("gold q0",))
    assert (first.a.is_right, first.a.answer, first.a.lost) == (True, "gold q0", "")
    assert (first.b.is_right, first.b.answer, first.b.lost) == (False, "no", "not_used")
    assert (first.a.trace, first.b.trace) == ("records.jsonl:1", "records.jsonl:9")


def test_results_that_only_retrieve_flip_by_full_support() -> None:
    found, missed = ({"nDCG@10": 0.5, "full@10": full} for full in (1.0, 0.0))
    a = a_result([a_scored("q", values=found)])
    b = a_result([a_scored("q", values=missed)])

    flips = compare(a, b, seed=1).flips

    assert flips is not None
    assert (flips.metric, flips.only_a, len(flips.questions)) == ("full@10", 1, 1)


def test_without_a_metric_that_tells_right_from_wrong_nothing_flips() -> None:
    result = a_result([a_scored("q", values={"nDCG@10": 0.5})])

    assert compare(result, result, seed=1).flips is None


def test_settings_differ_by_their_dotted_names_and_code_by_its_digest() -> None:
    same = {"dataset": "d", "metrics": "1"}
    old = {"search": {"mode": "hybrid", "depth": 50}, "seed": 1, "tags": [1, 2]}
    new = {"search": {"mode": "dense"}, "seed": 1, "tags": [1, 3]}
    a = a_run(1, settings=old, digests=same | {"code": "c1"})
    b = a_run(1, settings=new, digests=same | {"code": "c2"}, reranker="pairs")

    assert compare(a, b, seed=1).changed == (
        Changed(name="reranker", a="identity", b="pairs"),
        Changed(name="code", a="c1", b="c2"),
        Changed(name="search.mode", a="hybrid", b="dense"),
        Changed(name="search.depth", a=50, b=None),
        Changed(name="tags", a=[1, 2], b=[1, 3]),
    )


def test_models_differ_by_their_digests_and_no_other_digest_is_a_model() -> None:
    a = a_run(1, digests={"dataset": "d", "metrics": "1", "settings": "x", "generator": "e1"})
    b = a_run(1, digests={"dataset": "d", "metrics": "1", "settings": "y", "embedder": "e2"})

    assert compare(a, b, seed=1).models == (
        Changed(name="generator", a="e1", b=None),
        Changed(name="embedder", a=None, b="e2"),
    )


def test_cost_is_that_of_the_questions_asked_in_both() -> None:
    a = a_result([a_scored("q", seconds=2.0, tokens=0), a_scored("dear", seconds=100.0)])
    b = a_result([a_scored("q", seconds=3.0, tokens=10)])

    seconds, tokens = compare(a, b, seed=1).cost

    assert (seconds.name, seconds.a, seconds.b, seconds.ratio) == ("seconds", 2.0, 3.0, 1.5)
    assert (tokens.name, tokens.a, tokens.b, tokens.ratio) == ("tokens", 0.0, 10.0, None)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"digests": {"dataset": "another", "metrics": "1"}}, "other data: lakes .* run both systems on one data set"),
        ({"digests": {"dataset": "d" * 64, "metrics": "2"}}, "versions 1 and 2; run the older one's command again"),
        ({"relevant_from": 2}, "from grade 1 in one result and 2 in the other"),
        ({"scored": [a_scored("elsewhere")]}, "share no question; run both with the same --limit"),
    ],
)
def test_results_that_cannot_be_compared_are_refused_with_what_to_do(other: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidDataset, match=why):
        compare(a_run(1), a_run(1, **other), seed=1)


def test_a_result_is_called_by_its_system_and_reranker() -> None:
    assert name(a_run(1)) == "agent"
    assert name(a_run(1, reranker="")) == "agent"
    assert name(a_run(1, reranker="pairs")) == "agent + pairs"


values = st.fixed_dictionaries(
    {"EM": st.sampled_from([0.0, 1.0, None]), "F1": st.one_of(st.none(), st.floats(0, 1, allow_subnormal=False))}
)
questions = st.dictionaries(st.integers(0, 12).map(str), values, max_size=8)


def a_drawn(drawn: dict[str, Any]) -> Result:
    return a_result([a_scored(query_id, values=found) for query_id, found in {"shared": {"EM": 1.0}, **drawn}.items()])


@given(questions)
def test_a_result_does_not_differ_from_itself(drawn: dict[str, Any]) -> None:
    result = a_drawn(drawn)

    comparison = compare(result, result, seed=3)

    assert all((one.p, one.difference) == (1.0, 0.0) for one in comparison.differences)
    assert comparison.flips is not None
    assert comparison.flips.p == 1.0
    assert not [*comparison.flips.questions, *comparison.changed, *comparison.models]
    assert (comparison.only_a, comparison.only_b) == (0, 0)
    assert all(spent.ratio == 1.0 for spent in comparison.cost)


@given(questions, questions)
def test_comparing_the_other_way_round_mirrors_everything(one: dict[str, Any], other: dict[str, Any]) -> None:
    there = compare(a_drawn(one), a_drawn(other), seed=3)
    back = compare(a_drawn(other), a_drawn(one), seed=3)

    assert _differences(back) == {
        metric: (n, b, a, -difference, p) for metric, (n, a, b, difference, p) in _differences(there).items()
    }
    assert there.flips is not None
    assert back.flips is not None
    assert (back.flips.only_a, back.flips.only_b) == (there.flips.only_b, there.flips.only_a)
    assert back.flips.p == pytest.approx(there.flips.p)
    assert [(flip.b, flip.a) for flip in back.flips.questions] == [(flip.a, flip.b) for flip in there.flips.questions]
    assert (back.asked, back.only_a, back.only_b) == (there.asked, there.only_b, there.only_a)


def _differences(comparison: Comparison) -> dict[str, tuple[float, ...]]:
    return {one.metric: (one.n, one.a, one.b, one.difference, one.p) for one in comparison.differences}
