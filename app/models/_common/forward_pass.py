"""One pass of rows through a model: known prefixes before them, keys and values kept, attention read on the way.

Everything happens inside the attention function that transformers calls at each layer (its AttentionInterface, to which
keyword arguments of the model's call are passed on), so no modelling file is copied and no mask or cache class of the
library is used.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from app.models._common.prefix_cache import NOTHING, Ids, KeysValues, Node, Prefix

NAME = "gnomon"
"""The attention implementation that models are loaded with."""

_QUERY_ROWS = 128  # rows of attention in memory at once


class Enough(Exception):
    """A signal: the last layer that is needed was read, the model stops here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A token sequence whose beginning may be known; keys and values of its first `keep` tokens are kept."""

    ids: Ids
    prefix: Prefix = NOTHING
    keep: int = 0

    @property
    def tail(self) -> Ids:
        """The tokens to compute."""
        return self.ids[self.prefix.length :]


class Reading:
    """Reads attention from each row's tokens `first` and later, mean over them, to its tokens at `places`.

    `heads` are those wanted of each layer; `found` has the rows by (layer, head).
    """

    def __init__(self, heads: Mapping[int, Sequence[int]], first: Sequence[int], places: Sequence[Ids]) -> None:
        self.found: list[dict[tuple[int, int], torch.Tensor]] = [{} for _ in first]
        self._heads = heads
        self._first = first
        self._places = places

    def read(self, layer: int, query: torch.Tensor, key: torch.Tensor, scaling: float, rows: "ForwardPass") -> None:
        """Add what a layer attends to; softmax in float32 over all tokens that a row sees."""
        if layer not in self._heads:
            return
        for number, found in enumerate(self.found):
            begin, end = self._first[number] - rows.known[number], rows.tails[number]
            seen = rows.seen(number)[begin:end]
            weights = _mean_attention(query[number, :, begin:end], key[number], scaling, seen)
            told = weights[:, rows.columns(number, self._places[number])].cpu()
            found.update({(layer, head): told[head] for head in self._heads[layer]})


class ForwardPass:
    """The state of one pass; `attend` is called once a layer, in order."""

    def __init__(
        self,
        rows: Sequence[Row],
        *,
        device: torch.device,
        check: Callable[[], None],
        stop_after: int | None = None,
        reading: Reading | None = None,
    ) -> None:
        self.known = [row.prefix.length for row in rows]
        self.tails = [len(row.tail) for row in rows]
        self._rows, self._check, self._stop_after, self._reading = rows, check, stop_after, reading
        self._device = device
        self._past = max(self.known)
        self._width = max(self.tails)
        self._mask = self._make_mask()
        self._kept: list[list[KeysValues]] = [[] for _ in rows]

    def inputs(self) -> dict[str, torch.Tensor]:
        """Return token ids and positions, shape (rows, longest tail), padded on the right with token 0."""
        ids = np.zeros((len(self._rows), self._width), dtype=np.int64)
        for number, row in enumerate(self._rows):
            ids[number, : self.tails[number]] = row.tail
        starts = torch.tensor(self.known).unsqueeze(1)
        positions = starts + torch.arange(self._width)
        return {"input_ids": torch.from_numpy(ids).to(self._device), "position_ids": positions.to(self._device)}

    def nodes(self) -> list[Node]:
        """Return a node for each row of which something was kept."""
        return [
            Node(ids=row.ids[: row.keep], start=row.prefix.length, parent=row.prefix.node, layers=tuple(kept))
            for row, kept in zip(self._rows, self._kept, strict=True)
            if kept
        ]

    def attend(
        self,
        sdpa: Callable[..., Any],
        module: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        **more: Any,
    ) -> Any:
        """Return the layer's attention output, shape (rows, tokens, heads, head size).

        Raises:
            Enough: this is the last layer that is needed.
        """
        self._check()
        layer = int(module.layer_idx)
        self._keep(key, value)
        if self._past:
            past_keys, past_values = self._before(layer, key)
            key, value = torch.cat([past_keys, key], dim=2), torch.cat([past_values, value], dim=2)
        if self._reading is not None:
            self._reading.read(layer, query, key, more["scaling"], self)
        if layer == self._stop_after:
            raise Enough
        return sdpa(module, query, key, value, self._mask, **more)

    def seen(self, number: int) -> torch.Tensor:
        """Return which keys each token of a row sees, shape (longest tail, longest prefix + longest tail)."""
        if self._mask is None:
            return self._triangle(self._width, self._past + self._width)
        return self._mask[min(number, len(self._mask) - 1), 0]

    def columns(self, number: int, places: Ids) -> torch.Tensor:
        """Return where the keys of a row's tokens stand: prefixes are padded to the longest one."""
        moved = np.where(places < self.known[number], places, places - self.known[number] + self._past)
        return torch.from_numpy(moved).to(self._device)

    def _make_mask(self) -> torch.Tensor | None:
        """Return what sees what, shape (rows or 1, 1, longest tail, all keys); None where it is the plain triangle."""
        alike = len(set(self.known)) == 1
        if not self._past or (alike and self._width == 1):
            return None
        known = torch.tensor(self.known[:1] if alike else self.known, device=self._device)
        before = torch.arange(self._past, device=self._device) < known.unsqueeze(1)
        own = self._triangle(self._width, self._width)
        before = before[:, None, None, :].expand(-1, 1, self._width, -1)
        return torch.cat([before, own.expand(len(known), 1, -1, -1)], dim=3)

    def _triangle(self, tokens: int, keys: int) -> torch.Tensor:
        """Return which of the keys each of the last tokens sees when it sees all before it and itself."""
        every = torch.ones(tokens, keys, dtype=torch.bool, device=self._device)
        return every.tril(diagonal=keys - tokens)

    def _before(self, layer: int, like: torch.Tensor) -> KeysValues:
        """Return keys and values of the prefixes, shape (rows, kv heads, longest prefix, head size)."""
        rows, heads, _, size = like.shape
        if all(row.prefix == self._rows[0].prefix for row in self._rows):
            keys, values = self._rows[0].prefix.keys_values(layer)
            return keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1)
        keys, values = like.new_zeros(rows, heads, self._past, size), like.new_zeros(rows, heads, self._past, size)
        for number, row in enumerate(self._rows):
            if row.prefix.length:
                own_keys, own_values = row.prefix.keys_values(layer)
                keys[number, :, : row.prefix.length] = own_keys
                values[number, :, : row.prefix.length] = own_values
        return keys, values

    def _keep(self, key: torch.Tensor, value: torch.Tensor) -> None:
        for number, row in enumerate(self._rows):
            if (new := row.keep - row.prefix.length) > 0:
                self._kept[number].append((key[number, :, :new].clone(), value[number, :, :new].clone()))


def _mean_attention(query: torch.Tensor, key: torch.Tensor, scaling: float, seen: torch.Tensor) -> torch.Tensor:
    """Return the mean over a row's tokens of their attention, shape (heads, keys).

    `query` has shape (heads, tokens, head size), `key` (kv heads, keys, head size): heads that follow one another share
    a kv head. `seen` has shape (tokens, keys).
    """
    heads, tokens, size = query.shape
    across = key.float().transpose(1, 2)
    total = torch.zeros(heads, key.shape[1], device=query.device)
    for start in range(0, tokens, _QUERY_ROWS):
        part = query[:, start : start + _QUERY_ROWS].float()
        scores = (part.reshape(len(key), -1, size) @ across).reshape(heads, part.shape[1], -1) * scaling
        scores.masked_fill_(~seen[start : start + _QUERY_ROWS], -torch.inf)
        total += torch.softmax(scores, dim=-1).sum(dim=1)
    return total / tokens


def _attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Any,
    forward_pass: ForwardPass | None = None,
    **more: Any,
) -> Any:
    """Return what the pass in hand makes of a layer; without one, plain scaled dot product attention."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    sdpa = ALL_ATTENTION_FUNCTIONS["sdpa"]
    if forward_pass is None:
        return sdpa(module, query, key, value, attention_mask, **more)
    return forward_pass.attend(sdpa, module, query, key, value, **more)


def register() -> None:
    """Make the implementation known to transformers."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, _attention)
