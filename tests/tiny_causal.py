"""Tiny causal models with random weights and a real tokenizer, for tests of what reads a model; made in a second."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gguf
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    GraniteConfig,
    LlamaConfig,
    MistralConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

_CONFIGS = {"qwen2": Qwen2Config, "llama": LlamaConfig, "mistral": MistralConfig, "granite": GraniteConfig}
FAMILIES = ("qwen2", "llama", "mistral")
LAYERS, HEADS, KV_HEADS, POSITIONS = 3, 4, 2, 1024
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_CORPUS = ("The rocket reached orbit in March 1998. Answer Yes or No. Which passage is relevant? A B C D",) * 4


def tiny_tokenizer(template: str = TEMPLATE) -> PreTrainedTokenizerFast:
    """Return a byte-level BPE of about 330 tokens with a chat template."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(_CORPUS, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=template
    )


def tiny_config(family: str, vocabulary: int, **changes: Any) -> Any:
    """Return a family's configuration, grouped-query attention in three layers; weights large enough to differ."""
    return _CONFIGS[family](
        **{
            "vocab_size": vocabulary,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "num_key_value_heads": KV_HEADS,
            "max_position_embeddings": POSITIONS,
            "initializer_range": 0.3,
            "eos_token_id": 2,
            "bos_token_id": None,
            "pad_token_id": 0,
        }
        | changes
    )


def save_tiny_model(folder: Path, family: str = "qwen2", *, template: str = TEMPLATE, **changes: Any) -> Path:
    """Write a Hugging Face folder and return it; the same arguments give the same weights."""
    tokenizer = tiny_tokenizer(template)
    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_config(tiny_config(family, len(tokenizer), **changes))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_tiny_gguf(path: Path, folder: Path) -> Path:
    """Write the qwen2 model of a folder as a GGUF file of float32 tensors, and return the file."""
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), PreTrainedTokenizerFast.from_pretrained(folder)
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_block_count(LAYERS)
    writer.add_context_length(POSITIONS)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(64)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(model.config.rope_parameters["rope_theta"])
    _add_tokenizer(writer, tokenizer)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN2, LAYERS)
    for name, tensor in model.state_dict().items():
        base, kind = name.rsplit(".", 1)
        writer.add_tensor(f"{names.get_name(base)}.{kind}", tensor.float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@contextmanager
def on_each(kind: str, tell: Callable[[], object]) -> Iterator[None]:
    """Call `tell` before every module of a kind computes, such as `MLP` or `Attention`, whoever runs it."""

    def hook(module: torch.nn.Module, _given: Any) -> None:
        if type(module).__name__.endswith(kind):
            tell()

    handle = torch.nn.modules.module.register_module_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def _add_tokenizer(writer: Any, tokenizer: PreTrainedTokenizerFast) -> None:
    content = json.loads(tokenizer.backend_tokenizer.to_str())
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda pair: pair[1])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([token for token, _ in vocabulary])
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_token_types([control if token in SPECIAL else normal for token, _ in vocabulary])
    writer.add_token_merges([" ".join(pair) for pair in content["model"]["merges"]])
    writer.add_eos_token_id(2)
    writer.add_bos_token_id(0)
    writer.add_pad_token_id(0)
    writer.add_chat_template(TEMPLATE)
