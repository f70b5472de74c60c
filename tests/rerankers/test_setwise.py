from collections.abc import Generator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging import Judge, worth, worths, worths_of
from scored import resources_with

from app.core import registry
from app.core.protocols import Reranker
from app.core.run import Run
from app.core.types import Prompt
from fakes import a_query
from rerankers._common.heapsort import Group, heapsort
from rerankers._common.replies import pick_in


def setwise(model: Judge, **options: object) -> Reranker:
    built: Reranker = registry.build("rerankers", "setwise", options, resources_with(model))
    return built


class Failing(Judge):
    """Answers nothing where the passages in hand are worth these."""

    def __init__(self, *failing: list[int]) -> None:
        super().__init__()
        self.failing = failing

    def reply(self, prompt: Prompt) -> str:
        return "I would say the second." if list(worths_of(prompt).values()) in self.failing else super().reply(prompt)


def test_the_best_come_first_and_the_rest_as_they_came() -> None:
    reranking = setwise(Judge(), top=3).rerank(a_query(), worth(2, 5, 1, 9, 3, 8, 4), top_k=7, run=Run())

    assert worths(reranking.hits) == [9, 8, 5, 2, 1, 3, 4]
    assert [hit.score for hit in reranking.hits] == [-1.0, -2.0, -3.0, -4.0, -5.0, -6.0, -7.0]
    assert (reranking.coverage, reranking.degraded) == (1.0, None)


def test_no_more_is_sorted_than_is_asked_for() -> None:
    model = Judge()

    reranking = setwise(model, children=19).rerank(a_query(), worth(*range(20)), top_k=1, run=Run())

    assert worths(reranking.hits) == [19]
    assert len(model.calls) == 1


def test_twenty_at_a_time_the_ten_best_of_twenty_take_ten_picks() -> None:
    model = Judge()

    reranking = setwise(model, children=19, top=10).rerank(a_query(), worth(*range(20)), top_k=20, run=Run())

    # Rank-R1's k log20 n + n / 19 is 10 + 1; here the first pick is the heap's
    assert len(model.seen) == 10
    assert worths(reranking.hits)[:10] == list(range(19, 9, -1))


def test_the_same_passages_are_compared_once() -> None:
    model = Judge()

    setwise(model, children=2, top=20).rerank(a_query(), worth(3, 1, 4, 1, 5, 9, 2, 6), top_k=8, run=Run())

    asked = [prompt.user for prompt in model.seen]
    assert len(asked) == len(set(asked))


def test_passages_are_shown_in_the_order_they_came() -> None:
    model = Judge()

    setwise(model, children=2).rerank(a_query(), worth(10, 20, 30, 40, 50), top_k=5, run=Run())

    for prompt in model.seen:
        shown = list(worths_of(prompt).values())
        assert shown == sorted(shown)


def test_an_unreadable_pick_is_counted_and_goes_to_the_first_stages_best() -> None:
    # children 3: (5, 3, 2, 9) → 9; the last, 2 … rises for (5, 3, 2) → 5; then (3, 2) fails with 2 at the root
    model = Failing([3, 2])

    reranking = setwise(model, children=3, top=4).rerank(a_query(), worth(5, 3, 2, 9), top_k=4, run=Run())

    assert [list(worths_of(prompt).values()) for prompt in model.seen] == [[5, 3, 2, 9], [5, 3, 2], [3, 2]]
    assert worths(reranking.hits) == [9, 5, 3, 2]
    assert (reranking.coverage, reranking.degraded) == (2 / 3, None)


def test_the_first_stages_best_wins_though_another_stood_at_the_root() -> None:
    model = Failing([2, 3])  # 3 is better and stands at the root of the heap when the reply fails

    reranking = setwise(model, children=3, top=4).rerank(a_query(), worth(5, 2, 3, 9), top_k=4, run=Run())

    assert worths(reranking.hits) == [9, 5, 2, 3]


def test_where_most_picks_are_unreadable_the_order_stays() -> None:
    reranking = setwise(Failing([1, 2, 3]), top=3).rerank(a_query(), worth(1, 2, 3), top_k=3, run=Run())
    # (1, 2, 3) fails, (2, 3) is told: one of two

    assert worths(reranking.hits) == [1, 2, 3]
    assert reranking.degraded is not None
    assert (reranking.degraded.reason, reranking.degraded.coverage) == ("unparsable", 1 / 2)


@pytest.mark.parametrize(("reason", "fields", "tokens"), [(False, ["best"], 16), (True, ["reason", "best"], 600)])
def test_the_model_reasons_before_it_picks_when_asked_to(reason: bool, fields: list[str], tokens: int) -> None:
    model = Judge()

    setwise(model, reason=reason, reason_tokens=600).rerank(a_query(), worth(1, 2), top_k=2, run=Run())

    schema = model.seen[0].schema
    assert schema is not None
    assert list(schema["properties"]) == schema["required"] == fields
    assert schema["properties"]["best"] == {"type": "integer", "minimum": 1, "maximum": 2}
    assert model.samplings[0].max_tokens == tokens


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"best": 3}', 2),
        ('{"reason": "…", "best": 1}', 0),
        ('{"best": 4}', None),
        ('{"best": 0}', None),
        ("<answer>[3]</answer>", None),
        ('{"reason": "and so it is the', None),
        ("1", None),
    ],
)
def test_a_pick_is_one_of_the_passages_or_none(text: str, place: int | None) -> None:
    assert pick_in(text, 3) == place


def test_questions_are_asked_side_by_side() -> None:
    model = Judge()

    found = setwise(model).rerank_many(
        [(a_query("one"), worth(1, 2, 3)), (a_query("two"), worth(5, 6))], top_k=3, run=Run()
    )

    assert [worths(one.hits) for one in found] == [[3, 2, 1], [6, 5]]
    assert [len(call) for call in model.calls] == [2, 1]


def sort(count: int, *, top: int, children: int, values: Sequence[int]) -> tuple[list[int], list[Group]]:
    groups: list[Group] = []

    def pick(group: Group) -> Generator[Group, int, int]:
        groups.append(group)
        return (yield group)

    sorting = heapsort(count, top=top, children=children, pick=pick)
    answer: int | None = None
    while True:
        try:
            group = next(sorting) if answer is None else sorting.send(answer)
        except StopIteration as end:
            return end.value, groups
        answer = max(group, key=lambda place: values[place])


VALUES = st.lists(st.integers(0, 1_000), unique=True, max_size=40)


@given(VALUES, st.integers(1, 45), st.integers(1, 25))
def test_a_heap_with_a_consistent_judge_sorts(values: list[int], top: int, children: int) -> None:
    best, groups = sort(len(values), top=top, children=children, values=values)

    assert best == sorted(range(len(values)), key=lambda place: -values[place])[:top]
    for group in groups:
        assert 2 <= len(group) <= children + 1
        assert list(group) == sorted(set(group))


@given(st.integers(0, 30), st.integers(1, 30), st.integers(1, 8), st.randoms(use_true_random=False))
def test_a_heap_with_a_judge_of_whims_still_repeats_and_invents_nothing(
    count: int, top: int, children: int, random: object
) -> None:
    def pick(group: Group) -> Generator[Group, None, int]:
        yield group
        return random.choice(group)  # type: ignore[attr-defined, no-any-return]  # hypothesis gives no narrower type

    sorting = heapsort(count, top=top, children=children, pick=pick)
    best: list[int] = []
    while True:
        try:
            next(sorting)
        except StopIteration as end:
            best = end.value
            break

    assert len(set(best)) == len(best) == min(top, count)
    assert set(best) <= set(range(count))
