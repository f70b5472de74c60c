import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from app.core.digest import corpus_digest
from app.core.errors import ConfigError, NotFound, StorageError
from app.core.timespan import TimeMention, TimeSpan
from app.core.types import AnswerId, DocId, Document, Filter, Passage, PassageId
from app.store.answers import Answers
from app.store.collections import Collections
from app.store.database import Database
from app.store.documents import Documents
from app.store.files import Files
from app.store.passages import Passages
from app.store.tables import HEAD, metadata

NOW = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(tmp_path / "data" / "gnomon.db", busy_seconds=0.2)
    Collections(database).create("space")
    yield database
    database.close()


def a_document(doc_id: str = "a.md", text: str = "Luna 9 landed.", version: str = "v1", **more: object) -> Document:
    values: dict[str, object] = {"title": "T", "uri": f"/files/{doc_id}", "ingested_at": NOW, **more}
    return Document(doc_id=DocId(doc_id), version=version, text=text, **values)  # type: ignore[arg-type]  # test values


def a_passage(document: Document, ordinal: int = 0, **more: object) -> Passage:
    return Passage(
        passage_id=PassageId(f"{document.doc_id}@{len(document.text):08x}#{ordinal}"),
        doc_id=document.doc_id,
        document_version=document.version,
        title=document.title,
        text=document.text,
        uri=document.uri,
        start=0,
        end=len(document.text),
        published=document.published,
        **more,  # type: ignore[arg-type]  # test values
    )


def store(database: Database, document: Document, *, publish: bool = True, **more: object) -> Passage:
    passage = a_passage(document, **more)
    Documents(database, "space").put(document, [passage])
    if publish:
        Collections(database).publish("space", generation=1, index_digest="d", ready=[document.doc_id])
    return passage


def test_the_migrations_build_the_schema_of_tables_py(database: Database) -> None:
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_head_is_the_newest_migration() -> None:
    folder = Path(__file__).parents[3] / "app" / "store" / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == HEAD


def test_an_existing_database_opens_within_100_ms(database: Database) -> None:
    started = time.perf_counter()
    Database.open(database.path).close()
    assert time.perf_counter() - started < 0.1


def test_a_database_of_a_newer_schema_is_refused(database: Database) -> None:
    with database.session() as session:
        session.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StorageError, match="newer Gnomon"):
        Database.open(database.path)


def test_two_threads_can_create_the_same_database(tmp_path: Path) -> None:
    errors: list[Exception] = []

    def opened() -> None:
        try:
            Database.open(tmp_path / "one.db").close()
        except StorageError as error:
            errors.append(error)

    threads = [threading.Thread(target=opened) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_locked_database_says_so(database: Database) -> None:
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StorageError, match=r"gnomon\.db: is locked by another process"):
            Collections(database).create("other")
    finally:
        other.close()


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert Collections(database).get("space").documents == 0
    finally:
        other.close()


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("This is a text about the Moon, long enough to be read as a header of something." * 20)
    with pytest.raises(StorageError, match="is no SQLite database"):
        Database.open(path)


def test_a_damaged_database_says_so(database: Database) -> None:
    for number in range(60):
        store(database, a_document(f"{number}.md", text="x" * 2000))
    database.close()
    content = bytearray(database.path.read_bytes())
    content[8192:-4096] = b"\xff" * (len(content) - 8192 - 4096)
    database.path.write_bytes(bytes(content))
    with pytest.raises(StorageError, match="is damaged"):
        Documents(Database.open(database.path), "space").list()


def test_a_data_folder_that_is_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="choose another data_dir"):
        Database.open(tmp_path / "file" / "x.db")


def test_a_folder_in_the_place_of_the_database_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened; check the permissions"):
        Database.open(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_says_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="permissions"):
        Database.open(tmp_path / "x.db")


def test_a_full_disk_says_so(database: Database) -> None:
    with database.session() as session:
        pages = session.exec_driver_sql("PRAGMA page_count").scalar()
        session.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageError, match="the disk is full"):
        store(database, a_document(text="x" * 1_000_000))


def test_a_failed_session_keeps_nothing(database: Database) -> None:
    def half_done() -> None:
        with database.session() as session:
            session.exec_driver_sql("DELETE FROM collections")
            session.exec_driver_sql("DELETE FROM nothing_of_that_name")

    with pytest.raises(StorageError):
        half_done()
    assert [one.collection_id for one in Collections(database).list()] == ["space"]


@pytest.mark.parametrize("name", ["", "A", "-a", "a b", "a" * 65, "../x", "a\n"])
def test_a_bad_collection_name_is_refused(database: Database, name: str) -> None:
    with pytest.raises(ConfigError, match="use 1 to 64"):
        Collections(database).create(name)


def test_a_collection_name_is_taken_once(database: Database) -> None:
    with pytest.raises(ConfigError, match="exists already"):
        Collections(database).create("space")


def test_a_deleted_collection_takes_its_documents_along(database: Database) -> None:
    store(database, a_document())
    Collections(database).delete("space")
    with pytest.raises(NotFound, match="no collection 'space'; 'gnomon ingest PATH -c space' makes it"):
        Collections(database).get("space")
    with pytest.raises(NotFound, match=r"no collection '\.\./x'; 'gnomon collections list' names them"):
        Collections(database).get("../x")
    Collections(database).create("space")
    assert Documents(database, "space").list() == []


def test_a_document_comes_back_as_it_was_put(database: Database) -> None:
    document = a_document(
        published=TimeSpan.parse("2019-03"), superseded_by=DocId("b.md"), metadata={"record": "NASA", "odd 'key\"": "1"}
    )
    mention = TimeMention(span=TimeSpan(start=date(1966, 2, 3), end=None, approximate=True), start=0, end=4)
    passage = store(
        database, document, page=3, section="Landing", mentions=(mention,), holds=TimeSpan.parse("1966-02-03")
    )
    assert Documents(database, "space").get(DocId("a.md")) == document
    assert Passages(database, "space").get([passage.passage_id]) == [replace(passage, superseded_by=DocId("b.md"))]


def test_a_passage_says_what_supersedes_its_document(database: Database) -> None:
    old, current = a_document(superseded_by=DocId("b.md")), a_document("b.md")
    stored = [store(database, document) for document in (old, current)]
    passages = Passages(database, "space")
    assert [one.superseded_by for one in passages.get([one.passage_id for one in stored])] == ["b.md", None]
    assert [one.superseded_by for one in passages.of_documents([DocId("a.md")])] == ["b.md"]


def test_a_document_is_found_only_after_its_publication(database: Database) -> None:
    passage = store(database, a_document(), publish=False)
    passages = Passages(database, "space")
    assert passages.select(Filter()) == frozenset()
    assert passages.get([passage.passage_id]) == [passage]
    expected = passages.digest_with([DocId("a.md")])
    Collections(database).publish("space", generation=4, index_digest=expected, ready=[DocId("a.md")])
    assert passages.select(Filter()) == {passage.passage_id}
    collection = Collections(database).get("space")
    assert (collection.generation, collection.index_digest) == (4, expected)
    assert expected == passages.digest() == corpus_digest([passage.passage_id])


def test_a_published_version_stays_until_its_successor_is_published(database: Database) -> None:
    old = store(database, a_document(text="old text"))
    new = store(database, a_document(text="new text!", version="v2"), publish=False)
    passages = Passages(database, "space")
    assert passages.ids() == {old.passage_id}
    assert passages.get([new.passage_id, old.passage_id]) == [new, old]
    expected = passages.digest_with([DocId("a.md")])
    Collections(database).publish("space", generation=2, index_digest="d", ready=[DocId("a.md")])
    assert passages.ids() == {new.passage_id}
    assert passages.digest() == expected
    with pytest.raises(NotFound, match="search again"):
        passages.get([old.passage_id])


def test_removed_documents_go_with_the_publication(database: Database) -> None:
    store(database, a_document())
    store(database, a_document("b.md"))
    expected = Passages(database, "space").digest_with([], removed=[DocId("a.md")])
    Collections(database).publish("space", generation=2, index_digest=expected, removed=[DocId("a.md")])
    assert [row.doc_id for row in Documents(database, "space").list()] == ["b.md"]
    assert Passages(database, "space").digest() == expected


def test_a_failure_is_listed_beside_the_version_that_is_ready(database: Database) -> None:
    documents = Documents(database, "space")
    store(database, a_document())
    documents.fail(DocId("a.md"), "/files/a.md", "is encrypted")
    documents.fail(DocId("a.md"), "/files/a.md", "is encrypted still")
    assert [(row.state, row.error, row.passages) for row in documents.list()] == [
        ("failed", "is encrypted still", 0),
        ("ready", "", 1),
    ]
    documents.forgive("/files/a.md")
    assert [row.state for row in documents.list()] == ["ready"]


@pytest.mark.parametrize(
    ("allowed", "found"),
    [
        (Filter(), "abc"),
        (Filter(published=TimeSpan.parse("2019")), "ac"),
        (Filter(published=TimeSpan.parse("2019"), undated=False), "a"),
        (Filter(undated=False), "ab"),
        (Filter(published=TimeSpan(start=None, end=date(2019, 12, 31))), "ac"),
        (Filter(published=TimeSpan(start=date(2019, 4, 1), end=None), undated=False), "b"),
        (Filter(metadata={"kind": "letter"}), "b"),
        (Filter(doc_ids=frozenset({DocId("a"), DocId("c")}), undated=False), "a"),
        (Filter(doc_ids=frozenset()), ""),
    ],
)
def test_a_filter_keeps_what_it_says(database: Database, allowed: Filter, found: str) -> None:
    store(database, a_document("a", published=TimeSpan.parse("2019-03")))
    store(database, a_document("b", published=TimeSpan.parse("2020-05-06"), metadata={"kind": "letter"}))
    store(database, a_document("c"))
    assert sorted(key[0] for key in Passages(database, "space").select(allowed)) == list(found)


def test_a_uri_keeps_its_id_and_a_taken_id_is_made_distinct(database: Database) -> None:
    store(database, a_document())
    documents = Documents(database, "space")
    assert documents.doc_id_for("/files/a.md", DocId("renamed")) == "a.md"
    apart = documents.doc_id_for("/elsewhere/a.md", DocId("a.md"))
    assert apart.startswith("a.md~")
    assert len(apart) == len("a.md~") + 6
    assert documents.doc_ids_for([("/x/1", DocId("n")), ("/x/2", DocId("n"))])[1].startswith("n~")


def test_a_file_is_remembered_by_its_digest(database: Database) -> None:
    files = Files(database, "space")
    files.put("/files/a.md", "1")
    files.put("/files/a.md", "2")
    assert files.digest("/files/a.md") == "2"
    files.forget("/files/a.md")
    assert files.digest("/files/a.md") is None


def test_22500_passages_are_stored_in_a_few_seconds(database: Database) -> None:
    started = time.perf_counter()
    for start in range(0, 22_500, 250):
        batch = [a_document(str(number), text="word " * 60) for number in range(start, start + 250)]
        Documents(database, "space").put_many([(one, [a_passage(one)], "/corpus.jsonl") for one in batch])
    assert time.perf_counter() - started < 8


def test_events_are_numbered_without_gaps_from_many_threads(database: Database) -> None:
    answers = Answers(database)
    answers.create(AnswerId("q"), "space", "{}")
    threads = [
        threading.Thread(target=lambda: [answers.append(AnswerId("q"), "draft.delta", {"x": "é"}) for _ in range(10)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = answers.read(AnswerId("q"))
    assert [event.seq for event in events] == list(range(1, 41))
    assert events[:15] + answers.read(AnswerId("q"), after_seq=15) == events
    assert events[0].data == {"x": "é"}


def test_an_answer_goes_through_its_states(database: Database) -> None:
    answers = Answers(database)
    row = answers.create(AnswerId("q"), "space", '{"text": "When?"}')
    assert answers.get(AnswerId("q")) == row
    answers.start(AnswerId("q"))
    assert not answers.cancel_requested(AnswerId("q"))
    answers.request_cancel(AnswerId("q"))
    assert answers.cancel_requested(AnswerId("q"))
    answers.finish(AnswerId("q"), '{"status": "cancelled"}')
    finished = answers.get(AnswerId("q"))
    assert (finished.state, finished.result) == ("finished", '{"status": "cancelled"}')


def test_answers_are_listed_newest_first_page_by_page(database: Database) -> None:
    answers = Answers(database)
    for name in ("a", "b", "c"):
        answers.create(AnswerId(name), "space", "{}")
    assert [row.answer_id for row in answers.list(limit=2)] == ["c", "b"]
    assert [row.answer_id for row in answers.list(before=AnswerId("b"))] == ["a"]


def test_an_unknown_answer_is_not_found(database: Database) -> None:
    answers = Answers(database)
    with pytest.raises(NotFound):
        answers.append(AnswerId("none"), "done", {})
    with pytest.raises(NotFound):
        answers.finish(AnswerId("none"), "{}")
    with pytest.raises(NotFound):
        answers.get(AnswerId("none"))
    assert answers.read(AnswerId("none")) == []
