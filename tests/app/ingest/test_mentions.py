"""The times that a passage mentions: read at ingest, kept by the store, read anew when the rules of reading change."""

from datetime import date
from typing import Any

import pytest

from app.core.types import DocId, Passage
from app.store.passages import Passages
from retrieval.temporal import expressions


def stored(desk: Any) -> Passage:
    (passage,) = Passages(desk.database, "space").of_documents([DocId(key) for key in desk.states()])
    return passage


def test_mentions_are_read_from_the_publication_and_survive_the_store(desk: Any) -> None:
    desk.write("a.md", "---\ntitle: A\ndate: 2020-03-05\n---\n\nThe lake was mapped in 1871 and drained last month.\n")
    desk.ingest()

    passage = stored(desk)

    found = [(passage.text[one.start : one.end], one.span.start, one.role) for one in passage.mentions]
    assert found == [("1871", date(1871, 1, 1), "event"), ("last month", date(2020, 2, 1), "event")]


def test_another_version_of_the_rules_reads_unchanged_files_anew(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write("a.txt", "Mapped in 1871.")
    with monkeypatch.context() as older:
        older.setattr(expressions, "VERSION", 0)
        older.setattr(expressions, "read_expressions", lambda *_, **__: expressions.Expressions(mentions=()))
        desk.ingest()
    assert stored(desk).mentions == ()

    assert desk.ingest().replaced == 1

    assert [str(one.span) for one in stored(desk).mentions] == ["1871"]
    desk.check_published()


def test_a_document_with_impossible_times_is_named_once(desk: Any) -> None:
    desk.write("a.txt", "It was signed on 30 February 1871 and again on 31 April 1872.")
    desk.write("b.txt", "Mapped in 1871.")

    report = desk.ingest()

    assert report.warnings == ("a.txt: 2 times that no calendar of the years 1 to 9999 holds",)
    assert desk.ingest().warnings == ()
