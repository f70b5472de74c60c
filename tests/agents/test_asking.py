"""What the probability of a short answer is read from."""

import math

import pytest

from agents.asking import confidence_in
from app.core.types import Completion, Usage


def a_completion(*tokens: tuple[str, float]) -> Completion:
    return Completion(text="".join(token for token, _ in tokens), stop="stop", usage=Usage(), logprobs=tokens)


def test_the_answer_is_as_sure_as_where_its_words_were_first_written() -> None:
    completion = a_completion(
        ('{"sentence":"', -3.0),
        ("It was", -0.5),
        (" Ada", math.log(0.5)),
        (" Byron", math.log(0.8)),
        ('.","answer":"', -9.0),
        ("Ada Byron", math.log(0.99)),
        ('"}', -0.1),
    )

    assert confidence_in(completion, "answer") == pytest.approx(0.5 * 0.8)


def test_an_answer_that_the_sentence_does_not_hold_is_read_from_its_own_field() -> None:
    completion = a_completion(
        ('{"sentence":"Nobody', -1.0), ('","answer":"', -2.0), ("no", math.log(0.7)), ('"}', -4.0)
    )

    assert confidence_in(completion, "answer") == pytest.approx(0.7)


def test_a_backend_that_tells_no_probabilities_leaves_the_confidence_open() -> None:
    silent = Completion(text='{"answer":"Ada"}', stop="stop", usage=Usage())

    assert confidence_in(silent, "answer") is None


def test_an_empty_answer_has_no_confidence() -> None:
    assert confidence_in(a_completion(('{"answer":"', -1.0), ('"}', -1.0)), "answer") is None
