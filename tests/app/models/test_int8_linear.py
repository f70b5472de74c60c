"""Linear layers in 8 bits: how far they are from float32, and that a model made of them ranks as it did."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from app.core.run import Run
from app.core.types import Prompt
from app.models._common.int8_linear import InPieces, Int8Linear, round_linears
from app.models.hf_causal import HFCausal, Options

PASSAGES = ("The rocket reached orbit.", "A passage is relevant.", "Yes or No.")


def layer(inputs: int, outputs: int, *, bias: bool = True) -> nn.Linear:
    torch.manual_seed(inputs * 1000 + outputs)
    return nn.Linear(inputs, outputs, bias=bias)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 32), (7, 32), (2, 5, 32), (3, 1, 4, 32)])
def test_it_gives_what_the_layer_gives_within_two_per_cent(shape: tuple[int, ...], bias: bool) -> None:
    plain = layer(32, 48, bias=bias)
    inputs = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        wanted, found = plain(inputs), Int8Linear(plain)(inputs)
    assert found.shape == wanted.shape
    assert found.dtype == torch.float32
    assert (found - wanted).norm() < 0.02 * wanted.norm()


def test_a_token_with_a_huge_value_does_not_coarsen_its_neighbours() -> None:
    plain = layer(32, 48)
    inputs = torch.randn(4, 32, generator=torch.Generator().manual_seed(1))
    spiked = inputs.clone()
    spiked[2, 5] = 5000.0
    with torch.inference_mode():
        own = Int8Linear(plain)
        assert torch.equal(own(spiked)[[0, 1, 3]], own(inputs)[[0, 1, 3]])


def test_a_row_of_zeros_gives_the_bias() -> None:
    plain = layer(32, 48)
    with torch.inference_mode():
        assert torch.equal(Int8Linear(plain)(torch.zeros(1, 32))[0], plain.bias)


@given(scale=st.floats(min_value=1e-3, max_value=1e3))
def test_scaled_inputs_give_scaled_outputs(scale: float) -> None:
    plain = layer(32, 48, bias=False)
    inputs = torch.randn(3, 32, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        own = Int8Linear(plain)
        assert torch.allclose(own(inputs * scale), own(inputs) * scale, rtol=0.02, atol=0.02 * scale)


@pytest.mark.parametrize("tokens", [1, 256, 257, 700])
def test_in_pieces_a_module_gives_what_it_gives_at_once(tokens: int) -> None:
    plain = layer(8, 16)
    inputs = torch.randn(2, tokens, 8)
    with torch.inference_mode():
        assert torch.allclose(InPieces(plain)(inputs), plain(inputs), atol=1e-6)


def test_every_linear_layer_but_the_named_one_is_replaced_and_the_rest_is_float32() -> None:
    model = nn.Sequential(layer(8, 8), nn.Sequential(nn.LayerNorm(8), layer(8, 8)), layer(8, 16)).to(torch.bfloat16)
    head = model[2]
    round_linears(model, but=head)
    assert model[2] is head
    assert sum(isinstance(one, Int8Linear) for one in model.modules()) == 2
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_a_model_in_8_bits_finds_the_same_passage_likeliest(tiny_models: dict[str, Path]) -> None:
    prompts = [Prompt(name="test/ask", digest="d", system="", user=text) for text in PASSAGES]
    found = [
        [
            float(one.mean())
            for one in HFCausal(
                tiny_models["qwen2"],
                Options(model=str(tiny_models["qwen2"]), dtype=dtype, device="cpu"),
            ).token_logprobs(prompts, continuations=["relevant?"] * len(prompts), run=Run())
        ]
        for dtype in ("float32", "int8")
    ]
    assert found[1] == pytest.approx(found[0], abs=0.1)
    assert max(range(3), key=found[0].__getitem__) == max(range(3), key=found[1].__getitem__)
