"""Attention from the end of a prompt to spans of its beginning: the beginning is computed once for several ends.

(As Chen et al. read it for in-context re-ranking, arXiv 2410.02642, but without a second whole pass and without a full
attention matrix: only rows of the end are weighed, memory is heads times tokens of the prompt a layer.)
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from app.core.types import Offsets, Prompt
from app.models._common.causal_model import CausalModel
from app.models._common.forward_pass import Reading
from app.models._common.prefix_cache import common
from app.models._common.prompt_reader import Batch, Job, PromptReader

Head = tuple[int, int]

_NO_TOKENS = np.empty(0, dtype=np.int64)


def suffix_attention(
    model: CausalModel,
    reader: PromptReader,
    prefix: Prompt,
    suffixes: Sequence[str],
    spans: Sequence[Offsets],
    heads: Sequence[Head],
) -> list[list[NDArray[np.float32]]]:
    """Return per suffix and span the mean attention of the suffix' tokens, shape (heads, tokens of the span).

    A suffix goes on in the user's turn; the template's end of that turn and beginning of the model's belong to it.
    Tokens belong to a span when they overlap it, to the suffix when they cover any of it. Layers above the highest of
    `heads` are not computed.

    Raises:
        ModelError: prefix and suffix do not fit the context.
    """
    rendered = [model.tokens.render(replace(prefix, user=prefix.user + suffix)) for suffix in suffixes]
    tokens = model.tokens.tokenise(rendered)
    user = rendered[0].user[0]
    firsts = [own.beyond(user + len(prefix.user)) for own in tokens]
    shared = min([*firsts, *(common(tokens[0].ids, own.ids) for own in tokens)])
    places = [[own.within(user + start, user + end) for start, end in spans] for own in tokens]
    by_layer = {layer: sorted({head for its, head in heads if its == layer}) for layer, _ in heads}
    found: list[list[NDArray[np.float32]]] = [[] for _ in suffixes]

    def reading(batch: list[int]) -> Reading:
        columns = [np.concatenate([_NO_TOKENS, *places[place]]) for place in batch]
        return Reading(by_layer, [firsts[place] for place in batch], columns)

    def visit(batch: Batch) -> None:
        for number, place in enumerate(batch.places):
            weights = torch.stack([batch.read[number][head] for head in heads]).numpy()
            cuts = np.cumsum([len(own) for own in places[place]])[:-1]
            found[place] = np.split(weights, cuts, axis=1) if spans else []

    jobs = [Job(prompt=prefix, ids=own.ids, known=shared, keep=0) for own in tokens]
    reader.read(jobs, visit, shared=[[tokens[0].ids[:shared]]], reading=reading)
    return found
