"""Asks the model for one JSON object and checks its shape; the backend's grammar has already held it to the schema."""

import math
import re
from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from agents.state import Tools
from app.core.errors import UnparsableOutput
from app.core.types import Completion, Prompt, Sampling

T = TypeVar("T", bound=BaseModel)


def ask(tools: Tools, prompt: Prompt, *, shape: type[T], max_tokens: int) -> T:
    """Return the model's reply as a record of that shape; one model call.

    Raises:
        UnparsableOutput: the reply is cut off or of another shape; carries the raw text.
    """
    return _parsed(prompt, _completed(tools, prompt, Sampling(max_tokens=max_tokens)), shape)


def ask_all(
    tools: Tools, prompts: Sequence[Prompt], *, shape: type[T], field: str, max_tokens: int
) -> list[tuple[T, float | None]]:
    """Return each prompt's reply and how sure the model was of one text field, see `confidence_in`; in one batch.

    Raises:
        UnparsableOutput: as `ask`.
    """
    if not prompts:
        return []
    sampling = Sampling(max_tokens=max_tokens, with_logprobs=True)
    completions = tools.model.generate(prompts, sampling=sampling, run=tools.run)
    return [
        (_parsed(prompt, completion, shape), confidence_in(completion, field))
        for prompt, completion in zip(prompts, completions, strict=True)
    ]


def ask_with_confidence(
    tools: Tools, prompt: Prompt, *, shape: type[T], field: str, max_tokens: int
) -> tuple[T, float | None]:
    """Return one reply as `ask_all` does."""
    [reply] = ask_all(tools, [prompt], shape=shape, field=field, max_tokens=max_tokens)
    return reply


def confidence_in(completion: Completion, field: str) -> float | None:
    """Return the probability, 0 to 1, of the tokens of a text field's value where the model first wrote that value.

    It is the product over the tokens (Jurayj et al., arXiv 2502.13962, section 3): once the sentence before the field
    holds the words, repeating them is no decision any more. None where the backend told no probabilities.
    """
    value = re.search(rf'"{field}"\s*:\s*"((?:[^"\\]|\\.)+)"', completion.text)
    if not value or not completion.logprobs:
        return None
    first = re.search(rf"(?<!\w){re.escape(value[1])}(?!\w)", completion.text) or value
    start, end = first.span() if first is not value else value.span(1)
    place, total = 0, 0.0
    for token, logprob in completion.logprobs:
        if place < end and place + len(token) > start:
            total += logprob
        place += len(token)
    return math.exp(min(total, 0.0))


def _completed(tools: Tools, prompt: Prompt, sampling: Sampling) -> Completion:
    [completion] = tools.model.generate([prompt], sampling=sampling, run=tools.run)
    return completion


def _parsed(prompt: Prompt, completion: Completion, shape: type[T]) -> T:
    try:
        return shape.model_validate_json(completion.text)
    except ValidationError as error:
        problem = error.errors()[0]["msg"]
        raise UnparsableOutput(
            f"the reply to '{prompt.name}' is not as asked: {problem}", raw=completion.text
        ) from error
