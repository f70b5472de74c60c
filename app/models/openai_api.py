"""Any server that speaks the OpenAI chat protocol: vLLM, Ollama, llama.cpp, a cloud."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import numpy as np
import openai
import stamina
from numpy.typing import NDArray
from pydantic import Field

from app.core.errors import BudgetExhausted, ConfigError, MissingCapability, ModelError
from app.core.protocols import LanguageModel
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from app.core.settings import is_loopback
from app.core.types import Completion, Prompt, Sampling, Usage
from app.models._common import chat

_RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_LONGEST_WAIT_SECONDS = 8.0
_POLL_SECONDS = 0.1

T = TypeVar("T")


class Options(ComponentOptions):
    """Where the server is and how patiently it is asked; the key itself stays in the environment."""

    base_url: str = Field(default="http://127.0.0.1:8000/v1", description="address of the server, with its /v1")
    model: str = Field(description="name of the model at the server")
    api_key_env: str = Field(default="OPENAI_API_KEY", description="environment variable that holds the key, if any")
    timeout_seconds: float = Field(default=120.0, gt=0, description="longest wait for one answer, in seconds")
    max_retries: int = Field(default=2, ge=0, le=10, description="further tries after a failure that may pass")
    concurrency: int = Field(default=4, ge=1, le=64, description="requests under way at once")
    structured: Literal["json_schema", "json_object"] = Field(
        default="json_schema", description="how the server is told to write JSON; json_object enforces no schema"
    )
    continue_field: bool = Field(
        default=True,
        description="send continue_final_message with a prompt that begins the model's turn: vLLM needs it, OpenAI "
        "refuses it",
    )


class OpenAIModel:
    """Writes, streams and scores first tokens over HTTP; several prompts go out side by side."""

    def __init__(self, options: Options, *, api_key: str | None, offline: bool) -> None:
        host = urlsplit(options.base_url).hostname or ""
        if offline and not is_loopback(host):
            raise ConfigError(f"offline: openai_api would call {host}; take a server on this machine or llama_cpp")
        self.model_id = options.model
        self._options = options
        # The environment's proxy is not asked for this machine's own servers.
        transport = openai.DefaultHttpxClient(trust_env=not is_loopback(host))
        self._client = openai.OpenAI(
            base_url=options.base_url, api_key=api_key or "none", max_retries=0, http_client=transport
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
        """Return one completion per prompt, in order; at most `concurrency` requests run at once.

        Raises:
            ModelError: the server refused, broke off, or could not be reached in all tries.
        """
        return self._side_by_side(lambda prompt: self._complete(prompt, sampling, run), prompts, run)

    def stream(self, prompt: Prompt, *, sampling: Sampling, run: Run) -> Iterator[str]:
        """Yield the completion's text as it is written; closing the iterator ends the request.

        Raises:
            ModelError: the server refused, broke off, or could not be reached in all tries.
        """
        started, usage, reason = run.clock(), Usage(calls=1), "stopped"
        try:
            with self._errors(prompt, run), self._opened(prompt, sampling, run) as chunks:
                for chunk in chunks:
                    chat.check_time(run)
                    usage = _usage(chunk.usage, 0.0) if chunk.usage else usage
                    if chunk.choices:
                        reason = chunk.choices[0].finish_reason or reason
                        if piece := chunk.choices[0].delta.content:
                            yield piece
        finally:
            usage += Usage(seconds=run.clock() - started)
            chat.book(run, model=self.model_id, prompt=prompt, usage=usage, stop=reason)

    def first_token_logprobs(
        self, prompts: Sequence[Prompt], *, choices: Sequence[str], run: Run
    ) -> NDArray[np.float32]:
        """Return natural logs, shape (len(prompts), len(choices)); -inf below the 20 likeliest tokens.

        Raises:
            MissingCapability: the server gave no logprobs.
            ModelError: the server refused, broke off, or could not be reached in all tries.
        """
        scores = np.full((len(prompts), len(choices)), -np.inf, dtype=np.float32)
        found = self._side_by_side(lambda prompt: self._first_token(prompt, run), prompts, run)
        for row, alternatives in enumerate(found):
            scores[row] = chat.choice_logprobs(alternatives, choices)
        return scores

    def _side_by_side(self, ask: Callable[[Prompt], T], prompts: Sequence[Prompt], run: Run) -> list[T]:
        """Return one answer per prompt, in order; a stopped run does not wait for requests under way."""
        pool = ThreadPoolExecutor(self._options.concurrency)
        try:
            asked = [pool.submit(ask, prompt) for prompt in prompts]
            pending = set(asked)
            while pending:
                done, pending = wait(pending, timeout=_POLL_SECONDS, return_when=FIRST_EXCEPTION)
                if not done:
                    chat.check_time(run)
                for future in done:
                    future.result()
            return [future.result() for future in asked]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _complete(self, prompt: Prompt, sampling: Sampling, run: Run) -> Completion:
        choice, usage = self._ask(prompt, self._request(prompt, sampling, run), run)
        tokens = (choice.logprobs and choice.logprobs.content) or ()
        written = [token.model_dump() for token in tokens]
        # llama.cpp repeats the prefill where it does not stream.
        text = (choice.message.content or "").removeprefix(prompt.prefill)
        return chat.completion(text, choice.finish_reason, usage, written)

    def _first_token(self, prompt: Prompt, run: Run) -> list[dict[str, Any]]:
        request = self._request(prompt, Sampling(max_tokens=1), run)
        choice, _ = self._ask(prompt, request | {"logprobs": True, "top_logprobs": chat.TOP_LOGPROBS}, run)
        if choice.logprobs is None or not choice.logprobs.content:
            raise MissingCapability(
                f"no FirstTokenScorer in openai_api: {self.model_id} at {self._options.base_url} gave no logprobs; "
                "choose another server, model or component"
            )
        return [alternative.model_dump() for alternative in choice.logprobs.content[0].top_logprobs]

    def _request(self, prompt: Prompt, sampling: Sampling, run: Run) -> dict[str, Any]:
        structured = chat.json_schema_format(prompt)
        if structured and self._options.structured == "json_object":
            structured = {"response_format": {"type": "json_object"}}
        fields = chat.sampling_fields(sampling, run) | structured
        if (own := chat.prefill_fields(prompt)) and self._options.continue_field:
            fields |= {"extra_body": own}  # not of the OpenAI protocol
        return {"model": self.model_id, "messages": chat.messages(prompt), **fields}

    def _ask(self, prompt: Prompt, request: dict[str, Any], run: Run) -> tuple[Any, Usage]:
        """Return the answer's only choice and what it cost, after the call was booked."""
        started = run.clock()
        with self._errors(prompt, run):
            answer = self._tried(request, run)
        if not getattr(answer, "choices", None):
            raise ModelError(f"{self.model_id} at {self._options.base_url} sent no answer to prompt '{prompt.name}'")
        usage = _usage(answer.usage, run.clock() - started)
        stop = chat.stop_reason(answer.choices[0].finish_reason)
        chat.book(run, model=self.model_id, prompt=prompt, usage=usage, stop=stop)
        return answer.choices[0], usage

    def _tried(self, request: dict[str, Any], run: Run) -> Any:
        """Return the server's answer, asked again after failures that may pass, never beyond the deadline."""
        run.check()
        for attempt in stamina.retry_context(
            on=_may_pass,
            attempts=self._options.max_retries + 1,
            timeout=min(self._options.timeout_seconds, run.remaining_seconds()),
            wait_max=_LONGEST_WAIT_SECONDS,
        ):
            with attempt:
                chat.check_time(run)
                patience = min(self._options.timeout_seconds, run.remaining_seconds())
                return self._client.chat.completions.create(**request, timeout=patience)
        raise AssertionError("stamina returns or raises")

    @contextmanager
    def _opened(self, prompt: Prompt, sampling: Sampling, run: Run) -> Iterator[Any]:
        request = self._request(prompt, sampling, run)
        chunks = self._tried(request | {"stream": True, "stream_options": {"include_usage": True}}, run)
        try:
            yield chunks
        finally:
            chunks.close()

    @contextmanager
    def _errors(self, prompt: Prompt, run: Run) -> Iterator[None]:
        where = f"{self.model_id} at {self._options.base_url}"
        try:
            yield
        except openai.APITimeoutError as error:
            kind = ModelError if run.remaining_seconds() > 0 else BudgetExhausted
            raise kind(f"{where} did not answer prompt '{prompt.name}' in time") from error
        except openai.APIStatusError as error:
            raise ModelError(f"{where} answered {error.status_code}: {_reason(error)}") from error
        except (openai.APIConnectionError, openai.OpenAIError) as error:
            raise ModelError(f"{where} cannot be used: {_reason(error)}") from error
        except ValueError as error:
            raise ModelError(f"{where} sent what is no answer: {_reason(error)}") from error


def _may_pass(error: Exception) -> bool:
    if isinstance(error, openai.APIStatusError):
        return error.status_code in _RETRIED_STATUSES
    return isinstance(error, openai.APIConnectionError) and not isinstance(error, openai.APITimeoutError)


def _usage(found: Any, seconds: float) -> Usage:
    if found is None:
        return Usage(calls=1, seconds=seconds)
    details = getattr(found, "prompt_tokens_details", None)
    return Usage(
        calls=1,
        prompt_tokens=found.prompt_tokens,
        cached_tokens=getattr(details, "cached_tokens", None) or 0,
        completion_tokens=found.completion_tokens,
        seconds=seconds,
    )


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def build(options: Options, resources: Resources) -> LanguageModel:
    """Return the client; nothing is sent before the first call."""
    return OpenAIModel(options, api_key=os.environ.get(options.api_key_env), offline=resources.offline)
