"""A GGUF model in this process, through llama.cpp: the embedded default, right on every machine.

SEE: https://github.com/xorbitsai/xllamacpp (binding), https://github.com/ggml-org/llama.cpp (tools/server).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.core.errors import ModelError
from app.core.protocols import LanguageModel
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from app.core.types import Completion, Prompt, Sampling, Usage
from app.models._common import chat
from app.models._common.llama_server import Chunk, LlamaServer, Load, shared_server, useful_threads


class Options(ComponentOptions):
    """Which file is loaded and what it may use."""

    model: str = Field(
        default="qwen2.5-coder-1.5b-instruct-q4_k_m", description="name in the model catalogue, or path of a GGUF file"
    )
    context_tokens: int = Field(
        default=4096, ge=256, le=131_072, description="longest prompt and completion, in tokens"
    )
    threads: int | None = Field(
        default=None, ge=1, le=256, description="CPU threads; unset, one per physical core, at least two"
    )
    gpu_layers: int = Field(default=0, ge=-1, description="layers kept on a GPU; -1 leaves it to llama.cpp")
    cache_mib: int = Field(default=512, ge=0, description="memory for prompt prefixes seen before, in MiB")


@dataclass(slots=True)
class _Progress:
    """What is known of a request so far: enough to book it when it is stopped in the middle."""

    started: float
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    finish_reason: str | None = None
    tokens: list[dict[str, Any]] = field(default_factory=list)

    def take(self, chunk: Chunk) -> str:
        """Note the chunk's figures and return its text."""
        if timings := chunk.get("timings"):
            self.cached_tokens, self.completion_tokens = timings["cache_n"], timings["predicted_n"]
            self.prompt_tokens = timings["cache_n"] + timings["prompt_n"]
        if prefill := chunk.get("prompt_progress"):
            self.prompt_tokens, self.cached_tokens = prefill["processed"], prefill["cache"]
        if not (choices := chunk.get("choices")):
            return ""
        self.finish_reason = choices[0].get("finish_reason") or self.finish_reason
        for token in (choices[0].get("logprobs") or {}).get("content") or []:
            self.tokens.append(token)
        return choices[0].get("delta", {}).get("content") or ""

    def usage(self, now: float) -> Usage:
        return Usage(
            calls=1,
            prompt_tokens=self.prompt_tokens,
            cached_tokens=self.cached_tokens,
            completion_tokens=self.completion_tokens,
            seconds=now - self.started,
        )


class LlamaCpp:
    """Writes, streams and scores first tokens; loads its file at the first call, one copy per process."""

    def __init__(self, path: Path, options: Options, *, api_key: str | None = None) -> None:
        self.model_id = path.stem
        self._load = Load(
            path=path.resolve(),
            context_tokens=options.context_tokens,
            threads=options.threads or useful_threads(),
            gpu_layers=options.gpu_layers,
            cache_mib=options.cache_mib,
            api_key=api_key,
        )
        self._loaded: LlamaServer | None = None

    @property
    def listening_address(self) -> str:
        """URL of the model's OpenAI-compatible listener on this machine; it asks for the `api_key` given."""
        return self._server().listening_address

    def close(self) -> None:
        """Let go of the model; its memory is freed when nobody else holds it."""
        self._loaded = None

    def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
        """Return one completion per prompt, in order, one after the other.

        Raises:
            ModelError: the file cannot be loaded, or a prompt does not fit the context.
        """
        return [self._complete(prompt, sampling, run) for prompt in prompts]

    def stream(self, prompt: Prompt, *, sampling: Sampling, run: Run) -> Iterator[str]:
        """Yield the completion's text as it is written; closing the iterator stops the model.

        Raises:
            ModelError: the file cannot be loaded, or the prompt does not fit the context.
        """
        progress = _Progress(run.clock())
        yield from self._pieces(prompt, self._request(prompt, sampling, run), progress, run)

    def first_token_logprobs(
        self, prompts: Sequence[Prompt], *, choices: Sequence[str], run: Run
    ) -> NDArray[np.float32]:
        """Return natural logs, shape (len(prompts), len(choices)); -inf below the 20 likeliest tokens.

        Tokens are compared without the space before them. Cost: one prefill per prompt.

        Raises:
            ModelError: the file cannot be loaded, or a prompt does not fit the context.
        """
        scores = np.full((len(prompts), len(choices)), -np.inf, dtype=np.float32)
        for row, prompt in enumerate(prompts):
            progress = _Progress(run.clock())
            request = self._request(prompt, Sampling(max_tokens=1), run)
            request |= {"logprobs": True, "top_logprobs": chat.TOP_LOGPROBS}
            for _ in self._pieces(prompt, request, progress, run):
                pass
            alternatives = [other for token in progress.tokens for other in token["top_logprobs"]]
            scores[row] = chat.choice_logprobs(alternatives, choices)
        return scores

    def _server(self) -> LlamaServer:
        if self._loaded is None:
            self._loaded = shared_server(self._load)
        return self._loaded

    def _request(self, prompt: Prompt, sampling: Sampling, run: Run) -> dict[str, Any]:
        fields = chat.sampling_fields(sampling, run) | _grammar(prompt)
        return {"messages": chat.messages(prompt), **chat.prefill_fields(prompt), **fields}

    def _complete(self, prompt: Prompt, sampling: Sampling, run: Run) -> Completion:
        progress = _Progress(run.clock())
        text = "".join(self._pieces(prompt, self._request(prompt, sampling, run), progress, run))
        if prompt.schema is not None and not _may_be_json(text, is_whole=progress.finish_reason == "stop"):
            raise ModelError(f"the grammar of {self.model_id} does not know the schema of prompt '{prompt.name}'")
        return chat.completion(text, progress.finish_reason, progress.usage(run.clock()), progress.tokens)

    def _pieces(self, prompt: Prompt, request: dict[str, Any], progress: _Progress, run: Run) -> Iterator[str]:
        """Yield the pieces of one call and book it, whole or stopped."""
        run.check()
        server = self._server()
        try:
            for chunk in server.chunks(request, lambda: chat.check_time(run)):
                self._refuse(prompt, chunk)
                if piece := progress.take(chunk):
                    yield piece
        finally:
            stop = progress.finish_reason or "stopped"
            chat.book(run, model=self.model_id, prompt=prompt, usage=progress.usage(run.clock()), stop=stop)

    def _refuse(self, prompt: Prompt, chunk: Chunk) -> None:
        error = chunk.get("error")
        if error is None:
            return
        if "n_prompt_tokens" in error:
            raise ModelError(
                f"prompt '{prompt.name}' has {error['n_prompt_tokens']} tokens, {self.model_id} is loaded for "
                f"{error['n_ctx']}; ask for less or raise its option context_tokens"
            )
        raise ModelError(f"{self.model_id} refused prompt '{prompt.name}': {' '.join(str(error['message']).split())}")


def _grammar(prompt: Prompt) -> dict[str, Any]:
    """Return the field that holds the model to the prompt's schema without a token of white space.

    The server's own reading of a schema lets the model indent: 27 tokens where 17 do.
    """
    if prompt.schema is None:
        return {}
    compact = {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}
    return {"grammar": f"%llguidance {{}}\nstart: %json {json.dumps({**prompt.schema, 'x-guidance': compact})}"}


def _may_be_json(text: str, *, is_whole: bool) -> bool:
    """Tell whether a grammar can have written this: llama.cpp drops one it cannot compile without a word."""
    if not is_whole:
        return text[:1] in '{["-0123456789tfn'
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def build(options: Options, resources: Resources) -> LanguageModel:
    """Return the model; its file is loaded at the first call."""
    return LlamaCpp(resources.model_file(options.model), options)
