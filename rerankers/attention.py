"""Orders by the attention that a model pays to each passage when it reads the query, in one prompt of all of them.

ICR (Chen et al., ICLR 2025, arXiv 2410.02642): attention from the instruction and the query, less what a query without
content gets. Over all heads, a band of layers (Selective-ICR, arXiv 2602.22591), or heads found on labelled questions
(QRHead, arXiv 2506.09944; CoRe, arXiv 2510.02219).

Cost: one prompt of all candidates, read once, and two short endings: the query and N/A; nothing is written. No
prompt is batched with another, so the time grows with the candidates and their words.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from app.core.errors import ModelError
from app.core.protocols import AttentionReader, Reranker
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from app.core.types import Hit, Query
from rerankers._common.attended import Head, Instruction, attended_prompt, attended_score, template_of
from rerankers._common.cache import Remembered, key_of
from rerankers._common.head_files import heads_in
from rerankers._common.passages import CONTENT_FREE, WORDS, shown, shown_query
from rerankers._common.scoring import Pair, ScoredReranker

LAYERS = (0.25, 0.75)
"""Share of the model's depth that is read when nothing else is said; what lies above is not computed."""
_SHORTENINGS = 2  # times that the passages are halved when the prompt does not fit
_REMEMBERED = 256  # questions

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Options(ComponentOptions):
    """What the model reads, and which of its heads are listened to."""

    depth: int = Field(default=20, ge=1, le=1000, description="candidates that are reranked; the rest follow in order")
    words: int = Field(default=WORDS, ge=1, le=10_000, description="words of a passage that the model reads")
    layers: tuple[Share, Share] = Field(
        default=LAYERS, description="band of layers whose heads are summed, as shares of the depth from 0 to 1"
    )
    heads: Path | None = Field(
        default=None, description="file of heads that take the place of the layers, made by `rerankers detect-heads`"
    )
    instruction: Instruction = Field(
        default="find", description="what the model is asked: to find relevant passages, or to answer from them"
    )
    length_normalised: bool = Field(default=False, description="mean over a passage's tokens in place of their sum")

    @model_validator(mode="after")
    def _layers_are_a_band(self) -> "Options":
        if self.layers[0] >= self.layers[1]:
            raise ValueError(f"the layers from {self.layers[0]} to {self.layers[1]} are none; begin lower than the end")
        return self


class Attention:
    """Calibrated attention per passage, summed over the chosen heads; a positive number where the query adds to it."""

    def __init__(self, reader: AttentionReader, options: Options) -> None:
        self._reader = reader
        self._options = options
        self._heads = chosen_heads(reader, options)
        self._template = template_of(options.instruction)
        self._remembered: Remembered[NDArray[np.float64]] = Remembered(_REMEMBERED)

    def scores(self, pairs: Sequence[Pair], *, run: Run) -> list[NDArray[np.float64]]:
        """Return one array per pair, one number per candidate; one prompt per pair."""
        return [self._remembered_scores(query, hits, run) for query, hits in pairs]

    def _remembered_scores(self, query: Query, hits: Sequence[Hit], run: Run) -> NDArray[np.float64]:
        options = (self._heads, self._options.words, self._options.length_normalised)
        key = key_of(self._template.digest, query.text, hits, *options)
        return self._remembered.get_or_make(key, lambda: self._read(query, hits, run))

    def _read(self, query: Query, hits: Sequence[Hit], run: Run) -> NDArray[np.float64]:
        """Return the numbers; passages are halved when the model refuses the prompt, for it may be too long."""
        words = self._options.words
        for _ in range(_SHORTENINGS):
            try:
                return self._scores_of(query, hits, words, run)
            except ModelError:
                words = max(1, words // 2)
        return self._scores_of(query, hits, words, run)

    def _scores_of(self, query: Query, hits: Sequence[Hit], words: int, run: Run) -> NDArray[np.float64]:
        texts = [shown(hit.passage, words=words) for hit in hits]
        prompt = attended_prompt(self._template, texts, [shown_query(query.text), CONTENT_FREE])
        asked, content_free = self._reader.suffix_attention(
            prompt.prefix, suffixes=prompt.suffixes, spans=prompt.spans, run=run, heads=self._heads
        )
        normalised = self._options.length_normalised
        pairs = zip(asked, content_free, strict=True)
        return np.array([attended_score(a, free, length_normalised=normalised) for a, free in pairs])


def chosen_heads(reader: AttentionReader, options: Options) -> Sequence[Head] | None:
    """Return the heads that are summed, None for all of them.

    Raises:
        ConfigError: the file of heads cannot be used with this model.
    """
    if options.heads is not None:
        return heads_in(options.heads, reader)
    if options.layers == (0.0, 1.0):
        return None
    first = min(round(options.layers[0] * reader.layers), reader.layers - 1)
    end = max(round(options.layers[1] * reader.layers), first + 1)
    return tuple((layer, head) for layer in range(first, end) for head in range(reader.heads))


def build(options: Options, resources: Resources) -> Reranker:
    """Return the reranker.

    Raises:
        ConfigError: the file of heads cannot be used with this model.
    """
    scorer = Attention(resources.model_with(AttentionReader), options)
    return ScoredReranker(scorer, name="attention", depth=options.depth)
