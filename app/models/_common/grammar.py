"""JSON schema → which tokens may come next, and which of them are the only way on (llguidance).

SEE: https://github.com/guidance-ai/llguidance (python/llguidance/_lib.pyi says what each call does).
"""

import json
import threading

import llguidance
import numpy as np
import torch
from numpy.typing import NDArray

from app.core.errors import ModelError
from app.core.types import Prompt
from app.models._common.chat_tokens import ChatTokens


class Free:
    """No schema: any token may come next."""

    is_whole = False

    def forced(self, _most: int) -> list[int]:
        """Return no token."""
        return []

    def take(self, token: int) -> None:
        """Note nothing."""

    def masked(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        return logits


class Grammar:
    """Where one completion stands in its schema; belongs to one thread.

    Every method raises ModelError when the grammar cannot go on: the schema is too complex for this text.
    """

    def __init__(
        self, matcher: llguidance.LLMatcher, *, own: NDArray[np.int64], ends: NDArray[np.int64], trouble: str
    ) -> None:
        self._matcher, self._own, self._ends, self._trouble = matcher, own, ends, trouble

    @property
    def is_whole(self) -> bool:
        """Whether the JSON is complete and nothing can follow."""
        return self._matcher.is_stopped()

    def forced(self, most: int) -> list[int]:
        """Take the tokens that are the only way on, at most so many, and return them."""
        tokens = self._matcher.compute_ff_tokens()[:most]
        taken = tokens[: self._matcher.try_consume_tokens(tokens)]
        self._check()
        return taken

    def take(self, token: int) -> None:
        """Take a token that was drawn."""
        self._matcher.consume_token(token)
        self._check()

    def masked(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the logits, shape (vocabulary,), with -inf for what would break the schema.

        The model's own marks are never text; those that end its turn are allowed when the JSON is complete.
        """
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        self._check()
        allowed = np.unpackbits(bits, bitorder="little")[: len(logits)].astype(bool)
        allowed[self._own] = False
        allowed[self._ends] = self._matcher.is_accepting()
        return logits.masked_fill(~torch.from_numpy(allowed).to(logits.device), -torch.inf)

    def _check(self) -> None:
        if self._matcher.is_error():
            raise ModelError(f"{self._trouble}: {_in_one_line(self._matcher.get_error())}")


class Grammars:
    """Compiles the schemas of prompts for one model; its vocabulary is read once, at the first. Safe to share.

    Cost: 1 s for a vocabulary of 150,000 tokens, then 1 ms a schema and 0.1 ms a token.
    """

    def __init__(self, tokens: ChatTokens, *, ends: frozenset[int], vocabulary: int, model_id: str) -> None:
        self._tokens, self._vocabulary, self._model_id = tokens, vocabulary, model_id
        self._ends = np.array(sorted(ends), dtype=np.int64)
        self._own = tokens.own[tokens.own < vocabulary]
        self._lock = threading.Lock()
        self._read: llguidance.LLTokenizer | None = None

    def of(self, prompt: Prompt) -> Grammar | Free:
        """Return the grammar of a completion of the prompt: JSON without white space, or anything without a schema.

        Raises:
            ModelError: the schema cannot be compiled, or the vocabulary not be read.
        """
        if prompt.schema is None:
            return Free()
        grammar = llguidance.LLMatcher.grammar_from_json_schema(
            json.dumps(dict(prompt.schema)),
            overrides={"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"},
        )
        limits = llguidance.LLParserLimits(verbose_errors=False)
        matcher = llguidance.LLMatcher(self._tokenizer(), grammar, log_level=0, limits=limits)
        if matcher.is_error():
            reason = _in_one_line(matcher.get_error())
            raise ModelError(
                f"the grammar of {self._model_id} does not know the schema of prompt '{prompt.name}': {reason}"
            )
        trouble = f"the grammar of {self._model_id} cannot go on with the reply to prompt '{prompt.name}'"
        return Grammar(matcher, own=self._own, ends=self._ends, trouble=trouble)

    def _tokenizer(self) -> llguidance.LLTokenizer:
        with self._lock:
            if self._read is None:
                self._read = self._read_vocabulary()
            return self._read

    def _read_vocabulary(self) -> llguidance.LLTokenizer:
        """Return the plain tokenizer as llguidance reads it; the full one takes a mark in a schema for the mark."""
        plain = self._tokens.plain
        try:
            return llguidance.LLTokenizer(
                plain.to_str(),
                n_vocab=max(self._vocabulary, plain.get_vocab_size()),
                eos_token=self._ends.tolist(),
                slices=llguidance.LLTokenizer.json_slices(),
            )
        except ValueError as error:
            reason = _in_one_line(str(error))
            raise ModelError(f"no grammar can be made for the vocabulary of {self._model_id}: {reason}") from error


def _in_one_line(error: str) -> str:
    return " ".join(error.split())
