from pathlib import Path

import pytest

from app.core.files import replacing, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_as_utf_8_and_replaces_what_was_there(tmp_path: Path) -> None:
    write_whole(tmp_path / "run.trec", "long before\n" * 9)

    write_whole(tmp_path / "run.trec", "Mönch\n")

    assert (tmp_path / "run.trec").read_bytes() == "Mönch\n".encode()
    assert names(tmp_path) == ["run.trec"]


def test_until_the_block_ends_the_old_content_is_read(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "old")

    with replacing(tmp_path / "a") as stream:
        stream.write(b"new")
        stream.flush()
        assert (tmp_path / "a").read_text() == "old"

    assert (tmp_path / "a").read_text() == "new"


def test_a_block_that_fails_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "old")

    def fail() -> None:
        with replacing(tmp_path / "a") as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()

    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_a_folder_that_is_not_there_is_told_as_the_system_tells_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "none" / "a", "text")
