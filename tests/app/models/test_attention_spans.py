from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tiny_causal import FAMILIES, HEADS, LAYERS, on_each, save_tiny_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from app.core.errors import ModelError
from app.core.run import Run
from app.core.types import Offsets, Prompt
from app.models.hf_causal import HFCausal, Options

PASSAGES = ["The rocket reached orbit. ", "Bread is baked in March. ", "Which passage? 日本 "]
fresh = count(64)  # equal loads share a cache; a load of its own has its own
SUFFIXES = ["\nQuery: Which rocket reached orbit?", "\nQuery: N/A", "x"]


def a_prefix() -> tuple[Prompt, list[Offsets]]:
    user, spans = "Read the passages.\n\n", []
    for passage in PASSAGES:
        spans.append((len(user), len(user) + len(passage)))
        user += passage
    return Prompt(name="test/attention", digest="d", system="Be brief.", user=user), spans


def opened(folder: Path, **options: object) -> HFCausal:
    return HFCausal(
        folder, Options.model_validate({"model": str(folder), "dtype": "float32", "device": "cpu"} | options)
    )


class Eager:
    """Attention as transformers gives it: the whole prompt, every layer's whole matrix."""

    def __init__(self, folder: Path) -> None:
        self.model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    def encoded(self, prefix: Prompt, suffix: str) -> tuple[list[int], NDArray[np.int64], int]:
        """Return token ids, their characters, and where the user's text begins."""
        user = {"role": "user", "content": prefix.user + suffix}
        messages = [{"role": "system", "content": prefix.system}, user]
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        found = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return found["input_ids"], np.array(found["offset_mapping"]), text.index(prefix.user)

    def ids(self, prefix: Prompt, suffix: str) -> list[int]:
        return self.encoded(prefix, suffix)[0]

    def spans(self, prefix: Prompt, suffix: str, spans: list[Offsets]) -> list[NDArray[np.float32]]:
        ids, offsets, start = self.encoded(prefix, suffix)
        with torch.no_grad():
            found = self.model(input_ids=torch.tensor([ids]), output_attentions=True).attentions
        own = offsets[:, 1] > start + len(prefix.user)
        weights = torch.cat(found)[:, :, own].mean(dim=2).reshape(LAYERS * HEADS, -1)
        inside = [(offsets[:, 0] < start + end) & (offsets[:, 1] > start + begin) for begin, end in spans]
        return [weights[:, torch.from_numpy(part)].numpy() for part in inside]


@pytest.mark.parametrize("cache_mib", [0, 64])
@pytest.mark.parametrize("family", FAMILIES)
def test_attention_is_that_of_a_plain_eager_pass(family: str, cache_mib: int, tiny_models: dict[str, Path]) -> None:
    prefix, spans = a_prefix()
    eager = Eager(tiny_models[family])
    found = opened(tiny_models[family], cache_mib=cache_mib).suffix_attention(
        prefix, suffixes=SUFFIXES, spans=spans, run=Run()
    )
    assert len(found) == len(SUFFIXES)
    for own, suffix in zip(found, SUFFIXES, strict=True):
        wanted = eager.spans(prefix, suffix, spans)
        assert [part.shape for part in own] == [part.shape for part in wanted]
        assert all(part.dtype == np.float32 for part in own)
        assert max(np.abs(part - right).max() for part, right in zip(own, wanted, strict=True)) < 1e-4


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_heads_that_share_keys_are_told_apart(kv_heads: int, tmp_path: Path) -> None:
    folder = save_tiny_model(tmp_path / "llama", "llama", num_key_value_heads=kv_heads)
    prefix, spans = a_prefix()
    [found] = opened(folder).suffix_attention(prefix, suffixes=SUFFIXES[:1], spans=spans[:1], run=Run())
    assert np.abs(found[0] - Eager(folder).spans(prefix, SUFFIXES[0], spans[:1])[0]).max() < 1e-4
    assert len({row.tobytes() for row in found[0]}) == LAYERS * HEADS


def test_all_spans_together_get_no_more_than_all_attention(tiny_models: dict[str, Path]) -> None:
    prefix, _ = a_prefix()
    [[found]] = opened(tiny_models["qwen2"]).suffix_attention(
        prefix, suffixes=SUFFIXES[:1], spans=[(0, len(prefix.user))], run=Run()
    )
    assert (found >= 0.0).all()
    assert (found.sum(axis=1) < 1.0).all()


def test_named_heads_come_in_the_order_they_were_named(tiny_models: dict[str, Path]) -> None:
    prefix, spans = a_prefix()
    reader = opened(tiny_models["qwen2"])
    [whole] = reader.suffix_attention(prefix, suffixes=SUFFIXES[:1], spans=spans, run=Run())
    heads = [(1, 3), (0, 0), (1, 0)]
    [named] = reader.suffix_attention(prefix, suffixes=SUFFIXES[:1], spans=spans, run=Run(), heads=heads)
    for all_heads, own in zip(whole, named, strict=True):
        assert np.allclose(own, all_heads[[1 * HEADS + 3, 0, 1 * HEADS]], atol=1e-6)


def test_layers_above_the_highest_named_head_are_not_computed(tiny_models: dict[str, Path]) -> None:
    prefix, spans = a_prefix()
    reader = opened(tiny_models["llama"], cache_mib=0)
    reader.first_token_logprobs([prefix], choices=["A"], run=Run())  # loads
    run, computed = Run(), {"Attention": 0, "MLP": 0}
    with (
        on_each("Attention", lambda: computed.update(Attention=computed["Attention"] + 1)),
        on_each("MLP", lambda: computed.update(MLP=computed["MLP"] + 1)),
    ):
        reader.suffix_attention(prefix, suffixes=SUFFIXES[:1], spans=spans, run=run, heads=[(1, 2), (0, 0)])
    # Two passes, prefix and suffix: layer 0 whole, layer 1 up to its attention.
    assert (run.ledger.total().calls, computed) == (2, {"Attention": 4, "MLP": 2})


def test_the_prefix_is_computed_once_and_kept(tiny_models: dict[str, Path]) -> None:
    prefix, spans = a_prefix()
    reader, eager = opened(tiny_models["qwen2"], cache_mib=next(fresh)), Eager(tiny_models["qwen2"])
    whole = [len(eager.ids(prefix, suffix)) for suffix in SUFFIXES]
    first, later = Run(), Run()
    reader.suffix_attention(prefix, suffixes=SUFFIXES, spans=spans, run=first)
    total = first.ledger.total()
    shared = (sum(whole) - (total.prompt_tokens - total.cached_tokens)) // (len(whole) - 1)
    assert total.prompt_tokens == sum(whole)
    assert 0 <= whole[2] - shared < 12  # all but the suffix, the end of the turn and the next one's beginning
    [[again, *_]] = reader.suffix_attention(prefix, suffixes=SUFFIXES[1:2], spans=spans, run=later)
    assert later.ledger.total().cached_tokens == shared
    assert np.abs(again - eager.spans(prefix, SUFFIXES[1], spans)[0]).max() < 1e-4


def test_what_few_layers_were_computed_for_is_computed_anew_for_all(tiny_models: dict[str, Path]) -> None:
    prefix, spans = a_prefix()
    reader, eager = opened(tiny_models["qwen2"], cache_mib=next(fresh)), Eager(tiny_models["qwen2"])
    reader.suffix_attention(prefix, suffixes=SUFFIXES, spans=spans, run=Run(), heads=[(0, 1)])
    [[found, *_]] = reader.suffix_attention(prefix, suffixes=SUFFIXES[:1], spans=spans, run=Run())
    assert np.abs(found - eager.spans(prefix, SUFFIXES[0], spans)[0]).max() < 1e-4


def test_a_span_may_be_empty_and_reach_the_end_of_the_prefix(tiny_models: dict[str, Path]) -> None:
    prefix, _ = a_prefix()
    end = len(prefix.user)
    # The prefix ends in a space that belongs to the token of the suffix' first word.
    spans, suffix = [(3, 3), (end - 1, end)], "Yes or No?"
    [found] = opened(tiny_models["qwen2"]).suffix_attention(prefix, suffixes=[suffix], spans=spans, run=Run())
    assert [part.shape for part in found] == [(LAYERS * HEADS, 0), (LAYERS * HEADS, 1)]
    assert np.abs(found[1] - Eager(tiny_models["qwen2"]).spans(prefix, suffix, spans)[1]).max() < 1e-4
    assert opened(tiny_models["qwen2"]).suffix_attention(prefix, suffixes=["x"], spans=[], run=Run()) == [[]]


@pytest.mark.parametrize("head", [(LAYERS, 0), (0, HEADS), (-1, 0)])
def test_a_head_that_does_not_exist_is_named(head: tuple[int, int], tiny_models: dict[str, Path]) -> None:
    prefix, spans = a_prefix()
    with pytest.raises(ModelError, match=r"has 3 layers of 4 heads, not \(layer, head\) \("):
        opened(tiny_models["qwen2"]).suffix_attention(prefix, suffixes=["x"], spans=spans, run=Run(), heads=[head])


def test_long_suffixes_are_read_in_parts(tiny_models: dict[str, Path]) -> None:
    prefix, spans = a_prefix()
    suffix = "Which rocket? " * 30  # more rows than are held at once
    [[found, *_]] = opened(tiny_models["qwen2"]).suffix_attention(prefix, suffixes=[suffix], spans=spans, run=Run())
    assert np.abs(found - Eager(tiny_models["qwen2"]).spans(prefix, suffix, spans)[0]).max() < 1e-4
