import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import NotFound
from app.core.types import AnswerId, ConversationId
from app.store.answers import Answers
from app.store.conversations import Conversations
from app.store.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(tmp_path / "gnomon.db", busy_seconds=0.2)
    yield database
    database.close()


def put(database: Database, answer_id: str, conversation: ConversationId | None) -> None:
    Answers(database).create(AnswerId(answer_id), "space", json.dumps({"text": answer_id}), conversation)


def test_a_conversation_has_its_answers_in_the_order_they_were_asked(database: Database) -> None:
    conversations, answers = Conversations(database), Answers(database)
    mine, other = conversations.create(), conversations.create()
    for answer_id in ("c", "a", "b"):
        put(database, answer_id, mine.conversation_id)
    put(database, "x", other.conversation_id)
    put(database, "y", None)

    def ids(*args: int, **more: AnswerId) -> list[str]:
        return [row.answer_id for row in answers.of_conversation(mine.conversation_id, *args, **more)]

    assert ids() == ["c", "a", "b"]
    assert ids(2) == ["a", "b"]
    assert ids(2, before=AnswerId("b")) == ["c", "a"]
    assert ids(before=AnswerId("c")) == []
    assert answers.get(AnswerId("y")).conversation_id is None


def test_a_conversation_tells_its_first_question_and_counts_its_turns(database: Database) -> None:
    conversations = Conversations(database)
    begun = conversations.create()
    assert conversations.get(begun.conversation_id) == begun
    assert (begun.turns, begun.first_question) == (0, None)

    for answer_id in ("first", "another"):
        put(database, answer_id, begun.conversation_id)

    found = conversations.get(begun.conversation_id)
    assert (found.turns, found.first_question) == (2, '{"text": "first"}')


def test_conversations_come_newest_first_a_page_at_a_time(database: Database) -> None:
    conversations = Conversations(database)
    made = [conversations.create().conversation_id for _ in range(4)]

    assert [one.conversation_id for one in conversations.list(limit=3)] == made[:0:-1]
    assert [one.conversation_id for one in conversations.list(before=made[1])] == [made[0]]
    with pytest.raises(NotFound, match="no conversation 'x'"):
        conversations.list(before=ConversationId("x"))


def test_deleting_removes_answers_and_their_events_and_nothing_else(database: Database) -> None:
    conversations, answers = Conversations(database), Answers(database)
    mine = conversations.create().conversation_id
    put(database, "mine", mine)
    put(database, "other", None)
    for answer_id in ("mine", "other"):
        answers.append(AnswerId(answer_id), "done", {})

    conversations.delete(mine)

    assert [row.answer_id for row in answers.list()] == ["other"]
    assert answers.read(AnswerId("mine")) == []
    assert len(answers.read(AnswerId("other"))) == 1
    with pytest.raises(NotFound):
        conversations.delete(mine)


def test_a_database_of_the_first_schema_keeps_its_answers_and_their_events(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    _first_schema(path)

    database = Database.open(path)
    answers = Answers(database)

    row = answers.get(AnswerId("old"))
    assert (row.question, row.conversation_id) == ("{}", None)
    assert [event.name for event in answers.read(AnswerId("old"))] == ["done"]
    put(database, "new", Conversations(database).create().conversation_id)
    database.close()


def _first_schema(path: Path) -> None:
    """Write a database as the release before conversations left it."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    from app.store import migrate

    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    with sqlite3.connect(path) as plain:
        plain.execute(
            "INSERT INTO answers (answer_id, collection_id, question, state, cancel_requested, created_at) "
            "VALUES ('old', 'space', '{}', 'finished', 0, '2024-05-01T00:00:00+00:00')"
        )
        plain.execute("INSERT INTO answer_events VALUES ('old', 1, 'done', '{}')")
    plain.close()
