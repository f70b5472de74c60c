from collections.abc import Sequence

import numpy as np
import pytest
from judging import Judge, worth, worths
from numpy.typing import NDArray
from scored import resources_with

from app.core import registry
from app.core.errors import ConfigError, ModelError
from app.core.protocols import Reranker
from app.core.run import Run
from app.core.types import Hit, Prompt, StageScore
from fakes import a_passage, a_query
from rerankers._common.first_stage import told_scores
from rerankers._common.replies import completed, ranking_in


def listwise(model: Judge, **options: object) -> Reranker:
    built: Reranker = registry.build("rerankers", "listwise", options, resources_with(model))
    return built


class Saying(Judge):
    """Replies with these texts in turn, the last one again and again."""

    def __init__(self, *replies: str) -> None:
        super().__init__()
        self.replies = list(replies)

    def reply(self, prompt: Prompt) -> str:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def test_passages_stand_as_the_model_wrote_their_numbers() -> None:
    model = Saying('{"ranking": [3, 1, 2]}')

    reranking = listwise(model).rerank(a_query(), worth(7, 8, 9), top_k=3, run=Run())

    assert worths(reranking.hits) == [9, 7, 8]
    assert [hit.score for hit in reranking.hits] == [-1.0, -2.0, -3.0]
    assert (reranking.coverage, reranking.degraded) == (1.0, None)
    assert "[1] worth 7\n[2] worth 8\n[3] worth 9\n" in model.seen[0].user


def test_the_grammar_asks_for_as_many_numbers_as_there_are_passages() -> None:
    model = Judge()

    listwise(model).rerank(a_query(), worth(7, 8, 9), top_k=3, run=Run())

    assert model.seen[0].schema is not None
    assert model.seen[0].schema["properties"]["ranking"] == {
        "type": "array",
        "items": {"type": "integer", "minimum": 1, "maximum": 3},
        "minItems": 3,
        "maxItems": 3,
    }
    assert model.samplings[0].max_tokens == 16 + 4 * 20
    assert model.samplings[0].temperature == 0.0


def test_a_reply_is_read_from_1_and_kept_from_0() -> None:
    # 3 twice, 9 and 0 out of range: two of four are usable
    assert ranking_in('{"ranking": [3, 3, 9, 0, 1]}', 4) == [2, 0]
    assert completed([2, 0], 4) == [2, 0, 1, 3]


@pytest.mark.parametrize(
    "text", ["1", "[2] > [1]", "I cannot rank these.", '{"ranking": "2"}', '{"ranking": [2, 1', ""]
)
def test_what_is_no_ranking_orders_nothing(text: str) -> None:
    assert ranking_in(text, 2) == []


def test_a_repaired_ranking_is_whole_and_its_repairs_are_counted() -> None:
    reranking = listwise(Saying('{"ranking": [3, 3, 9, 1]}')).rerank(a_query(), worth(5, 6, 7, 8), top_k=4, run=Run())

    assert worths(reranking.hits) == [7, 5, 6, 8]
    assert (reranking.coverage, reranking.degraded) == (2 / 4, None)


def test_a_refusal_keeps_the_order_and_says_so() -> None:
    reranking = listwise(Saying("I cannot help with that.")).rerank(a_query(), worth(5, 6), top_k=2, run=Run())

    assert worths(reranking.hits) == [5, 6]
    assert reranking.degraded is not None
    assert (reranking.degraded.reason, reranking.coverage) == ("unparsable", 0.0)


def test_one_window_that_cannot_be_read_lowers_the_coverage() -> None:
    model = Saying("Sorry.", '{"ranking": [4, 3, 2, 1]}')

    reranking = listwise(model, window=4, stride=2).rerank(a_query(), worth(1, 2, 3, 4, 5, 6), top_k=6, run=Run())

    assert worths(reranking.hits) == [4, 3, 2, 1, 5, 6]
    assert (reranking.coverage, reranking.degraded) == ((0 + 1) / 2, None)


@pytest.mark.parametrize(("count", "calls"), [(1, 0), (2, 1), (10, 1), (19, 1), (20, 1), (25, 2), (100, 9)])
def test_few_candidates_and_remainders_are_reranked_too(count: int, calls: int) -> None:
    model = Judge()

    found = listwise(model, depth=100).rerank(a_query(), worth(*range(count)), top_k=count, run=Run())

    assert len(model.calls) == calls
    assert worths(found.hits)[:10] == sorted(range(count), reverse=True)[:10]


def test_windows_of_several_questions_are_written_in_one_call() -> None:
    model = Judge()

    found = listwise(model).rerank_many(
        [(a_query("one"), worth(1, 2)), (a_query("two"), worth(1, 2, 3))], top_k=2, run=Run()
    )

    assert [len(call) for call in model.calls] == [2]
    assert [worths(one.hits) for one in found] == [[2, 1], [3, 2]]


def test_chosen_letters_can_only_make_a_permutation() -> None:
    model = Judge()

    reranking = listwise(model, decoder="choices").rerank(a_query(), worth(5, 9, 7, 6), top_k=4, run=Run())

    assert worths(reranking.hits) == [9, 7, 6, 5]
    assert reranking.coverage == 1.0
    # the last letter is the only one left and is not asked for
    assert [prompt.prefill for prompt in model.seen] == ["[", "[B] > [", "[B] > [C] > ["]


def test_a_letter_is_not_chosen_twice_though_the_model_likes_nothing_else() -> None:
    model = Judge(prior=lambda position: 50.0 if position == 2 else 0.0)

    reranking = listwise(model, decoder="choices").rerank(a_query(), worth(2, 3, 1), top_k=3, run=Run())

    assert worths(reranking.hits) == [1, 3, 2]


def test_letters_that_are_not_told_stay_in_order_and_are_not_covered() -> None:
    # one letter told: C; the next call tells C again, which is taken
    reranking = listwise(Judge(tells=1), decoder="choices").rerank(a_query(), worth(1, 2, 9, 3), top_k=4, run=Run())

    assert worths(reranking.hits) == [9, 1, 2, 3]
    assert (reranking.coverage, reranking.degraded) == (1 / 4, None)


def test_without_any_letter_the_order_stays_for_want_of_scores() -> None:
    reranking = listwise(Judge(tells=0), decoder="choices").rerank(a_query(), worth(1, 2), top_k=2, run=Run())

    assert worths(reranking.hits) == [1, 2]
    assert reranking.degraded is not None
    assert reranking.degraded.reason == "missing_scores"


def scored(number: int, *stages: tuple[str, float]) -> Hit:
    passage = a_passage(f"worth {number}", passage_id=f"p{number}@0#0", title="")
    return Hit(passage=passage, stages=tuple(StageScore(name=name, rank=1, score=score) for name, score in stages))


def test_first_stage_scores_are_told_from_0_to_100() -> None:
    hits = [
        scored(1, ("bm25s_bm25", 12.0), ("flat", 0.8), ("hybrid", 0.03)),
        scored(2, ("bm25s_bm25", 2.0), ("hybrid", 0.02)),
        scored(3, ("rank_bm25", 5.3), ("flat", 0.6), ("hybrid", 0.01)),
        scored(4, ("candidates", 1.0)),
    ]

    # lexical (12 - 2) / 10, 0 / 10, 3.3 / 10; dense 0.2 / 0.2, 0 / 0.2
    assert told_scores(hits) == ["lexical=100 dense=100", "lexical=0", "lexical=33 dense=0", ""]


def test_equal_scores_are_all_full_and_the_newest_stage_counts() -> None:
    hits = [scored(1, ("lexical", 1.0), ("lexical", 3.0)), scored(2, ("lexical", 3.0))]

    assert told_scores(hits) == ["lexical=100", "lexical=100"]
    assert told_scores([]) == []


def test_a_passage_is_shown_with_its_own_scores_in_every_window() -> None:
    model = Judge()
    hits = [scored(number, ("lexical", float(10 - number))) for number in range(6)]  # 10, 9 … 5, the last is worth most

    listwise(model, scores=True, window=4, stride=2).rerank(a_query(), hits, top_k=6, run=Run())

    # (score - 5) / 5: worth 0 has 100, worth 5 has 0; the second window shows 5 and 4 where 2 and 3 stood
    assert [line for prompt in model.seen for line in prompt.user.splitlines() if line.startswith("[")] == [
        "[1] (lexical=60) worth 2",
        "[2] (lexical=40) worth 3",
        "[3] (lexical=20) worth 4",
        "[4] (lexical=0) worth 5",
        "[1] (lexical=100) worth 0",
        "[2] (lexical=80) worth 1",
        "[3] (lexical=0) worth 5",
        "[4] (lexical=20) worth 4",
    ]


def test_other_scores_are_another_question() -> None:
    model = Judge()
    reranker = listwise(model, scores=True)

    for score in (1.0, 1.0, 2.0):
        hits = [scored(1, ("lexical", score)), scored(2, ("lexical", 1.5))]
        reranker.rerank(a_query(), hits, top_k=2, run=Run())

    assert len(model.calls) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"window": 101},
        {"window": 5, "stride": 6},
        {"decoder": "choices", "window": 27},
        {"decoder": "choices", "scores": True},
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"rerankers\.listwise"):
        listwise(Judge(), **options)


def test_a_split_letter_is_found_when_the_reranker_is_built() -> None:
    class Merging(Judge):
        def first_token_logprobs(
            self, prompts: Sequence[Prompt], *, choices: Sequence[str], run: Run
        ) -> NDArray[np.float32]:
            raise ModelError("'A' is not one token")

    with pytest.raises(ModelError, match="'A' is not one token"):
        listwise(Merging(), decoder="choices")
    assert worths(listwise(Merging()).rerank(a_query(), worth(1, 2), top_k=2, run=Run()).hits) == [2, 1]
