"""How many layers of how many heads a model has, read without loading its weights.

SEE: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (layout of a GGUF file).
"""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from app.core.errors import ModelError
from app.models._common.hub import first_line

# struct formats of GGUF's scalar types by number; 8 is a string, 9 an array.
_SCALARS = dict(enumerate(("B", "b", "H", "h", "I", "i", "f", "?"))) | {10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_LONGEST_STRING = 2**24  # what is longer is damage
_ARCHITECTURE = "general.architecture"
_DAMAGED = (OSError, ValueError, KeyError, TypeError, struct.error)


def shape_of(path: Path) -> tuple[int, int]:
    """Return layers and attention heads a layer of a GGUF file or of a Hugging Face folder.

    Raises:
        ModelError: it is neither.
    """
    try:
        return _shape_of_folder(path) if path.is_dir() else _shape_of_gguf(path)
    except _DAMAGED as error:
        raise ModelError(f"{path} is neither a GGUF file nor a Hugging Face folder: {first_line(error)}") from error


def _shape_of_folder(folder: Path) -> tuple[int, int]:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return int(config["num_hidden_layers"]), int(config["num_attention_heads"])


def _shape_of_gguf(path: Path) -> tuple[int, int]:
    """Return both figures; they stand before the vocabulary, which is not read."""
    found: dict[str, Any] = {}
    with path.open("rb") as stream:
        for key, value in _metadata(stream):
            found[key] = value
            names = [f"{found.get(_ARCHITECTURE)}.{name}" for name in ("block_count", "attention.head_count")]
            if all(name in found for name in names):
                return int(found[names[0]]), int(found[names[1]])
    raise ValueError("it does not tell its layers and heads")


def _metadata(stream: BinaryIO) -> Iterator[tuple[str, Any]]:
    if stream.read(4) != b"GGUF":
        raise ValueError("it does not begin with GGUF")
    _scalar(stream, "I")  # version
    _scalar(stream, "Q")  # tensors
    for _ in range(_scalar(stream, "Q")):
        yield _string(stream), _value(stream, _scalar(stream, "I"))


def _value(stream: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _string(stream)
    if kind == _ARRAY:
        inner, count = _scalar(stream, "I"), _scalar(stream, "Q")
        return [_value(stream, inner) for _ in range(count)]
    return _scalar(stream, _SCALARS[kind])


def _string(stream: BinaryIO) -> str:
    if (length := _scalar(stream, "Q")) > _LONGEST_STRING:
        raise ValueError(f"it names a text of {length} bytes")
    return stream.read(length).decode("utf-8", errors="replace")


def _scalar(stream: BinaryIO, form: str) -> Any:
    size = struct.calcsize(f"<{form}")
    return struct.unpack(f"<{form}", stream.read(size))[0]
