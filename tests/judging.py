"""A model that knows what each passage is worth, for tests of rerankers that ask it: the text says it, `worth 7`.

Its figures are exact in float32: worths and priors are small whole numbers and halves.
"""

import json
import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scored import ReadableModel

from app.core.run import Run
from app.core.types import Completion, Hit, Prompt, Sampling, Usage
from fakes import a_hit, a_passage

_LINE = re.compile(r"^\[(\w+)\] .*?worth (-?\d+)", re.MULTILINE)
_QUESTION = re.compile(r"Question: (.*)")


class Judge(ReadableModel):
    """Gives a label the worth of its passage and a prior by its position; asked of N/A, the prior alone.

    `tells` bounds how many labels it tells, the likeliest first; `calls` holds the prompts of each call.
    """

    def __init__(self, *, prior: Callable[[int], float] = lambda position: 0.0, tells: int = 1_000) -> None:
        super().__init__()
        self.prior = prior
        self.tells = tells
        self.calls: list[list[Prompt]] = []
        self.samplings: list[Sampling] = []

    def first_token_logprobs(
        self, prompts: Sequence[Prompt], *, choices: Sequence[str], run: Run
    ) -> NDArray[np.float32]:
        self._begin(prompts, run)
        rows = np.full((len(prompts), len(choices)), -np.inf, dtype=np.float32)
        for row, prompt in zip(rows, prompts, strict=True):
            said = self.figures(prompt)
            for label in sorted(said, key=lambda label: -said[label])[: self.tells]:
                row[choices.index(label)] = said[label]
        return rows

    def figures(self, prompt: Prompt) -> dict[str, float]:
        """Return what each label of a prompt gets."""
        asks = question_of(prompt) != "N/A"
        return {
            label: (worth if asks else 0) + self.prior(position) - 100.0
            for position, (label, worth) in enumerate(worths_of(prompt).items())
        }

    def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
        self._begin(prompts, run)
        self.samplings.append(sampling)
        return [Completion(text=self.reply(prompt), stop="stop", usage=Usage(calls=1)) for prompt in prompts]

    def reply(self, prompt: Prompt) -> str:
        """Return the labels by worth, or the best of them, as the prompt's schema has it."""
        worths = worths_of(prompt)
        best_first = sorted((int(label) for label in worths), key=lambda number: -worths[str(number)])
        asked = (prompt.schema or {})["properties"]
        return json.dumps({"ranking": best_first} if "ranking" in asked else {"best": best_first[0]})

    def _begin(self, prompts: Sequence[Prompt], run: Run) -> None:
        self._book(prompts, run)
        if prompts:
            self.calls.append(list(prompts))


def worths_of(prompt: Prompt) -> dict[str, int]:
    """Return label → worth, in the order of the prompt."""
    return {label: int(worth) for label, worth in _LINE.findall(prompt.user)}


def question_of(prompt: Prompt) -> str:
    """Return the question that a prompt ends with."""
    return str(_QUESTION.findall(prompt.user)[-1])


def worth(*worths: int) -> list[Hit]:
    """Return one hit for each worth, in this order."""
    return [
        a_hit(a_passage(f"worth {value}", passage_id=f"p{place}@0#0", title=""), rank=place + 1, score=1 / (place + 1))
        for place, value in enumerate(worths)
    ]


def worths(hits: Sequence[Hit]) -> list[int]:
    """Return what the hits are worth, in their order."""
    return [int(hit.passage.text.split()[1]) for hit in hits]
