"""Sentence vectors from a sentence-transformers folder on this disk; never asks the hub."""

import hashlib
import json
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.core.errors import ModelError
from app.core.protocols import Embedder
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from app.models import catalog
from app.models._common.hub import be_quiet_and_offline, first_line

_BATCHES_PER_CHECK = 8  # batches between two looks at the run; the library sorts texts by length within them
_LOWEST_COSINE = 0.99  # between bfloat16 and float32 vectors of the probes, else float32 is used
_PROBES = (
    "The crew of the station returned after 186 days in orbit.",
    "Who headed the agency when the second launch failed?",
    "A short note.",
    "In March 1998 the committee published a report of 214 pages about the causes of the accident and its costs.",
)


class Options(ComponentOptions):
    """Which folder is loaded and how it computes."""

    model: str = Field(default="all-minilm-l6-v2", description="name in the model catalogue, or path of a folder")
    batch_size: int = Field(default=64, ge=1, le=4096, description="texts computed at once")
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="number format; auto is bfloat16 where the processor multiplies it, else float32"
    )
    text_prefix: str = Field(default="", description="put before every text, for models trained with one")


class SentenceEmbedder:
    """Embeds texts and counts their tokens; the folder is loaded at the first call."""

    def __init__(self, folder: Path, options: Options, *, digest: str) -> None:
        self.dim, self.max_tokens = _read_sizes(folder)
        self.fingerprint = hashlib.sha256(f"sentence-1 {digest} {options.text_prefix!r}".encode()).hexdigest()
        self._folder = folder
        self._options = options
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str], *, run: Run) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dim), rows of norm 1; the run is checked every few batches.

        Raises:
            ModelError: the folder cannot be loaded.
        """
        run.check()
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        step = self._options.batch_size * _BATCHES_PER_CHECK
        for start in range(0, len(texts), step):
            run.check()
            chosen = [self._options.text_prefix + text for text in texts[start : start + step]]
            with self._lock:
                vectors[start : start + step] = _encode(self._model, chosen, self._options.batch_size)
        return vectors

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text with its prefix, special tokens included, nothing cut off."""
        if not texts:
            return []
        encodings = self._tokenizer.encode_batch([self._options.text_prefix + text for text in texts])
        return [len(encoding.ids) for encoding in encodings]

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _model(self) -> Any:
        be_quiet_and_offline()
        try:
            return _load(self._folder, self._options.dtype)
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"cannot load the embedder {self._folder}: {first_line(error)}") from error


def _read_sizes(folder: Path) -> tuple[int, int]:
    """Return length of a vector and longest text in tokens, from the folder's settings: weights are loaded later."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        limits = json.loads((folder / "sentence_bert_config.json").read_text(encoding="utf-8"))
        projections = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*_Dense/config.json")]
        dims = [int(projection["out_features"]) for projection in projections]
        return (dims or [int(config["hidden_size"])])[-1], int(limits["max_seq_length"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder} is no sentence-transformers folder: {first_line(error)}") from error


def _load(folder: Path, dtype: str) -> Any:
    """Return the model in the wanted number format, in float32 if the other one changes its vectors too much."""
    import torch
    from sentence_transformers import SentenceTransformer

    from app.models._common.processor import is_bfloat16_fast

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = SentenceTransformer(str(folder), device=device, local_files_only=True)
    model.eval()
    if dtype == "bfloat16" or (dtype == "auto" and is_bfloat16_fast(on_gpu=device == "cuda")):
        exact = _encode(model, list(_PROBES), len(_PROBES))
        model.bfloat16()
        if float((exact * _encode(model, list(_PROBES), len(_PROBES))).sum(axis=1).min()) < _LOWEST_COSINE:
            return SentenceTransformer(str(folder), device=device, local_files_only=True)
    return model


def _encode(model: Any, texts: list[str], batch_size: int) -> NDArray[np.float32]:
    found = model.encode(texts, batch_size=batch_size, show_progress_bar=False, convert_to_numpy=True)
    vectors: NDArray[np.float32] = np.asarray(found, dtype=np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return vectors


def build(options: Options, resources: Resources) -> Embedder:
    """Return the embedder; its folder is loaded at the first call."""
    folder = resources.model_file(options.model)
    return SentenceEmbedder(folder, options, digest=catalog.digest_of(options.model, folder))
