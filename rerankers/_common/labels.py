"""What passages are called in a prompt: `[A]`, `[B]` … where letters are read, `[1]`, `[2]` … where numbers are told.

Passages cannot forge a label: theirs are shown with round brackets.
"""

import string
from collections.abc import Sequence

from app.core.protocols import FirstTokenScorer
from app.core.run import Run

LETTERS = string.ascii_uppercase
OPENED = "["
"""What the model's turn begins with, so that its first token is a letter."""


def labelled(texts: Sequence[str], labels: Sequence[str]) -> str:
    """Return one line `[label] text` per text; labels beyond the texts are not used."""
    return "\n".join(f"[{label}] {text}" for label, text in zip(labels, texts, strict=False))


def numbers(count: int) -> list[str]:
    """Return the labels from 1."""
    return [str(number) for number in range(1, count + 1)]


def refuse_split_letters(model: FirstTokenScorer, letters: str) -> None:
    """Return if the model can tell letters apart by one token; asked without a prompt, it computes nothing.

    Raises:
        ModelError: a letter is not one token of this model, or the model cannot be loaded.
    """
    model.first_token_logprobs([], choices=tuple(letters), run=Run())
