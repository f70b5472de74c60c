import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from app.core.errors import Cancelled, ModelError, NotFound, StorageError
from app.core.run import Run
from app.core.types import DocId, Filter
from app.ingest.records import Progress
from app.store.collections import Collections
from app.store.database import Database
from app.store.passages import Passages

ROOT = Path(__file__).parents[3]


def rows(*texts: str, **more: Any) -> str:
    return "".join(json.dumps({"_id": f"r{n}", "text": text, **more}) + "\n" for n, text in enumerate(texts))


def published(desk: Any) -> set[str]:
    return {key.split("@")[0] for key in Passages(desk.database, "space").select(Filter())}


def test_a_folder_becomes_documents_and_passages(desk: Any) -> None:
    desk.write("b.txt", "Luna 9 landed on the Moon.")
    desk.write("sub/a.md", "---\ntitle: Apollo\npublished: 1969-07\n---\n# Eagle\nThe Eagle landed.")
    desk.write("corpus.jsonl", rows("Row one.", "Row two."))
    desk.write("notes.xyz", "what is this")
    desk.write(".hidden.txt", "hidden")
    report = desk.ingest()
    assert (report.added, report.passages, report.skipped, report.failed) == (4, 4, 1, ())
    assert published(desk) == {"b.txt", "sub/a.md", "r0", "r1"}
    assert str(desk.documents.get(DocId("sub/a.md")).published) == "1969-07"
    assert desk.documents.get(DocId("r1")).uri.endswith("/corpus.jsonl#r1")
    desk.check_published()


def test_a_passage_id_names_document_text_and_place(desk: Any) -> None:
    desk.write("a.txt", "abc")
    desk.ingest()
    assert desk.first.added == ["a.txt@ba7816bf#0"]  # SHA-256 of "abc", FIPS 180-2


def test_an_unchanged_file_is_skipped_and_a_changed_one_replaced(desk: Any) -> None:
    desk.write("a.txt", "Old words.")
    desk.write("b.txt", "Other words.")
    desk.ingest()
    desk.write("a.txt", "New words.")
    report = desk.ingest()
    assert (report.added, report.replaced, report.unchanged) == (0, 1, 1)
    assert desk.text("a.txt") == "New words."
    assert len(desk.first.added) == 1
    desk.check_published()


def test_nothing_new_publishes_nothing(desk: Any) -> None:
    desk.write("a.txt", "Words.")
    desk.ingest()
    before = Collections(desk.database).get("space").generation
    desk.ingest()
    assert Collections(desk.database).get("space").generation == before


def test_a_changed_row_is_replaced_and_a_vanished_one_removed(desk: Any) -> None:
    desk.write("c.jsonl", rows("One.", "Two.", "Three."))
    desk.ingest()
    desk.write("c.jsonl", rows("One.", "Two, changed."))
    report = desk.ingest()
    assert (report.unchanged, report.replaced, report.removed) == (1, 1, 1)
    assert published(desk) == {"r0", "r1"}
    desk.check_published()


def test_a_file_with_a_broken_row_loses_no_document(desk: Any) -> None:
    desk.write("c.jsonl", rows("One.", "Two."))
    desk.ingest()
    desk.write("c.jsonl", rows("One.") + "{broken\n")
    report = desk.ingest()
    assert report.removed == 0
    assert [failure.where for failure in report.failed] == ["c.jsonl row 2"]
    assert published(desk) == {"r0", "r1"}
    assert desk.states()["c.jsonl"] == "failed"


def test_a_mended_file_is_no_failure_any_more(desk: Any) -> None:
    desk.write("c.jsonl", rows("One.") + "{broken\n")
    desk.ingest()
    desk.write("c.jsonl", rows("One.", "Two."))
    desk.ingest()
    assert desk.states() == {"r0": "ready", "r1": "ready"}


def test_what_was_never_read_leaves_no_document(desk: Any) -> None:
    empty = desk.write("empty.txt", "")
    desk.write("sub/b.txt", "Words.")
    desk.write("\udcff.txt", "A name that is no UTF-8.")
    (desk.folder / "self.txt").symlink_to("self.txt")
    report = desk.ingest(desk.folder, desk.folder / "absent.txt")
    assert {failure.where for failure in report.failed} == {"empty.txt", "self.txt", "absent.txt"}
    assert desk.states() == {"empty.txt": "failed", "sub/b.txt": "ready", "%FF.txt": "ready"}
    empty.unlink()
    assert desk.ingest().warnings == ()
    assert desk.states() == {"sub/b.txt": "ready", "%FF.txt": "ready"}


def test_a_vanished_file_is_reported_and_kept(desk: Any) -> None:
    path = desk.write("a.txt", "Words.")
    desk.write("b.txt", "Words too.")
    desk.ingest()
    path.unlink()
    report = desk.ingest()
    assert "1 files are gone" in report.warnings[0]
    assert "a.txt" in report.warnings[0]
    assert published(desk) == {"a.txt", "b.txt"}


def test_one_bad_file_fails_alone(desk: Any) -> None:
    desk.write("a.txt", "")
    desk.write("b.txt", b"\x89PNG\r\n\x1a\n" + bytes(40))
    desk.write("c.txt", "Good words.")
    report = desk.ingest()
    assert [str(failure) for failure in report.failed] == [
        "a.txt: is empty; remove it or fill it",
        "b.txt: is a PNG image, not text; rename or remove it",
    ]
    assert desk.states() == {"a.txt": "failed", "b.txt": "failed", "c.txt": "ready"}


def test_a_file_that_became_unreadable_keeps_its_old_version(desk: Any) -> None:
    desk.write("a.txt", "Words.")
    desk.ingest()
    desk.write("a.txt", b"\xffwords")
    report = desk.ingest()
    assert "byte 0 is not UTF-8" in report.failed[0].why
    assert published(desk) == {"a.txt"}


def test_a_warning_names_the_row_of_an_unreadable_date(desk: Any) -> None:
    desk.write("c.csv", "id,text,date\nx,Words.,2019-13-45\n")
    report = desk.ingest()
    assert report.added == 1
    assert report.warnings[0].startswith("c.csv row 2: '2019-13-45' is no date")


def test_the_same_name_in_two_folders_is_two_documents(desk: Any) -> None:
    first, second = desk.write("one/a.txt", "First."), desk.write("two/a.txt", "Second.")
    desk.ingest(first.parent, second.parent)
    assert len(published(desk)) == 2
    assert desk.ingest(second.parent).unchanged == 1


def test_another_passage_size_splits_unchanged_files_anew(desk: Any) -> None:
    desk.write("a.txt", "These are some words. " * 30)
    desk.ingest()
    few = len(Passages(desk.database, "space").ids())
    assert desk.ingest(passage_tokens=40).replaced == 1
    assert len(Passages(desk.database, "space").ids()) > few
    desk.check_published()


def test_force_builds_the_indexes_anew(desk: Any) -> None:
    desk.write("a.txt", "Words.")
    other = desk.write("b.txt", "Other words.")
    desk.ingest()
    other.unlink()
    report = desk.ingest(force=True)
    assert report.unchanged == 1
    assert {key.split("@")[0] for key in desk.first.added} == {"a.txt", "b.txt"}
    desk.check_published()


def test_a_rebuild_reads_no_file(desk: Any) -> None:
    desk.write("a.txt", "Words.")
    desk.ingest()
    (desk.folder / "a.txt").unlink()
    told: list[tuple[int, int]] = []
    desk.pipeline().rebuild(run=Run(), progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (1, 1)
    assert desk.first.live_ids() == Passages(desk.database, "space").ids()
    desk.check_published()


def test_a_deleted_document_is_gone_and_can_come_back(desk: Any) -> None:
    desk.write("a.txt", "Words.")
    desk.write("b.txt", "More words.")
    desk.ingest()
    desk.pipeline().delete([DocId("a.txt")], run=Run())
    assert published(desk) == {"b.txt"}
    desk.check_published()
    assert desk.ingest().added == 1


def test_deleting_an_unknown_document_says_so(desk: Any) -> None:
    with pytest.raises(NotFound, match=r"no document 'none'"):
        desk.pipeline().delete([DocId("none")], run=Run())


def test_only_the_last_two_generations_stay_on_disk(desk: Any) -> None:
    for number in range(4):
        desk.write("a.txt", f"Version {number}.")
        desk.ingest()
    folder = desk.data / "collections" / "space" / "index"
    assert sorted(path.name for path in folder.iterdir()) == ["3", "4"]


def test_progress_ends_at_the_whole(desk: Any) -> None:
    for number in range(3):
        desk.write(f"{number}.txt", "Words.")
    seen: list[Progress] = []
    desk.pipeline().run([desk.folder], run=Run(), progress=seen.append)
    assert (seen[-1].done, seen[-1].total, seen[-1].files, seen[-1].documents) == (18, 18, 3, 3)
    assert [one.done for one in seen] == sorted(one.done for one in seen)


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), Cancelled("stopped"), ModelError("the embedder failed")])
def test_what_was_indexed_before_a_stop_is_published(desk: Any, stop: BaseException) -> None:
    desk.write("c.jsonl", rows(*[f"Row {number}." for number in range(700)]))
    pipeline = desk.pipeline()

    def third_time() -> None:
        if len(desk.second.added) >= 512:
            raise stop

    desk.second.before_add = third_time
    with pytest.raises(type(stop)):
        pipeline.run([desk.folder], run=Run())
    assert len(published(desk)) == 512
    desk.check_published()
    report = desk.ingest()
    assert len(published(desk)) == 700
    assert (report.added, report.unchanged) == (0, 700)  # the rest was stored before the stop and is resumed
    assert len(desk.first.added) == 188
    desk.check_published()


def test_a_cancelled_run_stops_between_files(desk: Any) -> None:
    desk.write("a.txt", "Words.")
    with pytest.raises(Cancelled):
        desk.ingest(run=Run(cancelled=lambda: True))
    assert published(desk) == set()


def test_a_full_disk_keeps_what_was_published(desk: Any) -> None:
    desk.write("a.txt", "Words.")
    desk.ingest()
    desk.write("b.txt", "More words.")
    pipeline = desk.pipeline()

    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    desk.second.before_save = full
    with pytest.raises(StorageError, match=r"No space left on device; make room"):
        pipeline.run([desk.folder], run=Run())
    assert published(desk) == {"a.txt"}
    desk.check_published()
    assert not list((desk.data / "collections" / "space" / "index").glob("*.tmp"))
    desk.ingest()
    assert published(desk) == {"a.txt", "b.txt"}
    desk.check_published()


def test_a_locked_database_stops_the_run_with_one_line(desk: Any) -> None:
    desk.write("a.txt", "Words.")
    other = Database.open(desk.database.path)
    with other.session(), pytest.raises(StorageError, match="locked by another process"):
        desk.ingest()
    other.close()
    assert desk.ingest().added == 1


def test_a_second_writer_is_refused(desk: Any) -> None:
    folder = desk.data / "collections" / "space"
    folder.mkdir(parents=True)
    with FileLock(folder / "write.lock"), pytest.raises(StorageError, match="being written by another process"):
        desk.ingest()


def test_a_killed_run_loses_nothing_and_is_resumed(desk: Any) -> None:
    desk.write("c.jsonl", rows(*[f"Row {number}." for number in range(1500)]))
    script = f"""
import sys, time
from pathlib import Path
sys.path[:0] = [{str(ROOT)!r}, {str(Path(__file__).parent)!r}]
from conftest import Desk, RecordingIndex
from app.store.database import Database
database = Database.open(Path({str(desk.database.path)!r}))
desk = Desk(Path({str(desk.folder)!r}), Path({str(desk.data)!r}), database, None, None)
pipeline = desk.pipeline(checkpoint=1)
def slowly():
    print(len(desk.second.added), flush=True)
    time.sleep(0.05)
desk.second.before_add = slowly
from app.core.run import Run
pipeline.run([desk.folder], run=Run())
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= 1024:
                break
        time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    kept = published(desk)
    assert 256 <= len(kept) < 1500
    desk.check_published()
    desk.ingest()
    assert len(published(desk)) == 1500
    desk.check_published()


def test_a_version_stored_but_not_indexed_can_be_replaced(desk: Any) -> None:
    desk.write("a.txt", "First.")
    desk.ingest()
    for words in ("Second.", "Third."):
        desk.write("a.txt", words)
        pipeline = desk.pipeline()

        def fails() -> None:
            raise ModelError("the embedder failed")

        desk.second.before_add = fails
        with pytest.raises(ModelError):
            pipeline.run([desk.folder], run=Run())
        desk.check_published()
    desk.ingest()
    assert desk.text("a.txt") == "Third."
    assert len(published(desk)) == 1
    desk.check_published()
