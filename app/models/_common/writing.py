"""Text that a causal model writes: the prompt is read once, then one token a pass."""

from collections.abc import Iterator

import numpy as np
import torch

from app.core.run import Run
from app.core.types import Completion, Prompt, Sampling, Usage
from app.models._common import chat
from app.models._common.causal_model import CausalModel
from app.models._common.forward_pass import Row
from app.models._common.prefix_cache import SHARED_TOKENS, Node, Prefix
from app.models._common.waiting import held

_INCOMPLETE = "\N{REPLACEMENT CHARACTER}"  # how the first bytes of a character are shown


class Writer:
    """Writes one completion; the model is held for one pass at a time, so that others are served in between."""

    def __init__(self, model: CausalModel, prompt: Prompt, sampling: Sampling, run: Run) -> None:
        self._model, self._prompt, self._sampling, self._run = model, prompt, sampling, run
        self._random = torch.Generator().manual_seed(run.seed)
        self._cached_tokens, self._completion_tokens, self._seconds = 0, 0, 0.0
        self._finish_reason = ""
        self._told: list[dict[str, object]] = []
        self._ids = model.tokens.tokenise([model.tokens.render(prompt)])[0].ids

    def complete(self) -> Completion:
        """Return the whole completion; raises as `pieces` does."""
        text = "".join(self.pieces())
        return chat.completion(text, self._finish_reason, self._usage(), self._told)

    def pieces(self) -> Iterator[str]:
        """Yield the text piece by piece, nothing of a stop string; booked once, whole or stopped.

        Raises:
            Cancelled: the caller stopped the work; seen at each layer.
            BudgetExhausted: the deadline passed, or calls or tokens ran out.
            ModelError: the prompt does not fit the context.
        """
        self._model.check_fits(self._ids, self._prompt.name)
        self._run.check()
        started = self._run.clock()
        try:
            yield from self._text()
        finally:
            self._seconds = self._run.clock() - started
            stop = self._finish_reason or "stopped"
            chat.book(self._run, model=self._model.model_id, prompt=self._prompt, usage=self._usage(), stop=stop)

    def _text(self) -> Iterator[str]:
        """Yield the text; what may be the beginning of a stop string waits for the next token."""
        ids: list[int] = []
        text, shown = "", 0
        waiting = max(map(len, self._sampling.stop), default=1) - 1
        for token, logprob in self._tokens():
            ids.append(token)
            before, text = text, self._model.tokens.text_of(ids).rstrip(_INCOMPLETE)
            stops = [at for stop in self._sampling.stop if (at := text.find(stop)) >= 0]
            text = text[: min(stops)] if stops else text
            if self._sampling.with_logprobs:
                self._told.append({"token": text[len(before) :], "logprob": logprob})
            if stops:
                self._finish_reason = "stop"
                break
            if (safe := len(text) - waiting) > shown:
                yield text[shown:safe]
                shown = safe
        if text[shown:]:
            yield text[shown:]

    def _tokens(self) -> Iterator[tuple[int, float]]:
        """Yield each token with its natural log until the model ends its turn or has no room."""
        room = min(self._sampling.max_tokens, self._model.context - len(self._ids))
        logits, node = self._begin()
        for number in range(room):
            token = self._draw(logits)
            self._completion_tokens += 1
            if token in self._model.ends:
                self._finish_reason = "stop"
                return
            yield token, float(torch.log_softmax(logits, dim=0)[token])
            if number + 1 < room:
                ids = np.append(node.ids, token)
                logits, new = self._read(Row(ids=ids, prefix=Prefix(node, len(node.ids)), keep=len(ids)))
                node = node.extended(new) if number else new
        self._finish_reason = "length"

    def _begin(self) -> tuple[torch.Tensor, Node]:
        ids, model = self._ids, self._model
        known = model.cache.longest(ids, most=len(ids) - 1, layers=model.layers)
        self._cached_tokens = known.length
        logits, node = self._read(Row(ids=ids, prefix=known, keep=len(ids)))
        if len(ids) - known.length >= SHARED_TOKENS:
            model.cache.add(node)
        return logits, node

    def _read(self, row: Row) -> tuple[torch.Tensor, Node]:
        """Return the logits after a row, shape (vocabulary,), and the node that holds it."""
        with held(self._model.lock, self._check):
            hidden, [node] = self._model.forward([row], check=self._check)
            return self._model.logits(hidden[0, -1:])[0], node

    def _check(self) -> None:
        chat.check_time(self._run)

    def _draw(self, logits: torch.Tensor) -> int:
        if self._sampling.temperature <= 0.0:
            return int(logits.argmax())
        weights = torch.softmax(logits.cpu() / self._sampling.temperature, dim=0)
        return int(torch.multinomial(weights, 1, generator=self._random))

    def _usage(self) -> Usage:
        return Usage(
            calls=1,
            prompt_tokens=len(self._ids),
            cached_tokens=self._cached_tokens,
            completion_tokens=self._completion_tokens,
            seconds=self._seconds,
        )
