"""A cross-encoder from a sentence-transformers folder on this disk: one score for a query and a text read together."""

import json
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.core.errors import ConfigError, ModelError
from app.core.ledger import ModelCall
from app.core.protocols import PairScorer
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from app.core.types import Usage
from app.models._common.hub import be_quiet_and_offline, first_line

_BATCHES_PER_CHECK = 4  # batches between two looks at the run; the library sorts texts by length within them


class Options(ComponentOptions):
    """Which folder is loaded and how much is computed at once."""

    model: str = Field(default="", description="path of a folder, or name in the model catalogue; must be set")
    batch_size: int = Field(default=32, ge=1, le=4096, description="pairs computed at once")


class CrossEncoder:
    """Scores pairs with the model's own logits; the folder is loaded at the first call, in float32.

    No sigmoid is put on them: it keeps the order, and what is near 1 becomes equal.
    """

    def __init__(self, folder: Path, options: Options) -> None:
        _check(folder)
        self.model_id = folder.name
        self._folder = folder
        self._options = options
        self._lock = threading.Lock()

    def score(self, query: str, texts: Sequence[str], *, run: Run) -> NDArray[np.float32]:
        """Return one logit per text, shape (len(texts),), higher is better; the run is checked every few batches.

        A pair that is longer than the model reads is cut. Booked as one call.

        Raises:
            ModelError: the folder cannot be loaded.
        """
        run.check()
        started, tokens = run.clock(), 0
        scores = np.zeros(len(texts), dtype=np.float32)
        step = self._options.batch_size * _BATCHES_PER_CHECK
        try:
            for start in range(0, len(texts), step):
                run.check()
                pairs = [(query, text) for text in texts[start : start + step]]
                with self._lock:
                    scores[start : start + step] = self._logits(pairs)
                    tokens += self._tokens(pairs)
        finally:
            usage = Usage(calls=1, prompt_tokens=tokens, seconds=run.clock() - started)
            run.ledger.record(ModelCall(model=self.model_id, purpose="PairScorer", prompt_digest="", usage=usage))
        return scores

    def _logits(self, pairs: list[tuple[str, str]]) -> NDArray[np.float32]:
        from torch.nn import Identity

        found = self._model.predict(
            pairs, batch_size=self._options.batch_size, show_progress_bar=False, activation_fn=Identity()
        )
        return np.asarray(found, dtype=np.float32)

    def _tokens(self, pairs: list[tuple[str, str]]) -> int:
        longest = self._model.max_seq_length
        encoded = self._model.tokenizer(pairs, truncation=True, max_length=longest)["input_ids"]
        return sum(len(ids) for ids in encoded)

    @cached_property
    def _model(self) -> Any:
        be_quiet_and_offline()
        import sentence_transformers
        import torch
        from safetensors import SafetensorError

        device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            return sentence_transformers.CrossEncoder(str(self._folder), device=device, local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(f"cannot load the cross-encoder {self._folder}: {first_line(error)}") from error


def _check(folder: Path) -> None:
    """Return if the folder's settings are those of a model with one output; its weights are loaded later.

    Raises:
        ModelError: they are not.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        is_classifier = str(config["architectures"][0]).endswith("ForSequenceClassification")
        labels = len(config.get("id2label", "01"))  # the library leaves its default of two labels out
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise ModelError(f"{folder} is no CrossEncoder folder: {first_line(error)}") from error
    if is_classifier and labels != 1:
        raise ModelError(f"{folder} has {labels} outputs; a reranker needs a model with one")


def build(options: Options, resources: Resources) -> PairScorer:
    """Return the scorer; its folder is loaded at the first call.

    Raises:
        ConfigError: no model is named, or neither catalogue nor disk has it.
        ModelError: it is no cross-encoder.
    """
    if not options.model:
        raise ConfigError("a cross-encoder needs a model: set the option `model` to the path of its folder")
    return CrossEncoder(resources.model_file(options.model), options)
