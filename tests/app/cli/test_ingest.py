"""The whole way with real files, database and indexes; only the embedder is the one without a model file."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, day, text in (
        ("apollo", "1969-07-24", "Neil Armstrong commanded Apollo 11, which landed on the Moon."),
        ("agency", "1973", "Thomas Paine led NASA when Apollo 11 flew."),
    ):
        (folder / f"{name}.md").write_text(f"---\ntitle: About {name}\npublished: {day}\n---\n\n{text}\n")
    return folder


def rows(ran: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ran.out.splitlines()]


def test_what_was_ingested_can_be_found(real: Any, folder: Path) -> None:
    ran = real("ingest", folder)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("default: 2 added · 2 passages · ")
    first = json.loads(real("search", "Who commanded Apollo 11?", "--json", "-k", "1").out)["hits"][0]
    assert first["passage"]["title"] == "About apollo"


def test_unchanged_files_are_skipped_and_changed_ones_replaced(real: Any, folder: Path) -> None:
    real("ingest", folder)
    assert real("ingest", folder).out.startswith("default: 2 unchanged")
    (folder / "agency.md").write_text("James Fletcher led NASA from 1971.")
    assert real("ingest", folder).out.startswith("default: 1 replaced, 1 unchanged")
    assert "Fletcher" in real("search", "Fletcher").out
    assert "Paine" not in real("search", "Paine").out


def test_a_bad_file_is_named_and_the_rest_is_kept(real: Any, folder: Path) -> None:
    (folder / "empty.md").write_text("")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    ran = real("ingest", folder, "--json")
    report = json.loads(ran.out)
    assert (ran.code, report["added"], len(report["failed"])) == (4, 2, 2)
    told = [line for line in ran.err.splitlines() if line.startswith("gnomon: ")]
    assert [line.split(":")[1].strip() for line in sorted(told)] == ["broken.pdf", "empty.md"]
    assert len(ran.err.splitlines()) == 2


def test_of_many_bad_rows_the_first_are_told(real: Any, tmp_path: Path) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_text('{"_id": "a", "text": "Words."}\n' + '{"question": "Who?"}\n' * 30)
    ran = real("ingest", file)
    lines = ran.err.splitlines()
    assert (ran.code, len(lines)) == (4, 6)
    assert lines[0].startswith("gnomon: corpus.jsonl row 2: has none of text, content, body, passage; ")
    assert lines[-1] == "gnomon: corpus.jsonl: 25 more rows could not be read; --json lists them all"
    assert len(json.loads(real("ingest", file, "--json").out)["failed"]) == 30


def test_nothing_that_can_be_read_is_a_failure(real: Any, tmp_path: Path) -> None:
    ran = real("ingest", tmp_path / "nowhere")
    assert ran.code == 1
    assert ran.err == "gnomon: nowhere: cannot be read: No such file or directory; check the path and its permissions\n"
    assert rows(real("docs", "list", "--json")) == []


def test_a_folder_without_files_says_what_can_be_read(real: Any, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.png").write_text("x")
    ran = real("ingest", tmp_path / "photos")
    assert (ran.code, ran.out.partition(" · ")[0]) == (0, "default: 1 skipped")
    assert ran.err.startswith("next: name files, or folders with files, of these types: .txt .md")


def test_a_file_that_could_not_be_read_tells_why_and_is_forgotten_with_it(real: Any, folder: Path) -> None:
    (folder / "empty.md").write_text("")
    real("ingest", folder)
    shown = real("docs", "show", "empty.md")
    assert (shown.code, shown.err) == (
        1,
        "gnomon: document 'empty.md' could not be read: is empty; remove it or fill it\n",
    )
    (folder / "empty.md").unlink()
    assert real("ingest", folder).code == 0
    assert rows(real("docs", "list", "--state", "failed", "--json")) == []


def test_a_state_that_there_is_not_is_wrong_usage(real: Any) -> None:
    assert real("docs", "list", "--state", "lost").code == 2


def test_documents_are_listed_shown_and_deleted(real: Any, folder: Path) -> None:
    real("ingest", folder)
    listed = rows(real("docs", "list", "--json"))
    assert [(row["doc_id"], row["state"], row["published"]["granularity"]) for row in listed] == [
        ("agency.md", "ready", "year"),
        ("apollo.md", "ready", "day"),
    ]
    assert "Thomas Paine led NASA" in real("docs", "show", "agency.md").out
    assert real("docs", "delete", "agency.md").out == "default: 1 deleted\n"
    assert [row["doc_id"] for row in rows(real("docs", "list", "--json"))] == ["apollo.md"]
    assert "Paine" not in real("search", "Thomas Paine").out


def test_an_unknown_document_deletes_none(real: Any, folder: Path) -> None:
    real("ingest", folder)
    ran = real("docs", "delete", "agency.md", "nothing.md")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "gnomon: no document 'nothing.md'; 'gnomon docs list' names them\n"
    assert len(rows(real("docs", "list", "--json"))) == 2


def test_failed_documents_can_be_listed(real: Any, folder: Path) -> None:
    (folder / "empty.md").write_text("")
    real("ingest", folder)
    assert [row["doc_id"] for row in rows(real("docs", "list", "--state", "ready", "--json"))] == [
        "agency.md",
        "apollo.md",
    ]
    failed = rows(real("docs", "list", "--state", "failed", "--json"))
    assert [row["error"] for row in failed] == ["is empty; remove it or fill it"]


@pytest.mark.parametrize(
    "command", [("docs", "list"), ("docs", "show", "x"), ("docs", "delete", "x"), ("index", "info")]
)
def test_a_missing_collection_is_named_with_the_command_that_makes_it(real: Any, command: tuple[str, ...]) -> None:
    ran = real(*command, "-c", "nowhere")
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "no collection 'nowhere'" in ran.err


def test_collections_are_created_listed_and_deleted(real: Any, folder: Path, tmp_path: Path) -> None:
    assert real("collections", "create", "space").code == 0
    real("ingest", folder, "-c", "space")
    listed = rows(real("collections", "list", "--json"))
    assert [(row["collection_id"], row["documents"]) for row in listed] == [("space", 2)]
    refused = real("collections", "delete", "space")
    assert refused.code == 2
    assert "say --yes" in refused.err
    assert real("collections", "delete", "space", "--yes").out == "space: deleted with 2 documents\n"
    assert real("collections", "list", "--json").out == ""
    assert not (tmp_path / "data" / "collections" / "space").exists()


@pytest.mark.parametrize("name", ["Space", "../up", "a b", "", "x" * 65])
def test_a_collection_cannot_have_any_name(real: Any, name: str) -> None:
    ran = real("collections", "create", name)
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)


def test_a_collection_that_is_written_cannot_be_deleted(real: Any, folder: Path, tmp_path: Path) -> None:
    from filelock import FileLock

    real("ingest", folder)
    with FileLock(tmp_path / "data" / "collections" / "default" / "write.lock"):
        ran = real("collections", "delete", "default", "--yes")
    assert ran.code == 1
    assert "is being written by another process" in ran.err


def test_a_stale_index_is_told_and_mended(real: Any, folder: Path) -> None:
    real("ingest", folder)
    changed = ("--set", "models.embedder.options={dim: 128}")
    info = real("index", "info", options=changed)
    assert info.code == 1
    assert "run 'gnomon index rebuild -c default'" in info.out
    assert real("search", "Apollo", options=changed).err.count("\n") == 1
    assert real("index", "rebuild", options=changed).out.startswith("default: 2 passages indexed")
    assert real("index", "info", options=changed).code == 0
    assert real("search", "Apollo", options=changed).code == 0


def test_ctrl_c_in_the_middle_leaves_everything_whole(real: Any, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(1500):
        (many / f"{number:04}.txt").write_text(f"Document {number} tells of rocket {number * 7} and its crew. " * 20)
    data = ("--data-dir", str(tmp_path / "data"), "--set", "models.embedder.name=hashing_embedder")
    command = [sys.executable, "-m", "app.cli.main", *data, "--set", "ingest.checkpoint=50", "ingest", str(many)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    while not list((tmp_path / "data").glob("collections/default/index/1")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    last = err.splitlines()[-1]
    assert (process.returncode, out) == (130, "")
    assert last == "gnomon: interrupted; what was indexed before stays, the same command goes on with the rest"
    assert real("index", "info").code == 0
    done = len(rows(real("docs", "list", "--state", "ready", "--json")))
    assert 0 < done < 1500
    report = json.loads(real("ingest", many, "--json").out)
    assert report["added"] + report["unchanged"] == 1500
    assert real("index", "info").code == 0


@pytest.mark.parametrize(
    ("command", "header"),
    [
        (("docs", "list"), "document\tstate\tpublished\tpassages\ttitle"),
        (("collections", "list"), "collection\tdocuments\tpassages\tcreated"),
        (("models", "list"), "model\trole\tMB\tlicence\there\tused"),
        (("components", "list"), "package\tcomponent"),
    ],
)
def test_lists_in_a_pipe_have_tabs(real: Any, folder: Path, command: tuple[str, ...], header: str) -> None:
    real("ingest", folder)
    lines = real(*command).out.splitlines()
    assert lines[0] == header
    assert {line.count("\t") for line in lines} == {header.count("\t")}


def test_offline_ingest_and_search_need_no_socket(folder: Path, tmp_path: Path) -> None:
    data = ("--offline", "--data-dir", str(tmp_path / "data"), "--set", "models.embedder.name=hashing_embedder")
    for command in (("ingest", str(folder)), ("search", "Armstrong")):
        done = subprocess.run(
            [sys.executable, "-m", "app.cli.main", *data, *command],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout
