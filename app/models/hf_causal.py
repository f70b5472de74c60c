"""A causal language model in this process, through torch: rerankers read its first tokens, likelihood and attention.

Prefill is what torch is fast at; for writing long texts llama_cpp is the better choice. A schema is enforced by a
grammar; what it leaves no choice for is read, not written. Qwen2, Llama and Mistral are tested; another family is
refused at load where its probabilities would be read wrongly.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.core.errors import ModelError
from app.core.protocols import LanguageModel
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from app.core.types import Completion, Offsets, Prompt, Sampling
from app.models import catalog
from app.models._common import chat
from app.models._common.model_shape import shape_of

if TYPE_CHECKING:  # torch takes seconds to import
    from app.models._common.causal_model import CausalModel
    from app.models._common.prompt_reader import PromptReader
    from app.models._common.writing import Writer


class Options(ComponentOptions):
    """Which weights are loaded, how they compute and what they may use."""

    model: str = Field(
        default="qwen2.5-coder-1.5b-instruct-q4_k_m",
        description="name in the model catalogue, or path of a GGUF file or of a Hugging Face folder",
    )
    dtype: Literal["auto", "float32", "bfloat16", "int8"] = Field(
        default="auto",
        description="number format; auto: bfloat16 on a GPU or with AMX, int8 with AVX-512 VNNI, else float32",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="where it computes; auto: a GPU if any")
    context_tokens: int = Field(default=16_384, ge=64, le=131_072, description="longest prompt, in tokens")
    batch_tokens: int = Field(default=4096, ge=64, le=1_048_576, description="tokens computed at once, with padding")
    cache_mib: int = Field(default=512, ge=0, description="memory for prompt prefixes seen before, in MiB")


class HFCausal:
    """Reads first tokens, likelihood and attention, and writes; loaded at the first call, one copy per process.

    A GGUF file is converted first, once, into a folder beside it that takes two bytes a weight. What prompts of one
    call begin with alike is computed once, what is in the prefix cache not at all; both are booked as cached tokens.
    """

    def __init__(self, path: Path, options: Options) -> None:
        self.model_id = path.name if path.is_dir() else path.stem
        self.layers, self.heads = shape_of(path)
        self._path = path
        self._options = options
        self._loaded: CausalModel | None = None

    @cached_property
    def digest(self) -> str:
        """SHA-256 that names the model's bytes; from the catalogue, else every byte is read."""
        return catalog.digest_of(self._options.model, self._path)

    def close(self) -> None:
        """Let go of the model; its memory is freed when nobody else holds it."""
        self._loaded = None

    def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
        """Return one completion per prompt, in order, one after the other.

        Raises:
            ModelError: the model cannot be loaded, a prompt does not fit the context, or its schema is no grammar.
        """
        return [self._writer(prompt, sampling, run).complete() for prompt in prompts]

    def stream(self, prompt: Prompt, *, sampling: Sampling, run: Run) -> Iterator[str]:
        """Yield the completion's text as it is written; closing the iterator stops the model.

        Raises:
            ModelError: the model cannot be loaded, the prompt does not fit the context, or its schema is no grammar.
        """
        yield from self._writer(prompt, sampling, run).pieces()

    def first_token_logprobs(
        self, prompts: Sequence[Prompt], *, choices: Sequence[str], run: Run
    ) -> NDArray[np.float32]:
        """Return natural logs, shape (len(prompts), len(choices)), never -inf.

        Of several tokens that say a choice, with or without space around it, the likeliest counts. Cost: one prefill of
        what is new in each prompt, in batches of like lengths.

        Raises:
            ModelError: a choice is no single token, the model cannot be loaded, or a prompt does not fit the context.
        """
        from app.models._common import probabilities

        run.check()
        model = self._model(run)
        return probabilities.first_tokens(model, self._reader(model, run), prompts, choices)

    def token_logprobs(
        self, prompts: Sequence[Prompt], *, continuations: Sequence[str], run: Run
    ) -> list[NDArray[np.float32]]:
        """Return natural logs of each continuation's tokens given its prompt, one array per pair.

        Prompt and continuation are tokenised together; a token across the boundary is one of the continuation's. Cost:
        one prefill of what is new in each pair, in batches of like lengths.

        Raises:
            ModelError: the model cannot be loaded, or prompt and continuation do not fit the context.
        """
        from app.models._common import probabilities

        run.check()
        model = self._model(run)
        return probabilities.likelihoods(model, self._reader(model, run), prompts, continuations)

    def suffix_attention(
        self,
        prefix: Prompt,
        *,
        suffixes: Sequence[str],
        spans: Sequence[Offsets],
        run: Run,
        heads: Sequence[tuple[int, int]] | None = None,
    ) -> list[list[NDArray[np.float32]]]:
        """Return, per suffix and span, attention from the suffix (mean over its tokens) to each token of the span.

        Arrays have shape (heads, tokens), in the order of `heads`, layer by layer without it. Spans are characters of
        the prefix' user text; a suffix goes on there and ends with the template's end of turn. Cost: one prefill of the
        prefix up to the highest layer named, if it is not known, and one of each suffix.

        Raises:
            ModelError: a head does not exist, the model cannot be loaded, or the prompt does not fit the context.
        """
        from app.models._common import attention_spans

        run.check()
        chosen = list(heads or [(layer, head) for layer in range(self.layers) for head in range(self.heads)])
        if wrong := [head for head in chosen if not (0 <= head[0] < self.layers and 0 <= head[1] < self.heads)]:
            raise ModelError(
                f"{self.model_id} has {self.layers} layers of {self.heads} heads, not (layer, head) {wrong[0]}"
            )
        if not suffixes:
            return []
        model = self._model(run)
        reader = self._reader(model, run, layers=max(layer for layer, _ in chosen) + 1)
        return attention_spans.suffix_attention(model, reader, prefix, suffixes, spans, chosen)

    def _model(self, run: Run) -> "CausalModel":
        if self._loaded is None:
            from app.models._common.causal_model import Load, shared_model
            from app.models._common.gguf_folder import converted

            def check() -> None:
                chat.check_time(run)

            is_folder = self._path.is_dir()
            load = Load(
                folder=self._path if is_folder else converted(self._path, digest=self.digest, check=check),
                model_id=self.model_id,
                dtype=self._options.dtype,
                device=self._options.device,
                context_tokens=self._options.context_tokens,
                cache_mib=self._options.cache_mib,
            )
            self._loaded = shared_model(load, check)
        return self._loaded

    def _reader(self, model: "CausalModel", run: Run, *, layers: int | None = None) -> "PromptReader":
        from app.models._common.prompt_reader import PromptReader

        return PromptReader(model, run, batch_tokens=self._options.batch_tokens, layers=layers)

    def _writer(self, prompt: Prompt, sampling: Sampling, run: Run) -> "Writer":
        from app.models._common.writing import Writer

        run.check()
        return Writer(self._model(run), prompt, sampling, run)


def build(options: Options, resources: Resources) -> LanguageModel:
    """Return the model; its weights are loaded at the first call."""
    return HFCausal(resources.model_file(options.model), options)
