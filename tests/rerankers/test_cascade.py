from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scored import ReadableModel, resources_with

from app.core import registry
from app.core.errors import BudgetExhausted, ConfigError, ModelError
from app.core.protocols import Reranker
from app.core.run import Run
from app.core.types import Hit, Reranking
from fakes import a_hit, a_passage, a_query
from rerankers._common.scoring import Pair, ScoredReranker
from rerankers.cascade import lead

HITS = [a_hit(a_passage(f"text {key}", passage_id=f"{key}@0#0"), rank=rank) for rank, key in enumerate("abcde", 1)]
STEPS = [{"name": "likelihood", "depth": 4}, {"name": "pointwise", "depth": 2}]


class Numbers:
    """Scores passages as a test says and keeps what it was asked; an error is raised."""

    def __init__(self, said: Mapping[str, float] | Exception) -> None:
        self.said = said
        self.asked: list[str] = []

    def scores(self, pairs: Sequence[Pair], *, run: Run) -> list[NDArray[np.float64]]:
        run.check()
        self.asked += ["".join(hit.passage.doc_id for hit in hits) for _, hits in pairs]
        if isinstance(self.said, Exception):
            raise self.said
        said = self.said
        return [np.array([said.get(hit.passage.doc_id, 0.0) for hit in hits]) for _, hits in pairs]


def cascade(steps: Mapping[str, Numbers], **options: Any) -> Reranker:
    made = {name: ScoredReranker(one, name=name, depth=1000) for name, one in steps.items()}
    resources: Any = SimpleNamespace(component=lambda package, name, options: made[name])
    built: Reranker = registry.build("rerankers", "cascade", {"steps": STEPS} | options, resources)
    return built


def ids(reranking: Reranking) -> str:
    return "".join(hit.passage.doc_id for hit in reranking.hits)


def run_of(reranker: Reranker) -> Reranking:
    return reranker.rerank(a_query(), HITS, top_k=5, run=Run())


def test_each_step_orders_the_first_of_what_the_one_before_has_left() -> None:
    cheap, dear = Numbers({"a": 1, "b": 2, "c": 4, "d": 3, "e": 9}), Numbers({"c": 0.1, "d": 0.9})

    found = run_of(cascade({"likelihood": cheap, "pointwise": dear}))

    assert (cheap.asked, dear.asked) == (["abcd"], ["cd"])
    assert ids(found) == "dcbae"
    assert [hit.score for hit in found.hits] == [-1.0, -2.0, -3.0, -4.0, -5.0]
    assert (found.coverage, found.degraded) == (1.0, None)


def test_each_hit_keeps_the_stages_of_the_steps_that_ordered_it() -> None:
    found = run_of(cascade({"likelihood": Numbers({"c": 4, "d": 3}), "pointwise": Numbers({"d": 1})}))

    stages = {hit.passage.doc_id: [stage.name for stage in hit.stages] for hit in found.hits}
    assert stages["d"] == ["lexical", "likelihood", "pointwise", "cascade"]
    assert stages["a"] == ["lexical", "likelihood", "cascade"]
    assert stages["e"] == ["lexical", "cascade"]


def test_the_lead_is_told_in_deviations() -> None:
    # scores 6, 2, 1: mean 3, deviation sqrt((9 + 1 + 4) / 3), lead (6 - 2) / deviation
    hits = [a_hit(a_passage(passage_id=f"{n}@0#0"), rank=n, score=score) for n, score in enumerate((6.0, 2.0, 1.0), 1)]

    assert lead(hits) == pytest.approx(4 / (14 / 3) ** 0.5)
    assert lead(hits[:1]) == 0.0
    assert lead([hits[0], hits[0]]) == 0.0


@pytest.mark.parametrize(("margin", "dear_is_asked"), [(1.8, False), (1.9, True), (None, True)])
def test_a_clear_lead_makes_the_later_steps_needless(margin: float | None, dear_is_asked: bool) -> None:
    # scores 3, 1, 1, 0: mean 1.25, deviation sqrt(4.75 / 4) = 1.0897, lead 2 / 1.0897 = 1.835
    dear = Numbers({"a": 1.0})

    found = run_of(cascade({"likelihood": Numbers({"a": 0, "b": 1, "c": 3, "d": 1}), "pointwise": dear}, margin=margin))

    assert bool(dear.asked) == dear_is_asked
    assert ids(found)[0] == "c"


def test_questions_leave_the_cascade_one_by_one() -> None:
    class ByQuery(Numbers):
        def scores(self, pairs: Sequence[Pair], *, run: Run) -> list[NDArray[np.float64]]:
            self.asked += [query.text for query, _ in pairs]
            return [np.arange(len(hits), 0.0, -1.0) ** (9 if query.text == "easy" else 1) for query, hits in pairs]

    cheap, dear = ByQuery({}), ByQuery({})
    reranker = cascade({"likelihood": cheap, "pointwise": dear}, margin=1.5)
    pairs = [(a_query(text), HITS) for text in ("hard", "easy", "harder")] + [(a_query("none"), [])]

    found = reranker.rerank_many(pairs, top_k=5, run=Run())

    assert (cheap.asked, dear.asked) == (["hard", "easy", "harder"], ["hard", "harder"])
    assert [len(one.hits) for one in found] == [5, 5, 5, 0]


def test_a_later_step_that_fails_keeps_what_was_done_and_tells() -> None:
    spent = Numbers(BudgetExhausted("the deadline has passed"))

    found = run_of(cascade({"likelihood": Numbers({"c": 4, "d": 3}), "pointwise": spent}))

    assert ids(found) == "cdabe"
    assert found.degraded is not None
    assert (found.degraded.reason, found.coverage) == ("deadline", 1.0)
    assert "pointwise" not in {stage.name for hit in found.hits for stage in hit.stages}


def test_a_first_step_that_fails_leaves_the_others_their_chance() -> None:
    dear = Numbers({"b": 1})

    found = run_of(cascade({"likelihood": Numbers(ModelError("no")), "pointwise": dear}))

    assert (dear.asked, ids(found)) == (["ab"], "bacde")
    assert found.degraded is not None
    assert (found.degraded.reason, found.coverage) == ("model_error", 2 / 4)  # two of the four that a step may order


def test_when_every_step_fails_the_order_stays() -> None:
    found = run_of(cascade({name: Numbers(ModelError("no")) for name in ("likelihood", "pointwise")}))

    assert ids(found) == "abcde"
    assert found.degraded is not None
    assert (found.degraded.reason, found.coverage) == ("model_error", 0.0)


def test_no_step_orders_more_than_the_depth() -> None:
    cheap = Numbers({})

    run_of(cascade({"likelihood": cheap, "pointwise": Numbers({})}, depth=3))

    assert cheap.asked == ["abc"]


def test_the_default_steps_read_thirty_for_likelihood_and_ten_of_them_for_attention() -> None:
    model = ReadableModel()
    many: list[Hit] = [a_hit(a_passage(f"text {n}", passage_id=f"p{n}@0#0"), rank=n) for n in range(1, 61)]
    reranker = registry.build("rerankers", "cascade", {}, resources_with(model))

    found = reranker.rerank(a_query(), many, top_k=60, run=Run())

    assert [prompt.name for prompt in model.seen].count("rerankers/likelihood") == 30
    assert [prompt.name for prompt in model.seen].count("rerankers/attention_find") == 1
    assert [stage.name for stage in found.hits[0].stages] == [
        "lexical", "likelihood", "fused", "attention", "fused", "cascade"
    ]  # fmt: skip


@pytest.mark.parametrize("options", [{"steps": []}, {"steps": [{"name": "likelihood"}]}, {"margin": 0}])
def test_steps_that_are_none_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"rerankers\.cascade"):
        registry.build("rerankers", "cascade", options, resources_with(ReadableModel()))
