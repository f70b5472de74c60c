"""Vectors from hashed words and character trigrams: the same on every machine, no model file.

(Feature hashing with signs: Weinberger et al., ICML 2009, section 2.) Finds shared words and spellings, no meaning.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.core.protocols import Embedder
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run

_WORD = re.compile(r"\w+|[^\w\s]")
_TRIGRAM_WEIGHT = 0.3  # a word counts as much as a good three of its trigrams


class Options(ComponentOptions):
    """Size of the vectors and of the passages that are counted for them."""

    dim: int = Field(default=512, ge=16, le=65_536, description="length of a vector")
    max_tokens: int = Field(default=256, ge=16, le=8192, description="longest passage, in words and marks")


class HashingEmbedder:
    """Embeds by counting; a text without words gets the first unit vector."""

    def __init__(self, options: Options) -> None:
        self.dim = options.dim
        self.max_tokens = options.max_tokens
        self.fingerprint = hashlib.sha256(f"hashing-1 {options.dim} {_TRIGRAM_WEIGHT}".encode()).hexdigest()

    def embed(self, texts: Sequence[str], *, run: Run) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dim), rows of norm 1."""
        run.check()
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for number, text in enumerate(texts):
            for feature, weight in _features(text):
                place, sign = _slot(feature, self.dim)
                vectors[number, place] += sign * weight
        lengths = np.linalg.norm(vectors, axis=1)
        vectors[lengths == 0.0, 0] = 1.0
        lengths[lengths == 0.0] = 1.0
        vectors /= lengths[:, np.newaxis]
        return vectors

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of words and marks of each text."""
        return [len(_WORD.findall(text)) for text in texts]


def _features(text: str) -> Iterator[tuple[str, float]]:
    for word in re.findall(r"\w+", text.lower()):
        yield word, 1.0
        padded = f"<{word}>"
        for start in range(len(padded) - 2):
            yield padded[start : start + 3], _TRIGRAM_WEIGHT


@lru_cache(maxsize=100_000)
def _slot(feature: str, dim: int) -> tuple[int, float]:
    number = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "big")
    return (number >> 1) % dim, 1.0 if number & 1 else -1.0


def build(options: Options, resources: Resources) -> Embedder:
    """Return the embedder; it needs nothing."""
    return HashingEmbedder(options)
