"""What every chat backend shares: the request's messages, the end of a run in the middle of a call, the books."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.core.errors import BudgetExhausted, Cancelled
from app.core.ledger import ModelCall
from app.core.run import Run
from app.core.types import Completion, Prompt, Sampling, Usage

TOP_LOGPROBS = 20
"""Alternatives asked for at the first token: the most that OpenAI-compatible servers give."""


def messages(prompt: Prompt) -> list[dict[str, str]]:
    """Return the system message, if there is one, the user's, and what the model's own begins with, if it is given."""
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    begun = [{"role": "assistant", "content": prompt.prefill}] if prompt.prefill else []
    return [*system, {"role": "user", "content": prompt.user}, *begun]


def prefill_fields(prompt: Prompt) -> dict[str, Any]:
    """Return the fields that make vLLM and llama.cpp go on with a last message of the model, if there is one."""
    return {"continue_final_message": True, "add_generation_prompt": False} if prompt.prefill else {}


def sampling_fields(sampling: Sampling, run: Run) -> dict[str, Any]:
    """Return the fields of a chat request that say how the completion is drawn."""
    fields: dict[str, Any] = {
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "seed": run.seed,
    }
    fields |= {"stop": list(sampling.stop)} if sampling.stop else {}
    return fields | ({"logprobs": True, "top_logprobs": 1} if sampling.with_logprobs else {})


def json_schema_format(prompt: Prompt) -> dict[str, Any]:
    """Return the `response_format` field by which the backend's grammar enforces the prompt's schema, if it has one."""
    if prompt.schema is None:
        return {}
    schema = {"name": "output", "schema": dict(prompt.schema), "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def check_time(run: Run) -> None:
    """Return while a call that already runs may go on; its own tokens are booked only when it ends.

    Raises:
        Cancelled: the caller stopped the work.
        BudgetExhausted: the deadline passed.
    """
    if run.cancelled():
        raise Cancelled("stopped by the caller")
    if run.remaining_seconds() <= 0:
        raise BudgetExhausted("the deadline passed while the model was writing")


def book(run: Run, *, model: str, prompt: Prompt, usage: Usage, stop: str) -> None:
    """Record one call in the run's ledger."""
    run.ledger.record(ModelCall(model=model, purpose=prompt.name, prompt_digest=prompt.digest, usage=usage, stop=stop))


def stop_reason(finish_reason: str | None) -> Literal["stop", "length"]:
    """Return why the model ended, in our words."""
    return "length" if finish_reason == "length" else "stop"


def completion(
    text: str, finish_reason: str | None, usage: Usage, tokens: Iterable[Mapping[str, Any]] = ()
) -> Completion:
    """Return what came back as our record; `tokens` are `{token, logprob}` as the server wrote them."""
    logprobs = tuple((str(token["token"]), float(token["logprob"])) for token in tokens)
    return Completion(text=text, stop=stop_reason(finish_reason), usage=usage, logprobs=logprobs)


def choice_logprobs(alternatives: Sequence[Mapping[str, Any]], choices: Sequence[str]) -> NDArray[np.float32]:
    """Return the best natural log of each choice among `{token, logprob}`, tokens stripped; -inf where none matches.

    A choice of several tokens is never found: choose marks that are one token, such as `A` or `1`.
    """
    best: dict[str, float] = {}
    for alternative in alternatives:
        token, logprob = str(alternative["token"]).strip(), float(alternative["logprob"])
        best[token] = max(logprob, best.get(token, -np.inf))
    return np.array([best.get(choice.strip(), -np.inf) for choice in choices], dtype=np.float32)
