import os
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pytest

from app.core.errors import UnreadableDocument
from app.ingest.dates import parse_published
from app.ingest.files import SourceFile, check_readable, find_files

ROOT = Path(__file__).parents[3]


def found(*paths: Path) -> list[str]:
    return [file.name for file in find_files(paths).files]


def why(path: Path, *, max_megabytes: int = 1) -> str:
    (file,) = find_files([path]).files
    with pytest.raises(UnreadableDocument) as caught:
        check_readable(file, max_megabytes=max_megabytes)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "span"),
    [
        ("2019", "2019"),
        (2019, "2019"),
        ("2019-03", "2019-03"),
        ("2019-03-05", "2019-03-05"),
        ("2019-03-05T23:30:00-08:00", "2019-03-05"),
        ("2019-03-05 23:30", "2019-03-05"),
        ("D:20190305120000+01'00'", "2019-03-05"),
        ("D:2019", "2019"),
        (date(2019, 3, 5), "2019-03-05"),
        (datetime(2019, 3, 5, 12), "2019-03-05"),
        ("5 March 2019", "2019-03-05"),
        ("March 5th, 2019", "2019-03-05"),
        ("Sept. 2019", "2019-09"),
    ],
)
def test_dates_are_read_at_their_own_granularity(value: object, span: str) -> None:
    assert str(parse_published(value)) == span


@pytest.mark.parametrize(
    "value", ["", "soon", "2019-13", "2019-02-30", "03/05/2019", "5 Marble 2019", "0000", "20190305"]
)
def test_what_is_no_date_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"date|year|month|day"):
        parse_published(value)


def test_folders_are_walked_in_sorted_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b/2.txt", "a/1.MD", ".git/x.txt", "c.txt", ".c.txt", "d.exe", "a/sub/0.html"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    assert found(tmp_path) == ["c.txt", "a/1.MD", "a/sub/0.html", "b/2.txt"]
    assert find_files([tmp_path]).skipped == 1
    assert found(tmp_path, tmp_path / "c.txt") == ["c.txt", "a/1.MD", "a/sub/0.html", "b/2.txt"]


def test_loops_of_links_end(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "self.txt").symlink_to(tmp_path / "self.txt")
    assert found(tmp_path) == ["self.txt"]
    assert "symbolic links" in why(tmp_path / "self.txt")


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "a.exe").write_text("x")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "big.txt").write_bytes(bytes(1_100_000))
    (tmp_path / "big.csv").write_bytes(bytes(1_100_000))
    os.mkfifo(tmp_path / "pipe.txt")
    assert why(tmp_path / "a.exe").startswith("cannot read files of type '.exe'; convert it to one of .txt .md")
    assert why(tmp_path / "none").startswith("cannot be read: No such file or directory")
    assert why(tmp_path / "none.txt") == "cannot be read: No such file or directory; check the path and its permissions"
    assert why(tmp_path / "empty.txt") == "is empty; remove it or fill it"
    assert why(tmp_path / "big.txt") == "has 1.1 MB, more than 1; split it or raise GNOMON_INGEST__MAX_FILE_MB"
    (table,) = find_files([tmp_path / "big.csv"]).files
    check_readable(table, max_megabytes=1)
    assert why(tmp_path / "pipe.txt") == "is not a regular file; name a file or a folder"


@pytest.mark.parametrize(
    ("name", "doc_id"),
    [
        ("a b/ü@1#2 🚀.txt", "a b/ü@1#2 🚀.txt"),
        ("a\nb.txt", "a%0Ab.txt"),
        ("a\udcffb.txt", "a%FFb.txt"),
        (f"{'x' * 196}.txt", f"{'x' * 196}.txt"),
    ],
)
def test_a_document_is_named_by_its_path(tmp_path: Path, name: str, doc_id: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("x")
    (file,) = find_files([tmp_path]).files
    assert file.doc_id == doc_id
    assert file.uri.encode()  # a name that is no UTF-8 can be stored


def test_a_very_long_path_is_cut_but_stays_its_own() -> None:
    first, second = (SourceFile(path=Path("x"), name=start + "x" * 300, uri="", size=1).doc_id for start in "ab")
    assert len(first) == len(second) == 200
    assert first != second


def test_reading_text_imports_no_parser_of_other_formats(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Words.")
    script = (
        f"import sys; from pathlib import Path; sys.path.insert(0, {str(ROOT)!r});"
        f"import app.ingest.pipeline; from app.ingest.readers import read; list(read(Path({str(tmp_path)!r}, 'a.md')));"
        "print([name for name in ('trafilatura', 'docx', 'pypdfium2', 'puremagic', 'alembic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every folder")
def test_a_folder_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    closed = tmp_path / "in" / "closed"
    closed.mkdir(parents=True)
    closed.chmod(0)
    try:
        assert found(tmp_path) == ["in/closed"]
        assert why(closed) == "is a folder that cannot be opened; check its permissions"
    finally:
        closed.chmod(0o700)
