"""What the processor or GPU of this machine multiplies faster than float32."""

import torch


def is_bfloat16_fast(*, on_gpu: bool) -> bool:
    """Tell whether bfloat16 is multiplied in hardware made for it: by a GPU that has it, or by AMX tiles.

    Processors with the AVX-512 instructions for it alone gain nothing. 512 tokens took 1.5 times as long as in float32
    with a 135M model, single matrices of 0.5B and 1.5B models 1.7 times as long; MiniLM read 22 to 46 against 25 to 73
    passages/s (torch 2.13, 2 cores).
    """
    if on_gpu:
        return bool(torch.cuda.is_bf16_supported())
    return _supports("_is_amx_tile_supported")


def is_int8_fast() -> bool:
    """Tell whether the processor has instructions for sums of products of 8 bits (AVX-512 VNNI)."""
    return _supports("_is_vnni_supported")


def _supports(name: str) -> bool:
    return bool(getattr(torch.cpu, name, lambda: False)())  # private: absent in some versions
