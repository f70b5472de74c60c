import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scored import ReadableModel, resources_with

from app.core import registry
from app.core.protocols import Reranker
from app.core.run import Run
from app.core.types import Prompt
from fakes import a_hit, a_passage, a_query
from rerankers.pointwise import log_odds

NONE = float("-inf")
HITS = [a_hit(a_passage(f"{key} text", passage_id=f"{key}@0#0", title=""), rank=n) for n, key in enumerate("abc", 1)]


class Judge(ReadableModel):
    """Says what a test wrote down for a passage and a query: natural logs of Yes and No."""

    def __init__(self, said: Mapping[tuple[str, str], tuple[float, float]]) -> None:
        super().__init__()
        self.said = said
        self.calls: list[list[str]] = []

    def first_token_logprobs(
        self, prompts: Sequence[Prompt], *, choices: Sequence[str], run: Run
    ) -> NDArray[np.float32]:
        self._book(prompts, run)
        assert choices == ("Yes", "No")
        self.calls.append([prompt.user for prompt in prompts])
        return np.array([self._row(prompt.user) for prompt in prompts], dtype=np.float32)

    def _row(self, user: str) -> tuple[float, float]:
        return next(row for (key, query), row in self.said.items() if f"{key} text" in user and user.endswith(query))


def pointwise(model: ReadableModel, **options: object) -> Reranker:
    built: Reranker = registry.build("rerankers", "pointwise", options, resources_with(model))
    return built


SAID = {
    ("a", "Who?"): (-1.0, -2.0),  # log-odds 1
    ("a", "N/A"): (-1.0, -3.0),  # 2: it says Yes to this passage whatever is asked; 1 - 2 = -1
    ("b", "Who?"): (-2.0, -1.5),  # -0.5
    ("b", "N/A"): (-4.0, -0.5),  # -3.5; -0.5 + 3.5 = 3
    ("c", "Who?"): (-3.0, -1.0),  # -2
    ("c", "N/A"): (-3.0, -1.0),  # -2; 0
}


def test_what_a_passage_gets_for_no_query_is_subtracted() -> None:
    found = pointwise(Judge(SAID)).rerank(a_query("Who?"), HITS, top_k=3, run=Run())

    assert [(hit.passage.doc_id, hit.score) for hit in found.hits] == [("b", 3.0), ("c", 0.0), ("a", -1.0)]


def test_without_calibration_the_log_odds_make_the_order() -> None:
    model = Judge(SAID)

    found = pointwise(model, calibrated=False).rerank(a_query("Who?"), HITS, top_k=3, run=Run())

    assert [(hit.passage.doc_id, hit.score) for hit in found.hits] == [("a", 1.0), ("b", -0.5), ("c", -2.0)]
    assert all(user.endswith("Query: Who?") for user in model.calls[0])


def test_the_two_prompts_of_a_passage_are_neighbours_and_differ_in_their_end_only() -> None:
    model = Judge(SAID)

    pointwise(model).rerank(a_query("Who?"), HITS, top_k=3, run=Run())

    (users,) = model.calls
    assert [user.removeprefix("Passage: ")[0] for user in users] == ["a", "a", "b", "b", "c", "c"]
    for asked, content_free in zip(users[::2], users[1::2], strict=True):
        assert asked.removesuffix("Who?") == content_free.removesuffix("N/A")


def test_the_content_free_query_is_asked_once_for_a_passage() -> None:
    model = Judge({**SAID, ("a", "When?"): (-1.0, -1.0)})
    reranker = pointwise(model)
    reranker.rerank(a_query("Who?"), HITS[:1], top_k=1, run=Run())

    found = reranker.rerank(a_query("When?"), HITS[:1], top_k=1, run=Run())

    assert [user[-5:] for user in model.calls[1]] == ["When?"]
    assert found.hits[0].score == 0.0 - 2.0


def test_a_server_that_tells_neither_word_keeps_the_order() -> None:
    silent = dict.fromkeys(SAID, (NONE, NONE))

    found = pointwise(Judge(silent)).rerank(a_query("Who?"), HITS, top_k=3, run=Run())

    assert [hit.passage for hit in found.hits] == [hit.passage for hit in HITS]
    assert found.degraded is not None
    assert (found.degraded.reason, found.coverage) == ("missing_scores", 0.0)


def test_the_missing_word_has_the_mass_that_is_left() -> None:
    # p(Yes) = 0.8 leaves 0.2: log(0.8 / 0.2); p(No) = 0.9 leaves 0.1: log(0.1 / 0.9)
    assert log_odds(math.log(0.8), NONE) == pytest.approx(math.log(4.0))
    assert log_odds(NONE, math.log(0.9)) == pytest.approx(math.log(1 / 9))
    assert math.isnan(log_odds(NONE, NONE))
    assert log_odds(0.0, NONE) == pytest.approx(math.log(1e6), abs=1e-4)


@given(st.floats(-20.0, 0.0), st.floats(-20.0, 0.0))
def test_more_of_a_word_never_moves_the_odds_away_from_it(lower: float, higher: float) -> None:
    lower, higher = sorted((lower, higher))

    assert log_odds(lower, NONE) <= log_odds(higher, NONE)
    assert log_odds(NONE, lower) >= log_odds(NONE, higher)
    assert log_odds(lower, higher) == -log_odds(higher, lower)
