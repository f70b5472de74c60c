"""Keys and values of token sequences seen before, so that what several prompts begin with is computed once."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

SHARED_TOKENS = 32
"""Fewer tokens are computed again: one more pass over the weights costs as much."""

Ids = NDArray[np.int64]
KeysValues = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """What was computed for tokens `start` to the end of `ids`; for those before, its parent has it.

    Keys and values have shape (kv heads, tokens, head size), one pair for each layer that was computed.
    """

    ids: Ids
    start: int
    parent: "Node | None"
    layers: tuple[KeysValues, ...]

    @property
    def size(self) -> int:
        """Bytes of its own part."""
        return sum(keys.nbytes + values.nbytes for keys, values in self.layers)

    def extended(self, more: "Node") -> "Node":
        """Return one node in place of this one and a child that goes on where it ends."""
        pairs = zip(self.layers, more.layers, strict=True)
        layers = tuple(
            (torch.cat([keys, more_keys], dim=1), torch.cat([values, more_values], dim=1))
            for (keys, values), (more_keys, more_values) in pairs
        )
        return Node(ids=more.ids, start=self.start, parent=self.parent, layers=layers)


class Prefix(NamedTuple):
    """The first `length` tokens of a node's sequence; none without a node."""

    node: Node | None = None
    length: int = 0

    def keys_values(self, layer: int) -> KeysValues:
        """Return the keys and values of all its tokens at a layer, shape (kv heads, length, head size)."""
        pieces: list[KeysValues] = []
        node: Node | None = self.node
        end = self.length
        while node is not None:
            keys, values = node.layers[layer]
            pieces.append((keys[:, : end - node.start], values[:, : end - node.start]))
            end = node.start
            node = node.parent
        keys_pieces, values_pieces = zip(*pieces[::-1], strict=True)
        return torch.cat(keys_pieces, dim=1), torch.cat(values_pieces, dim=1)


NOTHING = Prefix()


class PrefixCache:
    """The nodes used last, within a bound of bytes; safe to use from several threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._nodes: OrderedDict[Node, None] = OrderedDict()
        self._lock = threading.Lock()

    def longest(self, ids: Ids, *, most: int, layers: int, more: Sequence[Node] = ()) -> Prefix:
        """Return the longest known beginning of a sequence, of at most `most` tokens, known in so many layers.

        It is looked for in the cache and in `more`, and counts as used. Cost: tokens times nodes.
        """
        with self._lock:
            found = longest(ids, [*more, *self._nodes], most=most, layers=layers)
            self._touch(found.node)
        return found

    def add(self, node: Node) -> None:
        """Keep a node; those used longest ago make room for it. A node beyond the bound is not kept."""
        with self._lock:
            if node.size > self._limit or node in self._nodes:
                return
            self._nodes[node] = None
            self._size += node.size
            self._touch(node)
            while self._size > self._limit:
                oldest, _ = self._nodes.popitem(last=False)
                self._size -= oldest.size

    def _touch(self, node: Node | None) -> None:
        """Note that a node was used, and its ancestors after it: a child is dropped before its parent."""
        while node is not None:
            if node in self._nodes:
                self._nodes.move_to_end(node)
            node = node.parent


def common(one: Ids, other: Ids) -> int:
    """Return how many tokens two sequences begin with alike."""
    shorter = min(len(one), len(other))
    differing = np.flatnonzero(one[:shorter] != other[:shorter])
    return int(differing[0]) if differing.size else shorter


def longest(ids: Ids, nodes: Iterable[Node], *, most: int, layers: int) -> Prefix:
    """Return the longest beginning of a sequence, of at most `most` tokens, that is known in so many layers."""
    best = NOTHING
    for node in nodes:
        if len(node.layers) >= layers and (length := min(common(node.ids, ids), most)) > best.length:
            best = Prefix(node, length)
    owner = best.node
    while owner is not None and owner.start >= best.length:
        owner = owner.parent
    return Prefix(owner, best.length)


def shared_prefixes(sequences: Sequence[Ids]) -> list[list[Ids]]:
    """Return what several of the sequences begin with alike, in rounds: a prefix stands after those it begins with.

    Where sequences part, they share one; it counts when it is `SHARED_TOKENS` longer than the one before it.
    """
    ordered = sorted(sequences, key=lambda ids: ids.astype(">i8").tobytes())
    parting = [one[: common(one, other)] for one, other in pairwise(ordered)]
    rounds: list[list[Ids]] = []
    for prefix in sorted({ids.tobytes(): ids for ids in parting}.values(), key=len):
        inner = [(len(ids), depth) for depth, round_ in enumerate(rounds) for ids in round_ if _begins(prefix, ids)]
        length, depth = max(inner, default=(0, -1))
        if len(prefix) - length >= SHARED_TOKENS:
            if depth + 1 == len(rounds):
                rounds.append([])
            rounds[depth + 1].append(prefix)
    return rounds


def _begins(ids: Ids, prefix: Ids) -> bool:
    return len(prefix) <= len(ids) and common(ids, prefix) == len(prefix)
