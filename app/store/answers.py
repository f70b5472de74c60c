"""Answers and their logs: events are appended, numbered without gaps, and read from any point."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, String, Update, bindparam, func, insert, literal, select, tuple_, update
from sqlalchemy.sql.dml import ReturningInsert

from app.core.errors import NotFound
from app.core.events import Event, EventName
from app.core.types import AnswerId, ConversationId
from app.store.database import Database
from app.store.tables import answer_events, answers

AnswerState = Literal["queued", "running", "finished"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """An answer as a job: `question`, `options` and `result` are JSON texts, times are UTC.

    `options` are what it was asked with beside the question, None where nobody may go on with it; `starts` counts how
    often work on it was begun.
    """

    answer_id: AnswerId
    collection_id: str
    question: str
    state: AnswerState
    result: str | None
    cancel_requested: bool
    created_at: datetime
    conversation_id: ConversationId | None
    options: str | None = None
    starts: int = 0


def _appending() -> ReturningInsert[Any]:
    """Return the insert of one event, numbered after the last; it adds nothing where there is no such answer."""
    to = bindparam("to", type_=String)
    last = select(func.coalesce(func.max(answer_events.c.seq), 0)).where(answer_events.c.answer_id == to)
    is_known = select(answers.c.answer_id).where(answers.c.answer_id == to).exists()
    row = select(to, last.scalar_subquery() + 1, bindparam("event", type_=String), bindparam("content", type_=String))
    added = insert(answer_events).from_select(["answer_id", "seq", "name", "data"], row.where(is_known))
    return added.returning(answer_events.c.seq)


_APPEND = _appending()


class Answers:
    """All answers of a database; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        answer_id: AnswerId,
        collection_id: str,
        question: str,
        conversation_id: ConversationId | None = None,
        *,
        options: str | None = None,
    ) -> AnswerRow:
        """Return a new answer in state `queued`, the last turn of its conversation if it belongs to one."""
        row = AnswerRow(
            answer_id=answer_id,
            collection_id=collection_id,
            question=question,
            state="queued",
            result=None,
            cancel_requested=False,
            created_at=datetime.now(UTC),
            conversation_id=conversation_id,
            options=options,
        )
        values = {name: getattr(row, name) for name in AnswerRow.__slots__}
        with self._database.session() as session:
            session.execute(insert(answers), {**values, "created_at": row.created_at.isoformat()})
        return row

    def append(self, answer_id: AnswerId, name: EventName, data: Mapping[str, Any]) -> Event:
        """Return the event after it was added to the answer's log.

        Raises:
            NotFound: there is no such answer.
        """
        text = json.dumps(data, ensure_ascii=False)
        with self._database.session() as session:
            seq = session.execute(_APPEND, {"to": answer_id, "event": name, "content": text}).scalar()
        if seq is None:
            raise _unknown(answer_id)
        return Event(answer_id=answer_id, seq=seq, name=name, data=json.loads(text))

    def read(self, answer_id: AnswerId, after_seq: int = 0) -> list[Event]:
        """Return the events after `after_seq`, in order; empty when there is nothing new."""
        query = select(answer_events).where(answer_events.c.answer_id == answer_id, answer_events.c.seq > after_seq)
        with self._database.reading() as session:
            rows = session.execute(query.order_by(answer_events.c.seq)).all()
        return [Event(answer_id=answer_id, seq=row.seq, name=row.name, data=json.loads(row.data)) for row in rows]

    def get(self, answer_id: AnswerId) -> AnswerRow:
        """Return an answer.

        Raises:
            NotFound: there is no such answer.
        """
        with self._database.reading() as session:
            row = session.execute(select(answers).where(answers.c.answer_id == answer_id)).first()
        if row is None:
            raise _unknown(answer_id)
        return _answer(row)

    def list(self, limit: int = 50, before: AnswerId | None = None) -> Sequence[AnswerRow]:
        """Return the newest answers first; with `before`, those that are older than that one."""
        query = select(answers).order_by(answers.c.created_at.desc(), answers.c.answer_id.desc()).limit(limit)
        if before is not None:
            query = query.where(self._is_older(before))
        with self._database.reading() as session:
            return [_answer(row) for row in session.execute(query)]

    def of_conversation(
        self, conversation_id: ConversationId, limit: int | None = None, *, before: AnswerId | None = None
    ) -> Sequence[AnswerRow]:
        """Return the turns of a conversation in the order they were asked: the last `limit`, those `before` one."""
        query = select(answers).where(answers.c.conversation_id == conversation_id)
        if before is not None:
            query = query.where(self._is_older(before))
        newest = query.order_by(answers.c.created_at.desc(), answers.c.answer_id.desc()).limit(limit)
        with self._database.reading() as session:
            return [_answer(row) for row in session.execute(newest)][::-1]

    def unfinished(self) -> Sequence[AnswerRow]:
        """Return the answers that are queued or running, the oldest first."""
        query = select(answers).where(answers.c.state != "finished").order_by(answers.c.created_at)
        with self._database.reading() as session:
            return [_answer(row) for row in session.execute(query)]

    def start(self, answer_id: AnswerId) -> None:
        """Move an answer to `running`, and count it."""
        self._change(answer_id, update(answers).values(state="running", starts=answers.c.starts + 1))

    def finish(self, answer_id: AnswerId, result: str) -> None:
        """Store an answer's result and move it to `finished`."""
        self._change(answer_id, update(answers).values(state="finished", result=result))

    def request_cancel(self, answer_id: AnswerId) -> None:
        """Ask for an answer to be stopped."""
        self._change(answer_id, update(answers).values(cancel_requested=True))

    def cancel_requested(self, answer_id: AnswerId) -> bool:
        """Tell whether somebody asked for the answer to be stopped."""
        return self.get(answer_id).cancel_requested

    def _is_older(self, than: AnswerId) -> ColumnElement[bool]:
        at = self.get(than).created_at.isoformat()
        return tuple_(answers.c.created_at, answers.c.answer_id) < tuple_(literal(at), literal(than))

    def _change(self, answer_id: AnswerId, change: Update) -> None:
        with self._database.session() as session:
            if session.execute(change.where(answers.c.answer_id == answer_id)).rowcount == 0:
                raise _unknown(answer_id)


def _unknown(answer_id: AnswerId) -> NotFound:
    return NotFound(f"no answer '{answer_id}'; the address of an answer is what its request returned")


def _answer(row: Row[Any]) -> AnswerRow:
    values = dict(row._mapping)
    return AnswerRow(**{**values, "created_at": datetime.fromisoformat(values["created_at"])})
