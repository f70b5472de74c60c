import shutil
import threading
from pathlib import Path

import pytest
from filelock import FileLock
from tiny_causal import HEADS, LAYERS, save_tiny_gguf

from app.core.errors import Cancelled, ModelError
from app.models._common.gguf_folder import converted
from app.models._common.model_shape import shape_of


@pytest.fixture(scope="module")
def gguf_file(tmp_path_factory: pytest.TempPathFactory, tiny_models: dict[str, Path]) -> Path:
    return save_tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf", tiny_models["qwen2"])


@pytest.fixture
def own_file(tmp_path: Path, gguf_file: Path) -> Path:
    return Path(shutil.copy(gguf_file, tmp_path / "tiny.gguf"))


def go_on() -> None:
    return None


def stop() -> None:
    raise Cancelled("stopped by the caller")


def test_layers_and_heads_are_read_without_weights(gguf_file: Path, tiny_models: dict[str, Path]) -> None:
    assert shape_of(gguf_file) == (LAYERS, HEADS)
    assert {shape_of(folder) for folder in tiny_models.values()} == {(LAYERS, HEADS)}


@pytest.mark.parametrize(
    "content", [b"", b"GGUF", b"no model at all", b"GGUF but not really" * 50, b"GGUF\x03\0\0\0" + b"\0" * 16]
)
def test_a_file_that_is_no_model_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.gguf").write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.gguf is neither a GGUF file nor a Hugging Face folder"):
        shape_of(tmp_path / "broken.gguf")


def test_a_folder_of_another_kind_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="neither a GGUF file nor a Hugging Face folder"):
        shape_of(tmp_path)


def test_a_file_is_converted_once_for_each_content(own_file: Path) -> None:
    folder = converted(own_file, digest="a" * 64, check=go_on)
    assert (folder.parent, shape_of(folder)) == (own_file.parent, (LAYERS, HEADS))
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= {file.name for file in folder.iterdir()}
    made = (folder / "model.safetensors").stat().st_mtime_ns
    assert converted(own_file, digest="a" * 64, check=go_on) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == made
    assert converted(own_file, digest="b" * 64, check=go_on) != folder


def test_whoever_may_read_the_file_may_read_its_folder(own_file: Path) -> None:
    own_file.chmod(0o644)
    folder = converted(own_file, digest="a" * 64, check=go_on)
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o644}


def test_what_a_killed_process_left_is_made_anew(own_file: Path) -> None:
    folder = converted(own_file, digest="a" * 64, check=go_on)
    left = folder.parent / f".{folder.name}.staging"
    folder.rename(left)
    (left / "model.safetensors").write_bytes(b"half")
    again = converted(own_file, digest="a" * 64, check=go_on)
    assert (again / "model.safetensors").stat().st_size > 1000
    assert not left.exists()


def test_threads_that_want_the_same_file_convert_it_once(own_file: Path) -> None:
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(converted(own_file, digest="a" * 64, check=go_on)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len(set(found)) == 1


def test_the_wait_for_another_process_ends_when_the_caller_stops(own_file: Path) -> None:
    folder = converted(own_file, digest="a" * 64, check=go_on)
    shutil.rmtree(folder)
    with FileLock(folder.parent / f".{folder.name}.lock"), pytest.raises(Cancelled):
        converted(own_file, digest="a" * 64, check=stop)
    assert not folder.exists()


def test_a_damaged_file_is_one_clear_error_and_leaves_no_folder(own_file: Path) -> None:
    own_file.write_bytes(own_file.read_bytes()[:20_000])
    with pytest.raises(ModelError, match=r"transformers cannot read .*tiny\.gguf") as caught:
        converted(own_file, digest="a" * 64, check=go_on)
    assert "\n" not in str(caught.value)
    assert not list(own_file.parent.glob("tiny.hf-*"))


def test_a_folder_that_cannot_be_written_is_an_error_that_names_the_need(own_file: Path) -> None:
    (own_file.parent / f".tiny.hf-{'a' * 12}-1.lock").mkdir()  # in the lock's place
    with pytest.raises(ModelError, match=r"cannot write the converted model: .* needs about \d+ MB in"):
        converted(own_file, digest="a" * 64, check=go_on)
