"""Remembers what a model said of a query and passages, so that the same work is not paid for twice."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from app.core.types import Hit

V = TypeVar("V")


class Remembered(Generic[V]):
    """The newest `size` values by key; safe to use from several threads. A failure is not remembered."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[str, V] = OrderedDict()
        self._lock = threading.Lock()

    def get_or_make(self, key: str, make: Callable[[], V]) -> V:
        """Return the value of a key, made now if it is not known; two threads may make it at once."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        self.put(key, value)
        return value

    def get(self, key: str) -> V | None:
        """Return the value of a key, None if it is not known."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: str, value: V) -> None:
        """Remember a value as the newest; the oldest makes room."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self._size:
                self._values.popitem(last=False)


def key_of(prompt_digest: str, query: str, hits: Sequence[Hit], *more: object) -> str:
    """Return what names one question to the model: template, query, passages in their order, options.

    The model is not in it: a reranker has one model for its life.
    """
    parts = [prompt_digest, query, *(hit.passage.passage_id for hit in hits), *(repr(one) for one in more)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
