from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.fusion import convex_fusion, reciprocal_rank_fusion, spread
from app.core.types import Hit
from fakes import a_hit, a_passage

Fuse = Callable[..., list[Hit]]
RANKINGS = st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8), min_size=1, max_size=3)


def ranking(names: list[str], source: str, score: float = 1.0) -> list[Hit]:
    return [
        a_hit(a_passage(passage_id=f"{name}@0#0"), rank=rank, score=score / rank, source=source)
        for rank, name in enumerate(names, start=1)
    ]


@pytest.mark.parametrize("fuse", [reciprocal_rank_fusion, convex_fusion])
@given(lists=RANKINGS, top_k=st.integers(1, 10))
def test_fusion_ranks_each_passage_once_and_invents_none(fuse: Fuse, lists: list[list[str]], top_k: int) -> None:
    rankings = [ranking(names, f"r{number}") for number, names in enumerate(lists)]

    fused = fuse(rankings, top_k=top_k)

    ids = [hit.passage.passage_id for hit in fused]
    everything = {hit.passage.passage_id for one in rankings for hit in one}
    assert len(ids) == len(set(ids)) == min(top_k, len(everything))
    assert set(ids) <= everything
    assert [hit.rank for hit in fused] == list(range(1, len(ids) + 1))
    assert all(a.score >= b.score for a, b in pairwise(fused))


@given(RANKINGS, st.randoms(use_true_random=False))
def test_fusion_ignores_input_scores_and_the_order_of_the_rankings(lists: list[list[str]], random: object) -> None:
    plain = [ranking(names, f"r{number}") for number, names in enumerate(lists)]
    scaled = [ranking(names, f"r{number}", score=1000.0) for number, names in enumerate(lists)]
    random.shuffle(scaled)  # type: ignore[attr-defined]  # hypothesis gives no narrower type

    first = reciprocal_rank_fusion(plain, top_k=10)
    second = reciprocal_rank_fusion(scaled, top_k=10)

    assert [h.passage.passage_id for h in first] == [h.passage.passage_id for h in second]


def test_fusion_adds_reciprocal_ranks_and_keeps_the_stages() -> None:
    fused = reciprocal_rank_fusion([ranking(["a", "b"], "lexical"), ranking(["b"], "dense")], top_k=2)

    assert [hit.passage.passage_id for hit in fused] == ["b@0#0", "a@0#0"]
    assert fused[0].score == 1 / 62 + 1 / 61
    assert [stage.name for stage in fused[0].stages] == ["lexical", "dense", "fused"]


def test_convex_fusion_is_the_mean_of_scores_spread_from_zero_to_one() -> None:
    lexical, dense = ranking(["a", "b", "c"], "lexical", score=60.0), ranking(["b", "d"], "dense", score=0.8)

    fused = convex_fusion([lexical, dense], top_k=3)

    assert [hit.passage.passage_id for hit in fused] == ["b@0#0", "a@0#0", "c@0#0"]  # 60, 30, 20 and 0.8, 0.4
    assert [hit.score for hit in fused] == pytest.approx([(0.25 + 1) / 2, 0.5, 0.0])
    assert [stage.name for stage in fused[0].stages] == ["lexical", "dense", "fused"]


@given(RANKINGS, st.floats(0.01, 1000.0))
def test_convex_fusion_ignores_the_scale_of_each_ranking(lists: list[list[str]], scale: float) -> None:
    plain = [ranking(names, f"r{number}") for number, names in enumerate(lists)]
    scaled = [ranking(names, f"r{number}", score=scale) for number, names in enumerate(lists)]

    first, second = convex_fusion(plain, top_k=10), convex_fusion(scaled, top_k=10)

    assert {h.passage.passage_id: h.score for h in second} == pytest.approx(
        {h.passage.passage_id: h.score for h in first}
    )


def test_scores_that_are_alike_spread_to_one() -> None:
    assert spread(ranking(["a"], "lexical")) == [1.0]
    assert spread([]) == []
