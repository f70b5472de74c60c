"""Conversations: answers that follow one another, each question read in the light of those before it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, literal, select, tuple_

from app.core.errors import NotFound
from app.core.types import ConversationId
from app.store.database import Database
from app.store.tables import answers, conversations


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation: when it was begun (UTC), how many turns it has, its first question as JSON, None before one."""

    conversation_id: ConversationId
    created_at: datetime
    turns: int
    first_question: str | None


class Conversations:
    """All conversations of a database; their turns are answers, see `Answers.of_conversation`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self) -> Conversation:
        """Return a new conversation without turns."""
        conversation_id, now = ConversationId(uuid.uuid4().hex), datetime.now(UTC)
        with self._database.session() as session:
            row = {"conversation_id": conversation_id, "created_at": now.isoformat()}
            session.execute(insert(conversations), row)
        return Conversation(conversation_id=conversation_id, created_at=now, turns=0, first_question=None)

    def get(self, conversation_id: ConversationId) -> Conversation:
        """Return a conversation.

        Raises:
            NotFound: there is no such conversation.
        """
        found = self._read(_with_turns().where(conversations.c.conversation_id == conversation_id))
        if not found:
            raise NotFound(f"no conversation '{conversation_id}'; begin one, or ask without")
        return found[0]

    def list(self, limit: int = 50, before: ConversationId | None = None) -> Sequence[Conversation]:
        """Return the newest conversations first; with `before`, those that were begun earlier than that one."""
        query = _with_turns()
        place = tuple_(conversations.c.created_at, conversations.c.conversation_id)
        if before is not None:
            at = self.get(before).created_at.isoformat()
            query = query.where(place < tuple_(literal(at), literal(before)))
        newest = (conversations.c.created_at.desc(), conversations.c.conversation_id.desc())
        return self._read(query.order_by(*newest).limit(limit))

    def delete(self, conversation_id: ConversationId) -> None:
        """Remove a conversation with its answers and their logs; one transaction.

        Raises:
            NotFound: there is no such conversation.
        """
        self.get(conversation_id)
        with self._database.session() as session:
            session.execute(delete(answers).where(answers.c.conversation_id == conversation_id))
            session.execute(delete(conversations).where(conversations.c.conversation_id == conversation_id))

    def _read(self, query: Select[Any]) -> Sequence[Conversation]:
        with self._database.reading() as session:
            return [_conversation(row) for row in session.execute(query)]


def _with_turns() -> Select[Any]:
    mine = answers.c.conversation_id == conversations.c.conversation_id
    turns = select(func.count()).where(mine).scalar_subquery()
    oldest = (answers.c.created_at, answers.c.answer_id)
    first = select(answers.c.question).where(mine).order_by(*oldest).limit(1).scalar_subquery()
    return select(conversations, turns.label("turns"), first.label("first_question"))


def _conversation(row: Row[Any]) -> Conversation:
    values = dict(row._mapping)
    return Conversation(**{**values, "created_at": datetime.fromisoformat(values["created_at"])})
