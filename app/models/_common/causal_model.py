"""A causal model in memory: weights, tokenizer, prefix cache, and the lock that keeps its callers in line."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from app.core.errors import ModelError
from app.models._common import forward_pass, int8_linear, processor
from app.models._common.chat_tokens import ChatTokens
from app.models._common.forward_pass import Enough, ForwardPass, Reading, Row
from app.models._common.grammar import Grammars
from app.models._common.hub import be_quiet_and_offline, first_line
from app.models._common.prefix_cache import Ids, Node, Prefix, PrefixCache
from app.models._common.waiting import held

_PROBE_TOKENS, _PROBE_COLUMNS = 8, 256
_LARGEST_DEVIATION = 0.1  # of logits, relative; bfloat16 gives 0.01, a mechanism that does not fit 1 and more
_LOGIT_ROWS = 128  # rows of logits in memory at once: a vocabulary has up to 250,000 columns
_LOAD_ERRORS = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a model is loaded with; equal loads share one copy in memory."""

    folder: Path
    model_id: str
    dtype: str
    device: str
    context_tokens: int
    cache_mib: int


class CausalModel:
    """A loaded model; whoever calls `forward` or a function on its hidden states holds `lock`."""

    def __init__(self, load: Load) -> None:
        self.model_id = load.model_id
        self.lock = threading.Lock()
        self.cache = PrefixCache(load.cache_mib * 2**20)
        self.device = torch.device(_device(load.device))
        number_format = _format(load.dtype, self.device)
        with _loading_errors(load):
            self._model, tokenizer = _load(load.folder, number_format, self.device)
            self._head = self._model.get_output_embeddings()
            self.tokens = ChatTokens(tokenizer, model_id=load.model_id)
            self._check_family()
            if number_format == "int8":
                int8_linear.round_linears(self._model, but=self._head)
        self.ends = _end_tokens(self._model, tokenizer)
        vocabulary = len(self._head.weight)
        self.grammars = Grammars(self.tokens, ends=self.ends, vocabulary=vocabulary, model_id=load.model_id)
        self.layers = int(self._model.config.num_hidden_layers)
        self.context = min([load.context_tokens, *_limits(self._model.config)])
        self._asked = load.context_tokens

    @torch.inference_mode()
    def forward(
        self,
        rows: Sequence[Row],
        *,
        check: Callable[[], None],
        stop_after: int | None = None,
        reading: Reading | None = None,
    ) -> tuple[torch.Tensor, list[Node]]:
        """Return hidden states, shape (rows, longest tail, width), and a node for each row of which something is kept.

        With `stop_after` nothing is computed beyond that layer's keys and what is read of it: no hidden states then.
        `check` is called at each layer and ends the pass by raising.

        Raises:
            ModelError: there is too little memory.
        """
        own = ForwardPass(rows, device=self.device, check=check, stop_after=stop_after, reading=reading)
        try:
            hidden: torch.Tensor = self._model.base_model(
                **own.inputs(), use_cache=False, forward_pass=own
            ).last_hidden_state
        except Enough:
            hidden = torch.empty(0)
        except RuntimeError as error:
            raise ModelError(f"{self.model_id} cannot compute {len(rows)} texts: {first_line(error)}") from error
        return hidden, own.nodes()

    @torch.inference_mode()
    def logprobs(self, hidden: torch.Tensor, columns: torch.Tensor) -> NDArray[np.float32]:
        """Return natural logs of the tokens in `columns`, (rows, columns), given hidden states, (rows, width).

        Those tokens' logits are computed in float32: bfloat16 has steps of 0.06 to 0.125 where logits lie, so that
        letters would tie. The sum over the vocabulary, the same for all columns of a row, is not.
        """
        found = []
        for start in range(0, len(hidden), _LOGIT_ROWS):
            part, chosen = hidden[start : start + _LOGIT_ROWS], columns[start : start + _LOGIT_ROWS]
            everything = self.logits(part).logsumexp(dim=1, keepdim=True)
            found.append((self._chosen_logits(part, chosen) - everything).clamp(max=0.0))
        told: NDArray[np.float32] = torch.cat(found).cpu().numpy()
        return told

    @torch.inference_mode()
    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return logits of hidden states, shape (rows, vocabulary), float32."""
        logits: torch.Tensor = self._head(hidden)
        return logits.float()

    def check_fits(self, ids: Ids, name: str) -> None:
        """Return if a prompt fits the context.

        Raises:
            ModelError: it does not; with both numbers.
        """
        if len(ids) > self.context:
            raised = "" if self.context < self._asked else " or raise its option context_tokens"
            raise ModelError(
                f"prompt '{name}' has {len(ids)} tokens, {self.model_id} takes {self.context}; ask for less{raised}"
            )

    def _chosen_logits(self, hidden: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        found = torch.einsum("rw,rcw->rc", hidden.float(), self._head.weight[columns].float())
        return found if self._head.bias is None else found + self._head.bias[columns].float()

    @torch.inference_mode()
    def _check_family(self) -> None:
        """Return if logits read over a known prefix equal those of the model's own forward pass.

        Raises:
            ModelError: they differ: this family scales its logits, or does not let its attention be read.
        """
        ids = np.arange(_PROBE_TOKENS, dtype=np.int64) + 1
        half = _PROBE_TOKENS // 2
        _, nodes = self.forward([Row(ids=ids[:half], keep=half)], check=lambda: None)
        known = Prefix(nodes[0], half) if nodes else Prefix()  # none: its attention is not called as others' is
        hidden, _ = self.forward([Row(ids=ids, prefix=known)], check=lambda: None)
        inputs = torch.from_numpy(ids).unsqueeze(0).to(self.device)
        wanted = self._model(input_ids=inputs, use_cache=False).logits[:, -1].float()
        columns = torch.arange(wanted.shape[1], device=self.device)[None, :: max(1, wanted.shape[1] // _PROBE_COLUMNS)]
        wanted = wanted.gather(1, columns)
        found = self._chosen_logits(hidden[:, -1], columns)
        fits = bool((found - wanted).norm() <= _LARGEST_DEVIATION * (wanted - wanted.mean()).norm())
        if not (nodes and fits):
            family = type(self._model).__name__
            raise ModelError(f"{self.model_id} is a {family}, whose probabilities cannot be read here; choose another")


_loaded: "WeakValueDictionary[Load, CausalModel]" = WeakValueDictionary()
_loading = threading.Lock()


def shared_model(load: Load, check: Callable[[], None]) -> CausalModel:
    """Return the model in memory, loaded at the first call and shared by all that hold it.

    Raises:
        ModelError: it cannot be loaded.
    """
    with held(_loading, check):
        model = _loaded.get(load)
        if model is None:
            model = _loaded[load] = CausalModel(load)
        return model


def _device(wanted: str) -> str:
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ModelError("there is no CUDA device; set the option device to auto or cpu")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def _format(wanted: str, device: torch.device) -> str:
    """Return the number format; `auto` is the one that is computed fastest here.

    Raises:
        ModelError: 8 bits are wanted of a GPU.
    """
    on_gpu = device.type == "cuda"
    if wanted == "int8" and on_gpu:
        raise ModelError("int8 is for the processor; set the option dtype to auto, or device to cpu")
    if wanted != "auto":
        return wanted
    if processor.is_bfloat16_fast(on_gpu=on_gpu):
        return "bfloat16"
    return "int8" if processor.is_int8_fast() and not on_gpu else "float32"


def _load(folder: Path, number_format: str, device: torch.device) -> tuple[Any, Any]:
    be_quiet_and_offline()
    from transformers import AutoModelForCausalLM, AutoTokenizer

    forward_pass.register()
    tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    dtype = torch.float32 if number_format == "float32" else torch.bfloat16
    model = AutoModelForCausalLM.from_pretrained(
        str(folder), dtype=dtype, attn_implementation=forward_pass.NAME, local_files_only=True
    )
    return model.eval().requires_grad_(requires_grad=False).to(device), tokenizer


def _limits(config: Any) -> list[int]:
    """Return the most tokens that a model takes: all its positions, and no more than every layer sees."""
    named = (getattr(config, name, None) for name in ("max_position_embeddings", "sliding_window"))
    return [int(limit) for limit in named if limit]


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    ends = model.generation_config.eos_token_id
    told = ends if isinstance(ends, list) else [ends]
    return frozenset(int(one) for one in (*told, tokenizer.eos_token_id) if one is not None)


@contextmanager
def _loading_errors(load: Load) -> Iterator[None]:
    try:
        yield
    except _LOAD_ERRORS as error:
        raise ModelError(f"cannot load {load.model_id} from {load.folder}: {first_line(error)}") from error
