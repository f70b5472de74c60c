"""The prompt of in-context re-ranking and what a model's attention says of its passages (ICR, arXiv 2410.02642).

Passages are numbered, the best candidate last, next to the query; instruction and query come only after them, so that
everything before can be computed once for several queries.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.core.prompts import PromptTemplate, load_prompt
from app.core.types import Offsets, Prompt

Instruction = Literal["find", "answer"]
Head = tuple[int, int]

_SEPARATOR = "\n\n"
_DEVIATIONS = 2.0  # a token that lies lower than this below its passage's mean is left out


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendedPrompt:
    """Everything up to the instruction, where each text stands in `prefix.user`, and the rest, from there, per query.

    `spans` are in the order of the texts, characters, half-open, without their numbers; `suffixes` in that of the
    queries.
    """

    prefix: Prompt
    spans: tuple[Offsets, ...]
    suffixes: tuple[str, ...]


def template_of(instruction: Instruction) -> PromptTemplate:
    """Return the prompt file whose instruction is of that kind."""
    return load_prompt("rerankers", f"attention_{instruction}")


def attended_prompt(template: PromptTemplate, texts: Sequence[str], queries: Sequence[str]) -> AttendedPrompt:
    """Return the prompt of some texts, best first as given, and queries; both safe, one line each.

    Offsets are counted while it is built, so texts that are equal are not confused.
    """
    before, _, after = template.user.template.partition("$passages")
    at = len(before)
    parts, spans = [], []
    for number, text in enumerate(reversed(texts), start=1):
        marker = f"[{number}] "
        spans.append((at + len(marker), at + len(marker) + len(text)))
        parts.append(marker + text)
        at += len(parts[-1]) + len(_SEPARATOR)
    block = _SEPARATOR.join(parts)
    end = len(before) + len(block) + len(after) - len(after.lstrip())  # a full stop and blank lines may be one token
    whole = [template.render(passages=block, query=query) for query in queries]
    return AttendedPrompt(
        prefix=replace(whole[0], user=whole[0].user[:end]),
        spans=tuple(reversed(spans)),
        suffixes=tuple(prompt.user[end:] for prompt in whole),
    )


def attended_score(
    asked: NDArray[np.float32], content_free: NDArray[np.float32], *, length_normalised: bool = False
) -> float:
    """Return how much more a passage is attended to for the query than for one without content (ICR, section 3).

    Arrays have shape (heads, tokens). Per token c = the difference, summed over heads; tokens with
    c <= mean - 2 standard deviations (of the sample) are left out as abnormal; the score is the sum of the others, or
    their mean. NaN for a passage without tokens, or where attention is not finite.
    """
    per_token = (asked.astype(np.float64) - content_free.astype(np.float64)).sum(axis=0)
    if not per_token.size or not np.isfinite(per_token).all():
        return float("nan")
    kept = without_abnormal(per_token)
    return float(kept.mean() if length_normalised else kept.sum())


def without_abnormal(per_token: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values above mean - 2 standard deviations of the sample; all of them when they do not differ."""
    deviation = float(per_token.std(ddof=1)) if per_token.size > 1 else 0.0
    if deviation == 0.0:
        return per_token
    return np.asarray(per_token[per_token > per_token.mean() - _DEVIATIONS * deviation])
