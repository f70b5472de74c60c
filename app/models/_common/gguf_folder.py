"""A GGUF file → a Hugging Face folder beside it, made once: torch reads the one in a minute, the other in a second."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from app.core.errors import ModelError
from app.models._common.hub import be_quiet_and_offline, first_line
from app.models._common.waiting import POLL_SECONDS

VERSION = 1
"""Raised when the same file would give another folder."""

_BYTES_A_WEIGHT = 2  # bfloat16
_LEAST_BITS_A_WEIGHT = 4


def converted(path: Path, *, digest: str, check: Callable[[], None]) -> Path:
    """Return the folder of a file with that digest: safetensors in bfloat16, config and tokenizer.

    Made at the first call, which takes up to a minute and twice the folder's size in memory; another process that wants
    it waits, and `check` ends the wait by raising. A folder is whole or not there.

    Raises:
        ModelError: the file cannot be read, or the folder not written.
    """
    target = path.parent / f"{path.stem}.hf-{digest[:12]}-{VERSION}"
    if target.is_dir():
        return target
    with _disk_errors(path), _alone(path.parent / f".{target.name}.lock", check):
        if not target.is_dir():  # else another process made it
            staging = path.parent / f".{target.name}.staging"
            shutil.rmtree(staging, ignore_errors=True)  # of a process that was killed
            _convert(path, staging)
            staging.replace(target)
    return target


def _convert(path: Path, folder: Path) -> None:
    be_quiet_and_offline()
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    with _readable(path):
        source = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name, "local_files_only": True}
        tokenizer = AutoTokenizer.from_pretrained(**source)
        model = AutoModelForCausalLM.from_pretrained(
            **source, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
        )
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    for file in folder.iterdir():  # whoever may read the model may read its folder
        file.chmod(path.stat().st_mode & 0o777 | 0o600)


@contextmanager
def _alone(lock: Path, check: Callable[[], None]) -> Iterator[None]:
    own = FileLock(lock)
    while not own.is_locked:
        check()
        try:
            own.acquire(timeout=POLL_SECONDS)
        except Timeout:
            continue
    try:
        yield
    finally:
        own.release()


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, IndexError, NotImplementedError, RuntimeError, OSError) as error:
        raise ModelError(f"transformers cannot read {path}: {first_line(error)}") from error


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        need = path.stat().st_size * 8 * _BYTES_A_WEIGHT // _LEAST_BITS_A_WEIGHT // 10**6
        raise ModelError(
            f"cannot write the converted model: {error.strerror or error}; it needs about {need} MB in {path.parent}"
        ) from error
