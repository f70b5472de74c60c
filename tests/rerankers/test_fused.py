import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scored import ReadableModel, resources_with

from app.core import registry
from app.core.budget import Budget
from app.core.errors import BudgetExhausted, Cancelled, ConfigError, ModelError, UnknownComponent
from app.core.protocols import Reranker
from app.core.run import Run
from app.core.types import Hit, Passage, Prompt, Query, Reranking
from fakes import a_hit, a_passage, a_query
from rerankers._common.scoring import Pair, ScoredReranker
from rerankers.fused import Method, ReadModel, WeightFile, fused_scores, in_unit_range, reciprocal_ranks

KEYS = "abc"
HITS = [
    a_hit(a_passage(f"text {key}", passage_id=f"{key}@0#0"), rank=rank, score=10.0 - rank)
    for rank, key in enumerate(KEYS, start=1)
]


class Numbers:
    """Scores passages as a test says; without numbers, or asked a question named `bad`, it fails."""

    def __init__(self, numbers: Mapping[str, float] | None) -> None:
        self.numbers = numbers

    def scores(self, pairs: Sequence[Pair], *, run: Run) -> list[NDArray[np.float64]]:
        run.check()
        if self.numbers is None or any(query.text == "bad" for query, _ in pairs):
            raise ModelError("no")
        return [np.array([self.numbers.get(hit.passage.doc_id, 0.0) for hit in hits]) for _, hits in pairs]


def fused(said: Mapping[str, Mapping[str, float] | None], **options: Any) -> Reranker:
    made = {name: ScoredReranker(Numbers(one), name=name, depth=1000, together=2) for name, one in said.items()}
    resources: Any = SimpleNamespace(component=lambda package, name, options: made[name])
    built: Reranker = registry.build("rerankers", "fused", options, resources)
    return built


def ids(reranking: Reranking) -> str:
    return "".join(hit.passage.doc_id for hit in reranking.hits)


def run_of(reranker: Reranker, hits: Sequence[Hit] = HITS) -> Reranking:
    return reranker.rerank(a_query(), hits, top_k=len(hits), run=Run())


def test_z_scores_are_added_up() -> None:
    said = {"attention": {"a": 0, "b": 1, "c": 2}, "likelihood": {"a": -2, "b": -1, "c": -9}}

    found = run_of(fused(said, first_stage=0.0))

    # attention: mean 1, deviation sqrt(2 / 3); likelihood: mean -4, deviation sqrt((4 + 9 + 25) / 3)
    first, second = (2 / 3) ** 0.5, (38 / 3) ** 0.5
    expected = {"a": -1 / first + 2 / second, "b": 0 + 3 / second, "c": 1 / first - 5 / second}
    assert ids(found) == "bca"
    assert {hit.passage.doc_id: hit.score for hit in found.hits} == pytest.approx(expected)


def test_a_weight_says_how_much_a_signal_counts() -> None:
    said = {"attention": {"a": 0, "b": 1, "c": 2}, "likelihood": {"a": 2, "b": 1, "c": 0}}

    assert ids(run_of(fused(said))) == "abc"  # they cancel out: as they came
    assert ids(run_of(fused(said, signals=[{"name": "attention", "weight": 2}, {"name": "likelihood"}]))) == "cba"


def test_the_first_stage_counts_when_it_has_a_weight() -> None:
    signals = [{"name": "attention"}]
    said = {"attention": {"a": 0, "b": 1, "c": 0.5}}  # scores of the first stage: 9, 8, 7

    assert ids(run_of(fused(said, signals=signals, first_stage=0.0))) == "bca"
    assert ids(run_of(fused(said, signals=signals, first_stage=100.0))) == "abc"


def test_scores_of_several_sources_are_not_compared_but_their_places_are() -> None:
    mixed = [HITS[0], *(a_hit(hit.passage, rank=hit.rank, score=1e9, source="dense") for hit in HITS[1:])]

    found = run_of(fused({"attention": {}}, signals=[{"name": "attention"}], first_stage=1.0), mixed)

    assert ids(found) == "abc"


def test_a_convex_mix_by_hand() -> None:
    # ranges: (0, 0.25, 1) and (1, 0.5, 0); weights 3 and 1
    parts = [(3.0, np.array([2.0, 4.0, 10.0])), (1.0, np.array([0.0, -1.0, -2.0]))]

    assert np.allclose(fused_scores(parts, method="convex"), [1 / 4, (3 * 0.25 + 0.5) / 4, 3 / 4])


def test_reciprocal_ranks_by_hand() -> None:
    # ranks 3, 1, 2 and, ties as they came, 1, 2, 3
    parts = [(1.0, np.array([0.1, 0.9, 0.5])), (2.0, np.array([7.0, 7.0, 7.0]))]

    assert np.allclose(fused_scores(parts, method="rrf"), [1 / 63 + 2 / 61, 1 / 61 + 2 / 62, 1 / 62 + 2 / 63])


def test_a_range_without_width_is_zeros() -> None:
    assert in_unit_range(np.array([3.0, 3.0])).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("method", ["zscore", "convex"])
def test_a_signal_that_says_the_same_of_all_changes_no_order(method: Method) -> None:
    said = {"attention": {"a": 0, "b": 1, "c": 2}, "likelihood": dict.fromkeys("abc", 0.1)}

    assert ids(run_of(fused(said, method=method))) == "cba"


@given(
    st.lists(st.integers(-50, 50), min_size=2, max_size=8),
    st.floats(0.01, 100.0),
    st.floats(-100.0, 100.0),
    st.sampled_from(["zscore", "convex", "rrf"]),
)
def test_the_scale_of_a_signal_does_not_matter(numbers: list[int], scale: float, shift: float, method: Method) -> None:
    scores = np.array(numbers, dtype=np.float64)
    other = np.arange(len(numbers), dtype=np.float64)

    plain = fused_scores([(1.0, scores), (0.5, other)], method=method)
    stretched = fused_scores([(1.0, np.round(scores * scale + shift, 9)), (0.5, other)], method=method)

    assert np.allclose(plain, stretched, atol=1e-5)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=10))
def test_reciprocal_ranks_use_every_rank_once_and_keep_the_order(numbers: list[float]) -> None:
    found = reciprocal_ranks(np.array(numbers))

    assert sorted(found, reverse=True) == [1 / (60 + rank) for rank in range(1, len(numbers) + 1)]
    assert np.argsort(-found, kind="stable").tolist() == np.argsort(-np.array(numbers), kind="stable").tolist()


def test_each_hit_keeps_the_stages_of_the_signals_and_gets_one_more() -> None:
    best = run_of(fused({"attention": {"c": 5.0}, "likelihood": {"c": 1.0}})).hits[0]

    assert [(stage.name, stage.rank) for stage in best.stages] == [
        ("lexical", 3), ("attention", 1), ("likelihood", 1), ("fused", 1)
    ]  # fmt: skip
    assert [stage.score for stage in best.stages[:3]] == [7.0, 5.0, 1.0]


def test_a_signal_that_fails_is_left_out_and_told() -> None:
    found = run_of(fused({"attention": None, "likelihood": {"c": 1.0}}))

    assert ids(found) == "cab"
    assert found.degraded is not None
    assert (found.degraded.reason, found.degraded.coverage, found.coverage) == ("model_error", 0.5, 0.5)
    assert {stage.name for hit in found.hits for stage in hit.stages} == {"lexical", "likelihood", "fused"}


def test_when_all_signals_fail_the_order_stays() -> None:
    found = run_of(fused({"attention": None, "likelihood": None}, first_stage=1.0))

    assert ids(found) == "abc"
    assert found.degraded is not None
    assert (found.degraded.reason, found.coverage) == ("model_error", 0.0)


def test_a_question_that_fails_spoils_no_other() -> None:
    reranker = fused({"attention": {"c": 1.0}, "likelihood": {"c": 1.0}})
    pairs = [(a_query("good"), HITS), (a_query("bad"), HITS), (a_query("good"), HITS)]

    found = reranker.rerank_many(pairs, top_k=3, run=Run())

    assert [ids(one) for one in found] == ["cab", "abc", "cab"]
    assert [one.degraded is None for one in found] == [True, False, True]


def test_hits_beyond_the_depth_follow_and_no_signal_sees_them() -> None:
    found = run_of(fused({"attention": {"b": 1.0, "c": 9.0}, "likelihood": {}}, depth=2))

    assert ids(found) == "bac"
    assert [stage.name for stage in found.hits[2].stages] == ["lexical", "fused"]


class Raising:
    """A reranker that tells trouble by an exception, as a component of somebody else may."""

    def rerank(self, query: Query, hits: Sequence[Hit], *, top_k: int, run: Run) -> Reranking:
        if query.text == "cancelled":
            raise Cancelled("stopped")
        raise BudgetExhausted("the budget of 3 model calls is spent")

    def rerank_many(self, pairs: Sequence[Pair], *, top_k: int, run: Run) -> list[Reranking]:
        return [self.rerank(query, hits, top_k=top_k, run=run) for query, hits in pairs]


def test_a_signal_that_raises_is_left_out_too_unless_the_work_was_stopped() -> None:
    resources: Any = SimpleNamespace(component=lambda package, name, options: Raising())
    reranker = registry.build("rerankers", "fused", {"signals": [{"name": "identity"}]}, resources)

    found = run_of(reranker)

    assert ids(found) == "abc"
    assert found.degraded is not None
    assert found.degraded.reason == "budget"
    with pytest.raises(Cancelled):
        reranker.rerank(a_query("cancelled"), HITS, top_k=3, run=Run())


def test_signals_are_built_to_treat_every_candidate_they_are_given() -> None:
    built: list[tuple[str, Mapping[str, Any]]] = []
    resources: Any = SimpleNamespace(component=lambda package, name, options: built.append((name, options)))

    signals = [{"name": "pointwise", "options": {"words": 50}}, {"name": "identity"}]
    registry.build("rerankers", "fused", {"signals": signals}, resources)

    assert built == [("pointwise", {"depth": 1000, "words": 50}), ("identity", {})]


@pytest.mark.parametrize("signals", [[], [{"name": "likelihood", "weight": 0}], [{"wait": "likelihood"}]])
def test_signals_that_are_none_are_refused(signals: list[dict[str, Any]]) -> None:
    with pytest.raises(ConfigError, match=r"rerankers\.fused: signals"):
        registry.build("rerankers", "fused", {"signals": signals}, resources_with(ReadableModel()))


def test_an_unknown_signal_is_refused() -> None:
    with pytest.raises(UnknownComponent, match="no 'attenton' in rerankers/"):
        registry.build("rerankers", "fused", {"signals": [{"name": "attenton"}]}, resources_with(ReadableModel()))


def test_with_a_budget_for_one_signal_that_one_makes_the_order() -> None:
    def order(name: str) -> list[Passage]:
        alone = registry.build("rerankers", name, {}, resources_with(ReadableModel()))
        return [hit.passage for hit in alone.rerank(a_query(), HITS, top_k=3, run=Run()).hits]

    model = ReadableModel()
    reranker = registry.build("rerankers", "fused", {}, resources_with(model))
    found = reranker.rerank(a_query(), HITS, top_k=3, run=Run(budget=Budget(max_calls=1)))

    prompts: list[Prompt] = model.seen
    assert [prompt.name for prompt in prompts] == ["rerankers/attention_find"]
    assert [hit.passage for hit in found.hits] == order("attention")
    assert found.degraded is not None
    assert (found.degraded.reason, found.coverage) == ("budget", 0.5)


class Named(ReadableModel):
    """A model whose bytes have a name."""

    digest = "ab" * 32


NAMED = ReadModel(model_id="readable", model_digest="ab" * 32)


def weight_file(
    path: Path, *, first_stage: float = 0.0, models: tuple[ReadModel, ...] = (NAMED,), **weights: float
) -> Path:
    WeightFile(
        method="rrf",
        weights=weights,
        first_stage=first_stage,
        figures={"fitted": 0.5},
        models=models,
        made_from="a test",
        command="none",
    ).write(path)
    return path


def built(path: Path, *, model: ReadableModel | None = None, **options: Any) -> Reranker:
    made: Reranker = registry.build(
        "rerankers", "fused", {"weights": path, **options}, resources_with(model or Named())
    )
    return made


def test_weights_of_a_file_take_the_place_of_weight_first_stage_and_method(tmp_path: Path) -> None:
    path = weight_file(tmp_path / "weights.json", attention=0.5, likelihood=0.3, first_stage=0.2)
    said = [{"name": "likelihood", "weight": 0.3}, {"name": "attention", "weight": 0.5}]
    by_hand = {"signals": said, "first_stage": 0.2, "method": "rrf"}

    found = run_of(built(path, first_stage=9.0, method="convex"))
    expected = run_of(registry.build("rerankers", "fused", by_hand, resources_with(Named())))

    assert [hit.passage for hit in found.hits] == [hit.passage for hit in expected.hits]
    assert [hit.score for hit in found.hits] == pytest.approx([hit.score for hit in expected.hits])


def test_a_signal_without_weight_is_not_asked(tmp_path: Path) -> None:
    model = Named()
    path = weight_file(tmp_path / "weights.json", attention=0.0, likelihood=1.0)

    found = run_of(built(path, model=model))

    assert {prompt.name for prompt in model.seen} == {"rerankers/likelihood"}
    assert (found.degraded, found.coverage) == (None, 1.0)


def test_weights_that_leave_every_signal_out_are_refused(tmp_path: Path) -> None:
    path = weight_file(tmp_path / "weights.json", attention=0.0, likelihood=0.0, first_stage=1.0)

    with pytest.raises(ConfigError, match="take the reranker identity"):
        built(path)


def test_weights_of_other_signals_are_refused(tmp_path: Path) -> None:
    path = weight_file(tmp_path / "weights.json", attention=0.4, likelihood=0.6)

    with pytest.raises(ConfigError, match="are for attention, likelihood, not for attention, pointwise"):
        built(path, signals=[{"name": "pointwise"}, {"name": "attention"}])
    with pytest.raises(ConfigError, match="not for attention;"):
        built(path, signals=[{"name": "attention"}])


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        (ReadModel(model_id="readable", model_digest="cd" * 32), r"made for readable \(cdcdcdcdcdcd\)"),
        (ReadModel(model_id="another", model_digest="ab" * 32), r"made for another \(abababababab\)"),
        (ReadModel(model_id="readable", model_digest=""), "made for readable,"),
    ],
)
def test_weights_of_another_model_are_refused(tmp_path: Path, model: ReadModel, shown: str) -> None:
    path = weight_file(tmp_path / "weights.json", models=(model,), attention=0.4, likelihood=0.6)

    with pytest.raises(ConfigError, match=rf"{shown}.* not for readable \(abababababab\)"):
        built(path)


@pytest.mark.parametrize(
    "change", [{"first_stage": 0.5}, {"weights": {"attention": -0.4, "likelihood": 1.4}}, {"weights": {}}, {"x": 1}]
)
def test_a_file_without_weights_is_refused(tmp_path: Path, change: Mapping[str, Any]) -> None:
    path = weight_file(tmp_path / "weights.json", attention=0.4, likelihood=0.6)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    with pytest.raises(ConfigError, match="holds no weights"):
        built(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the weights in"):
        built(tmp_path / "absent.json")


def test_models_are_told_of_signals_inside_signals_too() -> None:
    nested = {"signals": [{"name": "cascade"}, {"name": "identity"}]}

    made: Any = registry.build("rerankers", "fused", nested, resources_with(Named()))
    assert made.models() == (NAMED,)
    none: Any = registry.build("rerankers", "fused", {"signals": [{"name": "identity"}]}, resources_with(Named()))
    assert none.models() == ()
