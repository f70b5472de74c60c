import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.keeping import records
from app.core.errors import StaleCheckpoint, StorageError
from app.core.ledger import ModelCall, Spent
from app.core.timespan import TimeConstraint, TimeSpan
from app.core.trace import Books, Step
from app.core.types import NoteId, QueryId, Question, Usage
from app.store.checkpoint_format import RecordFormat
from app.store.checkpoints import Checkpoints
from fakes import a_hit

SPAN = TimeSpan(start=date(1969, 7, 16), end=None, granularity="day", approximate=True)
QUESTION = Question(
    query_id=QueryId("q1"),
    text="Who led NASA since then?",
    asked_on=date(2026, 1, 15),
    time=TimeConstraint(relation="since", span=SPAN, surface="since then", rest="Who led NASA?"),
    pinned_notes=(NoteId("n1"), NoteId("n2")),
)
CALL = ModelCall(model="m", purpose="note", prompt_digest="d", usage=Usage(calls=1, prompt_tokens=7, seconds=0.1))
BOOKS = Books(
    nonce="0a1b",
    seconds=1.5,
    steps=(Step(node="plan", start=0.1, seconds=0.2, summary="one", details={"rows": [{"n": 1}]}, calls=(CALL,)),),
    spent=Spent(calls=(CALL,), own=CALL.usage, parts={"rerank": Usage(calls=3)}),
    told=4,
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.dates()
KEYS = st.integers() | st.text()
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(KEYS, inner),
    max_leaves=20,
)


def a_format(*more: type, made_with: str = "1") -> RecordFormat:
    return RecordFormat([*records(), *more], made_with=made_with)


def shape(value: Any) -> Any:
    """Return the types of a value and of all that is in it, which equality does not look at."""
    if is_dataclass(value):
        return type(value), [shape(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, Mapping):
        return dict, [(shape(key), shape(item)) for key, item in value.items()]
    if isinstance(value, (tuple, list)):
        return type(value), [shape(item) for item in value]
    return type(value)


@given(VALUES)
def test_plain_values_tuples_and_dates_come_back_as_they_were(value: object) -> None:
    back = a_format().loads_typed(a_format().dumps_typed(value))

    assert back == value
    assert shape(back) == shape(value)


@pytest.mark.parametrize("value", [QUESTION, BOOKS, {1: (a_hit(),)}, float("inf"), "\ud800 \u2028"])
def test_records_come_back_as_they_were(value: object) -> None:
    back = a_format().loads_typed(a_format().dumps_typed(value))

    assert back == value
    assert shape(back) == shape(value)


@pytest.mark.parametrize("value", [datetime(2026, 1, 15, tzinfo=UTC), {1}, b"x", object()])
def test_what_would_not_come_back_is_refused_when_it_is_written(value: object) -> None:
    with pytest.raises(TypeError, match="cannot hold a"):
        a_format().dumps_typed({"value": value})


def test_a_record_of_another_shape_is_refused() -> None:
    def at(version: int) -> type:
        @dataclass(frozen=True)
        class Fact:
            text: str

        @dataclass(frozen=True)
        class Renamed:
            words: str

        made = Fact if version == 1 else Renamed
        made.__qualname__ = "Fact"
        return made

    old, new = at(1), at(2)
    written = a_format(old).dumps_typed(old("a"))

    with pytest.raises(StaleCheckpoint, match="another version of Gnomon"):
        a_format(new).loads_typed(written)


def test_what_other_settings_wrote_or_nobody_is_refused() -> None:
    stamp, content = a_format().dumps_typed(QUESTION)

    with pytest.raises(StaleCheckpoint, match="other settings"):
        a_format(made_with="2").loads_typed((stamp, content))
    for damaged in (content[:-3], b'{"record":["os.system",["ls"]]}', content.replace(b"2026-01-15", b"2026-13-15")):
        with pytest.raises(StaleCheckpoint, match="cannot be read"):
            a_format().loads_typed((stamp, damaged))


def open_checkpoints(path: Path) -> Checkpoints:
    return Checkpoints(path, records(), made_with="1")


def keep(checkpoints: Checkpoints, thread: str, number: int) -> None:
    config: Any = {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}
    checkpoint: Any = {"v": 4, "id": f"{number:08}", "ts": "", "channel_values": {"question": QUESTION}}
    checkpoints.put(config, checkpoint, {"source": "loop", "step": number}, {})


def test_two_processes_and_many_threads_write_at_once(tmp_path: Path) -> None:
    both = [open_checkpoints(tmp_path / "c.db") for _ in range(2)]
    failed: list[Exception] = []

    def work(place: int) -> None:
        try:
            for number in range(20):
                keep(both[place % 2], f"t{place}", number)
        except StorageError as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert sorted(both[0].answers()) == [f"t{place}" for place in range(8)]
    assert both[0].conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    both[1].delete_thread("t0")
    assert "t0" not in both[0].answers()
    for checkpoints in both:
        checkpoints.close()


def test_a_file_that_cannot_be_used_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "c.db").write_text("no database, but long enough to be looked at " * 50)
    with pytest.raises(StorageError, match=r"c\.db: file is not a database"):
        open_checkpoints(tmp_path / "c.db").answers()
    with pytest.raises(StorageError, match="unable to open"):
        open_checkpoints(tmp_path / "none" / "c.db")
    checkpoints = open_checkpoints(tmp_path / "d.db")
    checkpoints.answers()
    checkpoints.conn.execute("DROP TABLE checkpoints")
    with pytest.raises(StorageError) as raised:
        checkpoints.answers()
    assert isinstance(raised.value.__cause__, sqlite3.Error)
    checkpoints.close()
