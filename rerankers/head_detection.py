"""Finds the attention heads that point at the passages a question needs: QRHead's mass, CoRe's contrast.

Each question costs one prompt of its candidates; a handful of questions is enough.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.core.errors import InvalidDataset
from app.core.protocols import AttentionReader
from app.core.run import Run
from app.core.types import Hit, PassageId, Query
from rerankers._common.attended import Head, Instruction, attended_prompt, template_of
from rerankers._common.head_files import HeadFile
from rerankers._common.passages import WORDS, shown, shown_query
from rerankers._common.read_models import digest_of

__all__ = ["Example", "HeadFile", "Method", "attention_mass", "best_heads", "contrast", "detect", "digest_of"]

Method = Literal["qrhead", "core"]
Example = tuple[Query, Sequence[Hit], frozenset[PassageId]]

TEMPERATURE = 0.1
"""Of CoRe's softmax: its authors' value for Llama and Phi; they take 0.001 for Mistral and Granite."""


def detect(
    reader: AttentionReader,
    examples: Iterable[Example],
    *,
    method: Method,
    top: int,
    run: Run,
    instruction: Instruction = "find",
    words: int = WORDS,
    temperature: float = TEMPERATURE,
) -> list[Head]:
    """Return the `top` heads as (layer, head) from 0, best first; ties by layer and head.

    An example is a question, its candidates and which of them it needs; one without such a candidate, or with nothing
    else, tells nothing and is left out. Candidates are shuffled by the run's seed, for a head that looks at the last
    passage whatever it says would else be found.

    Raises:
        InvalidDataset: no example tells anything.
    """
    score: Callable[[NDArray[np.float64], NDArray[np.bool_]], NDArray[np.float64]] = (
        attention_mass if method == "qrhead" else lambda mass, gold: contrast(mass, gold, temperature=temperature)
    )
    told = []
    for query, hits, needed in examples:
        order = list(hits)
        random.Random(f"{run.seed} {query.query_id}").shuffle(order)  # noqa: S311  # an order, no secret
        gold = np.array([hit.passage.passage_id in needed for hit in order], dtype=np.bool_)
        if gold.any() and not gold.all():
            told.append(score(_mass(reader, query, order, instruction, words, run), gold))
    if not told:
        raise InvalidDataset("no question has a relevant passage beside others among its candidates; no head is found")
    return best_heads(np.mean(told, axis=0), reader.heads, top=top)


def attention_mass(mass: NDArray[np.float64], gold: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return each head's attention on the passages needed, shape (heads,) (QRHead, arXiv 2506.09944, equation 1).

    `mass` has shape (heads, passages): attention from the query to a passage, summed over its tokens.
    """
    return np.asarray(mass[:, gold].sum(axis=1))


def contrast(
    mass: NDArray[np.float64], gold: NDArray[np.bool_], *, temperature: float = TEMPERATURE
) -> NDArray[np.float64]:
    """Return each head's softmax share of a needed passage against those not needed (CoRe, arXiv 2510.02219).

    Shapes as in `attention_mass`; with several needed passages the mean over them, each alone against the others.
    """
    others = mass[:, ~gold]
    shares = []
    for column in np.flatnonzero(gold):
        logits = np.column_stack([mass[:, column], others]) / temperature
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares.append(powers[:, 0] / powers.sum(axis=1))
    return np.asarray(np.mean(shares, axis=0))


def best_heads(scores: NDArray[np.float64], heads: int, *, top: int) -> list[Head]:
    """Return the `top` heads of the highest scores as (layer, head), ties by place; scores lie layer by layer."""
    best = np.argsort(-scores, kind="stable")[:top]
    return [(int(place) // heads, int(place) % heads) for place in best]


def _mass(
    reader: AttentionReader, query: Query, hits: Sequence[Hit], instruction: Instruction, words: int, run: Run
) -> NDArray[np.float64]:
    """Return attention from the query to each passage, shape (heads, passages), heads layer by layer."""
    texts = [shown(hit.passage, words=words) for hit in hits]
    prompt = attended_prompt(template_of(instruction), texts, [shown_query(query.text)])
    found = reader.suffix_attention(prompt.prefix, suffixes=prompt.suffixes, spans=prompt.spans, run=run)[0]
    return np.column_stack([span.sum(axis=1, dtype=np.float64) for span in found])
