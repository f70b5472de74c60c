"""Text that a causal model writes: the prompt is read once, then each token that is drawn, with those it entails."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from app.core.run import Run
from app.core.types import Completion, Prompt, Sampling, Usage
from app.models._common import chat
from app.models._common.causal_model import CausalModel
from app.models._common.forward_pass import Row
from app.models._common.prefix_cache import SHARED_TOKENS, Ids, Node, Prefix
from app.models._common.waiting import held

_INCOMPLETE = "\N{REPLACEMENT CHARACTER}"  # how the first bytes of a character are shown


class _Read(NamedTuple):
    """What a pass gave: logits after its last token, natural logs of the forced ones (0 unless asked for), its node."""

    logits: torch.Tensor
    told: list[float]
    node: Node


class Writer:
    """Writes one completion; the model is held for one pass at a time, so that others are served in between.

    A schema is enforced: what would break it is never drawn, and tokens that are the only way on are read in one pass,
    together. Logprobs are the model's own, before the schema rules tokens out.
    """

    def __init__(self, model: CausalModel, prompt: Prompt, sampling: Sampling, run: Run) -> None:
        self._model, self._prompt, self._sampling, self._run = model, prompt, sampling, run
        self._random = torch.Generator().manual_seed(run.seed)
        self._cached_tokens, self._completion_tokens, self._seconds = 0, 0, 0.0
        self._finish_reason = ""
        self._told: list[dict[str, object]] = []
        self._grammar = model.grammars.of(prompt)
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
            ModelError: the prompt does not fit the context, or the schema is too complex for the text.
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
        """Yield each token with its natural log until the reply is whole, or there is no room for more."""
        room = min(self._sampling.max_tokens, self._model.context - len(self._ids))
        forced = self._grammar.forced(room)
        read = self._begin(forced)
        while True:
            for token, logprob in zip(forced, read.told, strict=True):
                self._completion_tokens += 1
                yield token, logprob
            if self._is_over(room):
                return
            token = self._draw(self._grammar.masked(read.logits))
            self._completion_tokens += 1
            if token in self._model.ends:
                self._finish_reason = "stop"
                return
            yield token, float(torch.log_softmax(read.logits, dim=0)[token])
            self._grammar.take(token)
            forced = self._grammar.forced(room - self._completion_tokens)
            is_last = self._grammar.is_whole or self._completion_tokens + len(forced) == room
            read = self._go_on(read, token, forced, is_last=is_last)

    def _is_over(self, room: int) -> bool:
        """Tell whether the reply ends here, and note why."""
        if self._grammar.is_whole:
            self._finish_reason = "stop"
        elif self._completion_tokens >= room:
            self._finish_reason = "length"
        return bool(self._finish_reason)

    def _begin(self, forced: list[int]) -> _Read:
        """Read the prompt and what the reply begins with."""
        ids, model = self._ids, self._model
        known = model.cache.longest(ids, most=len(ids) - 1, layers=model.layers)
        self._cached_tokens = known.length
        read = self._read(np.append(ids, forced).astype(np.int64), known, forced)
        if len(ids) - known.length >= SHARED_TOKENS:
            model.cache.add(read.node)
        self._begun = read.node
        return read

    def _go_on(self, read: _Read, token: int, forced: list[int], *, is_last: bool) -> _Read:
        """Read the token drawn and those that must follow it; at the end only what they are to tell of themselves."""
        if is_last and not (forced and self._sampling.with_logprobs):
            return read._replace(told=[0.0] * len(forced))
        node = read.node
        new = self._read(np.append(node.ids, [token, *forced]), Prefix(node, len(node.ids)), forced)
        return new if node is self._begun else new._replace(node=node.extended(new.node))

    def _read(self, ids: Ids, known: Prefix, forced: list[int]) -> _Read:
        """Read what is not known of a sequence that ends with the forced tokens; one pass."""
        row = Row(ids=ids, prefix=known, keep=len(ids))
        told = [0.0] * len(forced)
        with held(self._model.lock, self._check):
            hidden, [node] = self._model.forward([row], check=self._check)
            if forced and self._sampling.with_logprobs:
                columns = torch.tensor(forced, device=hidden.device).unsqueeze(1)
                told = self._model.logprobs(hidden[0, -1 - len(forced) : -1], columns)[:, 0].tolist()
            return _Read(self._model.logits(hidden[0, -1:])[0], told, node)

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
