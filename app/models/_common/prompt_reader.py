"""Prompts read in batches: what they share is computed once, what was computed before is not computed again."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from app.core.run import Run
from app.core.types import Prompt, Usage
from app.models._common import chat
from app.models._common.buckets import buckets
from app.models._common.causal_model import CausalModel
from app.models._common.forward_pass import Reading, Row
from app.models._common.prefix_cache import SHARED_TOKENS, Ids, Node, shared_prefixes
from app.models._common.waiting import held


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A prompt to read; of its tokens at most `known` may come from the cache, and the first `keep` go there."""

    prompt: Prompt
    ids: Ids
    known: int
    keep: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one pass computed: the places of its jobs, their rows, and hidden states, shape (rows, longest tail, width).

    Or, in place of hidden states, the attention that was read of each row, by (layer, head).
    """

    places: list[int]
    rows: list[Row]
    hidden: torch.Tensor
    read: list[dict[tuple[int, int], torch.Tensor]]


Visit = Callable[[Batch], None]


class PromptReader:
    """Reads the prompts of one call; its books count each prompt's tokens once, shared ones as cached."""

    def __init__(self, model: CausalModel, run: Run, *, batch_tokens: int, layers: int | None = None) -> None:
        self._model = model
        self._run = run
        self._batch_tokens = batch_tokens
        self._layers = layers or model.layers
        self._pins: list[Node] = []  # prefixes of this call: the cache may drop them meanwhile
        self._unclaimed = 0  # tokens of prefixes that are booked, though the prompts they belong to are not yet

    def read(
        self,
        jobs: Sequence[Job],
        visit: Visit,
        *,
        shared: Sequence[Sequence[Ids]] | None = None,
        reading: Callable[[list[int]], Reading] | None = None,
    ) -> None:
        """Compute every job and show each batch to `visit`, under the model's lock.

        `shared` are the prefixes that are computed first, in rounds, each over those before it; unset, all that the
        prompts begin with alike. `reading` makes what reads a batch's attention; there are no hidden states then.

        Raises:
            Cancelled: the caller stopped the work; seen at each layer of a batch.
            BudgetExhausted: the deadline passed, or calls or tokens ran out.
            ModelError: a prompt does not fit the context, or there is too little memory.
        """
        for job in jobs:
            self._model.check_fits(job.ids, job.prompt.name)
        for prefixes in shared_prefixes([job.ids for job in jobs]) if shared is None else shared:
            self._share(prefixes, jobs[0].prompt)
        rows = [self._row(job.ids, most=job.known, keep=job.keep) for job in jobs]
        for places in self._buckets(rows):
            chosen = [rows[place] for place in places]
            with self._in_line():
                usage = self._usage(chosen)
                own = reading(places) if reading else None
                hidden, nodes = self._compute(chosen, jobs[places[0]].prompt, usage, reading=own, is_whole=own is None)
                visit(Batch(places=places, rows=chosen, hidden=hidden, read=own.found if own else []))
                for node in nodes:
                    self._model.cache.add(node)

    def _share(self, prefixes: Sequence[Ids], prompt: Prompt) -> None:
        rows = [self._row(ids, most=len(ids), keep=len(ids)) for ids in prefixes]
        self._pins += [row.prefix.node for row in rows if row.prefix.node is not None]
        new = [row for row in rows if row.keep]
        for places in self._buckets(new):
            chosen = [new[place] for place in places]
            with self._in_line():
                tokens = sum(len(row.tail) for row in chosen)
                _, nodes = self._compute(chosen, prompt, Usage(prompt_tokens=tokens), is_whole=False)
                self._unclaimed += tokens
                self._pins += nodes
                for node in nodes:
                    self._model.cache.add(node)

    def _compute(
        self, rows: Sequence[Row], prompt: Prompt, usage: Usage, *, is_whole: bool, reading: Reading | None = None
    ) -> tuple[torch.Tensor, list[Node]]:
        """Return hidden states, if the pass is whole, and the nodes that were kept; booked, finished or stopped."""
        started, stop = self._run.clock(), "stopped"
        last = None if is_whole else self._layers - 1
        try:
            hidden, nodes = self._model.forward(rows, check=self._check, stop_after=last, reading=reading)
            stop = "stop"
        finally:
            usage += Usage(calls=1, seconds=self._run.clock() - started)
            chat.book(self._run, model=self._model.model_id, prompt=prompt, usage=usage, stop=stop)
        return hidden, nodes

    def _usage(self, rows: Sequence[Row]) -> Usage:
        """Return the tokens of prompts; those of shared prefixes were booked when they were computed."""
        tokens, known = sum(len(row.ids) for row in rows), sum(row.prefix.length for row in rows)
        taken = min(self._unclaimed, known)
        self._unclaimed -= taken
        return Usage(prompt_tokens=tokens - taken, cached_tokens=known - taken)

    def _row(self, ids: Ids, *, most: int, keep: int) -> Row:
        prefix = self._model.cache.longest(ids, most=most, layers=self._layers, more=self._pins)
        return Row(ids=ids, prefix=prefix, keep=keep if keep - prefix.length >= SHARED_TOKENS else 0)

    def _buckets(self, rows: Sequence[Row]) -> list[list[int]]:
        lengths = [len(row.tail) for row in rows]
        return buckets(lengths, [row.prefix.length for row in rows], limit=self._batch_tokens)

    def _check(self) -> None:
        chat.check_time(self._run)

    @contextmanager
    def _in_line(self) -> Iterator[None]:
        """Hold the model; another batch of the run is allowed."""
        with held(self._model.lock, self._check):
            self._run.check()
            yield
