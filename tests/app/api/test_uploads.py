import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.uploads import MAX_NAME, keep_files, safe_name


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("report.pdf", "report.pdf"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("..", "upload"),
        ("", "upload"),
        (".htaccess", "htaccess"),
        ("na\x00me\u202egnp.txt", "namegnp.txt"),
        ("C:evil.txt", "Cevil.txt"),
        ("x" * 500 + ".docx", "x" * (MAX_NAME - 5) + ".docx"),
        ("Übersicht 2024.md", "Übersicht 2024.md"),
    ],
)
def test_a_name_keeps_its_visible_last_part(given_name: str, name: str) -> None:
    assert safe_name(given_name) == name


@given(st.text(max_size=300))
def test_a_name_is_always_a_plain_name_in_its_folder(filename: str) -> None:
    name = safe_name(filename)

    assert 0 < len(name) <= MAX_NAME
    assert Path(name).name == name
    assert not name.startswith(".")


def test_an_upload_replaces_the_file_of_its_name_and_leaves_no_part(tmp_path: Path) -> None:
    for content in (b"old", b"new"):
        (path,) = keep_files(tmp_path, [("a.txt", io.BytesIO(content))])

    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]
