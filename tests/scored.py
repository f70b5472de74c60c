"""A model that can be read, and the resources around it, for tests of rerankers: deterministic, no file, no torch."""

import hashlib
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core import registry
from app.core.ledger import ModelCall
from app.core.run import Run
from app.core.types import Completion, Offsets, Prompt, Sampling, Usage

LAYERS, HEADS = 4, 2


class ReadableModel:
    """Has every capability that rerankers ask for; figures follow from the words in hand, `seen` holds the prompts.

    A test that wants other figures overrides one method.
    """

    model_id = "readable"
    layers, heads = LAYERS, HEADS

    def __init__(self) -> None:
        self.seen: list[Prompt] = []

    def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
        """Return the text `1` for each prompt."""
        self._book(prompts, run)
        return [Completion(text="1", stop="stop", usage=Usage(calls=1)) for _ in prompts]

    def first_token_logprobs(
        self, prompts: Sequence[Prompt], *, choices: Sequence[str], run: Run
    ) -> NDArray[np.float32]:
        """Return natural logs that follow from prompt and choice."""
        self._book(prompts, run)
        rows = [[-5.0 * _number(prompt.user, choice) for choice in choices] for prompt in prompts]
        return np.array(rows, dtype=np.float32).reshape(len(prompts), len(choices))

    def token_logprobs(
        self, prompts: Sequence[Prompt], *, continuations: Sequence[str], run: Run
    ) -> list[NDArray[np.float32]]:
        """Return a natural log for each word of each continuation."""
        self._book(prompts, run)
        return [
            np.array([-5.0 * _number(prompt.user, word) for word in text.split()], dtype=np.float32)
            for prompt, text in zip(prompts, continuations, strict=True)
        ]

    def suffix_attention(
        self,
        prefix: Prompt,
        *,
        suffixes: Sequence[str],
        spans: Sequence[Offsets],
        run: Run,
        heads: Sequence[tuple[int, int]] | None = None,
    ) -> list[list[NDArray[np.float32]]]:
        """Return attention that follows from suffix, word and head; a word is a token."""
        self._book([prefix], run)
        chosen = heads or [(layer, head) for layer in range(self.layers) for head in range(self.heads)]
        return [
            [
                np.array(
                    [
                        [_number(suffix, word, layer, head) for word in prefix.user[start:end].split()]
                        for layer, head in chosen
                    ],
                    dtype=np.float32,
                )
                for start, end in spans
            ]
            for suffix in suffixes
        ]

    def score(self, query: str, texts: Sequence[str], *, run: Run) -> NDArray[np.float32]:
        """Return a score per text."""
        run.check()
        return np.array([_number(query, text) for text in texts], dtype=np.float32)

    def _book(self, prompts: Sequence[Prompt], run: Run) -> None:
        run.check()
        self.seen.extend(prompts)
        words = sum(len(prompt.system.split()) + len(prompt.user.split()) for prompt in prompts)
        usage = Usage(calls=1, prompt_tokens=words)
        name, digest = (prompts[0].name, prompts[0].digest) if prompts else ("", "")
        run.ledger.record(ModelCall(model=self.model_id, purpose=name, prompt_digest=digest, usage=usage))


def resources_with(model: Any) -> Any:
    """Return resources whose only model is this one, whatever is asked for."""
    made: dict[str, Any] = {}

    def component(package: str, name: str, options: Mapping[str, Any] | None = None) -> Any:
        if package == "app.models":
            return model
        key = f"{package}.{name} {sorted((options or {}).items())!r}"
        if key not in made:
            made[key] = registry.build(package, name, options or {}, resources)
        return made[key]

    resources = SimpleNamespace(model_with=lambda capability: model, component=component, offline=True)
    return resources


def _number(*parts: object) -> float:
    """Return a number from 0 to 1 that follows from the parts."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / float(1 << 48)
