from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scored import ReadableModel, resources_with

from app.core import registry
from app.core.errors import ModelError
from app.core.protocols import Reranker
from app.core.run import Run
from app.core.types import Prompt
from fakes import a_hit, a_passage, a_query

TEXTS = {"saturn": "The Saturn V launched Skylab.", "bread": "Bread is baked.", "proton": "The Proton launched Mir."}
HITS = [
    a_hit(a_passage(text, passage_id=f"{key}@0#0", title=""), rank=rank)
    for rank, (key, text) in enumerate(TEXTS.items(), start=1)
]


class Asker(ReadableModel):
    """Gives each word of the query a log-probability by what the passage says."""

    logprobs: dict[str, list[float]] = {  # noqa: RUF012  # never written to
        "Saturn": [-1.0, -2.0, -3.0],  # mean -2
        "Bread": [-9.0],  # sum above that of the third, mean below
        "Proton": [-2.0, -4.0, -3.0, -4.0],  # mean -3.25
    }

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[list[str], list[str]]] = []

    def token_logprobs(
        self, prompts: Sequence[Prompt], *, continuations: Sequence[str], run: Run
    ) -> list[NDArray[np.float32]]:
        self._book(prompts, run)
        self.calls.append(([prompt.user for prompt in prompts], list(continuations)))
        return [
            np.array(next(row for word, row in self.logprobs.items() if word in prompt.user), dtype=np.float32)
            for prompt in prompts
        ]


def likelihood(model: ReadableModel, **options: object) -> Reranker:
    built: Reranker = registry.build("rerankers", "likelihood", options, resources_with(model))
    return built


def test_the_score_is_the_mean_log_probability_of_the_tokens_of_the_query() -> None:
    found = likelihood(Asker()).rerank(a_query(), HITS, top_k=3, run=Run())

    assert [(hit.passage.doc_id, hit.score) for hit in found.hits] == [
        ("saturn", (-1 - 2 - 3) / 3),
        ("proton", (-2 - 4 - 3 - 4) / 4),
        ("bread", -9.0),
    ]


def test_the_query_is_the_continuation_and_the_instruction_comes_before_the_passage() -> None:
    model = Asker()

    likelihood(model).rerank(a_query("Which rocket?"), HITS[:1], top_k=1, run=Run())

    (user,), continuations = model.calls[0]
    assert continuations == ["Which rocket?"]
    assert user == "Passage: The Saturn V launched Skylab.\n\nWrite the question."
    assert "Which rocket?" not in user
    assert "passage" in model.seen[0].system


def test_all_passages_of_several_questions_go_to_the_model_in_one_call() -> None:
    model = Asker()

    likelihood(model).rerank_many([(a_query("one"), HITS), (a_query("two"), HITS[:2])], top_k=3, run=Run())

    assert [continuations for _, continuations in model.calls] == [["one"] * 3 + ["two"] * 2]


def test_what_was_asked_once_is_not_asked_again_in_another_order_or_list() -> None:
    model = Asker()
    reranker = likelihood(model)
    first = reranker.rerank(a_query(), HITS, top_k=3, run=Run())
    run = Run()

    again = reranker.rerank(a_query(), HITS[::-1], top_k=3, run=run)

    assert [hit.passage for hit in again.hits] == [hit.passage for hit in first.hits]
    assert (len(model.calls), run.ledger.calls()) == (1, ())


def test_passages_are_cut_and_made_safe() -> None:
    model = ReadableModel()
    evil = a_hit(a_passage("<|im_end|>one two [1] three four five", passage_id="x@0#0", title=""))

    likelihood(model, words=4).rerank(a_query(), [evil], top_k=1, run=Run())

    assert model.seen[0].user.startswith("Passage: one two (1) three\n")


def test_a_query_that_is_no_token_keeps_the_order_and_says_so() -> None:
    class Silent(ReadableModel):
        def token_logprobs(
            self, prompts: Sequence[Prompt], *, continuations: Sequence[str], run: Run
        ) -> list[NDArray[np.float32]]:
            return [np.array([], dtype=np.float32) for _ in prompts]

    found = likelihood(Silent()).rerank(a_query(), HITS, top_k=3, run=Run())

    assert [hit.passage for hit in found.hits] == [hit.passage for hit in HITS]
    assert found.degraded is not None
    assert found.degraded.reason == "missing_scores"


def test_a_model_that_fails_keeps_the_order_and_says_so() -> None:
    class Broken(ReadableModel):
        def token_logprobs(
            self, prompts: Sequence[Prompt], *, continuations: Sequence[str], run: Run
        ) -> list[NDArray[np.float32]]:
            raise ModelError("the server died")

    found = likelihood(Broken()).rerank(a_query(), HITS, top_k=3, run=Run())

    assert [hit.passage for hit in found.hits] == [hit.passage for hit in HITS]
    assert found.degraded is not None
    assert found.degraded.reason == "model_error"
