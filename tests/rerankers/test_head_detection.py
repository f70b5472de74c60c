from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scored import ReadableModel

from app.core.errors import InvalidDataset
from app.core.run import Run
from app.core.types import Hit, Offsets, Prompt, Query, QueryId
from fakes import a_hit, a_passage
from rerankers.head_detection import Example, Method, attention_mass, best_heads, contrast, detect

GOLD = np.array([True, False, False])


class Looking(ReadableModel):
    """Head (2, 1) looks at what is gold, head (0, 1) at whatever stands last, the others everywhere alike."""

    def suffix_attention(
        self,
        prefix: Prompt,
        *,
        suffixes: Sequence[str],
        spans: Sequence[Offsets],
        run: Run,
        heads: Sequence[tuple[int, int]] | None = None,
    ) -> list[list[NDArray[np.float32]]]:
        self._book([prefix], run)
        last = max(spans)
        return [[self._of(prefix.user[start:end], (start, end) == last) for start, end in spans] for _ in suffixes]

    def _of(self, text: str, is_last: bool) -> NDArray[np.float32]:
        found = np.full((self.layers * self.heads, 2), 0.05, dtype=np.float32)
        found[2 * self.heads + 1] = 0.3 if "gold" in text else 0.01
        found[0 * self.heads + 1] = 0.4 if is_last else 0.001
        return found


def an_example(name: str, *texts: str) -> Example:
    hits: list[Hit] = [a_hit(a_passage(text, passage_id=f"{text}@0#0"), rank=n) for n, text in enumerate(texts, 1)]
    needed = frozenset(hit.passage.passage_id for hit in hits if "gold" in hit.passage.text)
    return Query(query_id=QueryId(name), text="Who?"), hits, needed


def test_the_mass_is_the_sum_over_the_passages_needed() -> None:
    mass = np.array([[0.1, 0.2, 0.3], [0.4, 0.0, 0.0]])

    assert np.allclose(attention_mass(mass, np.array([True, False, True])), [0.1 + 0.3, 0.4])


def test_the_contrast_is_a_softmax_share() -> None:
    # T = 0.1: e^(2 - 2) / (e^0 + e^(1 - 2) + e^(0 - 2)), powers taken from the highest
    mass = np.array([[0.2, 0.1, 0.0]])

    assert contrast(mass, GOLD, temperature=0.1)[0] == pytest.approx(1 / (1 + np.exp(-1) + np.exp(-2)))


def test_several_needed_passages_are_each_set_against_the_others() -> None:
    mass = np.array([[0.2, 0.1, 0.1]])

    # 0.2 against the last 0.1, then 0.1 against it: not against one another
    expected = (1 / (1 + np.exp(-1)) + 1 / 2) / 2
    assert contrast(mass, np.array([True, True, False]), temperature=0.1)[0] == pytest.approx(expected)


def test_a_low_temperature_does_not_overflow() -> None:
    mass = np.array([[5.0, 1.0, 0.0], [0.0, 5.0, 1.0]])

    assert contrast(mass, GOLD, temperature=0.001).tolist() == [1.0, 0.0]


@given(st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3))
def test_contrast_does_not_see_what_all_passages_share_and_mass_does(row: list[float]) -> None:
    mass = np.array([row])

    assert np.allclose(contrast(mass, GOLD), contrast(mass + 0.5, GOLD))
    assert np.allclose(attention_mass(mass + 0.5, GOLD), attention_mass(mass, GOLD) + 0.5)


def test_heads_are_told_by_layer_and_ties_by_place() -> None:
    assert best_heads(np.array([0.1, 0.5, 0.5, 0.9]), 2, top=3) == [(1, 1), (0, 1), (1, 0)]


@pytest.mark.parametrize("method", ["qrhead", "core"])
def test_the_head_that_looks_at_what_is_needed_is_found(method: Method) -> None:
    examples = [an_example(f"q{n}", f"gold {n}", *(f"other {n} {i}" for i in range(9))) for n in range(5)]

    assert detect(Looking(), examples, method=method, top=1, run=Run()) == [(2, 1)]


def test_candidates_are_shuffled_and_the_same_seed_shuffles_alike() -> None:
    examples = [an_example("q", "gold", *(f"other {i}" for i in range(9)))]
    seen = []
    for seed in (1, 1, 2):
        model = Looking()
        detect(model, examples, method="core", top=1, run=Run(seed=seed))
        seen.append(model.seen[0].user)

    assert seen[0] == seen[1] != seen[2]


def test_questions_that_tell_nothing_are_not_asked() -> None:
    model = Looking()
    examples = [an_example("none", "other a", "other b"), an_example("all", "gold a"), an_example("q", "gold", "other")]

    detect(model, examples, method="core", top=1, run=Run())

    assert len(model.seen) == 1


def test_no_question_that_tells_anything_is_an_error() -> None:
    with pytest.raises(InvalidDataset, match="no head is found"):
        detect(Looking(), [an_example("none", "other a", "other b")], method="qrhead", top=1, run=Run())
