"""Conversations: begun, listed, read and deleted; their turns are answers that name them."""

import json
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query

from app.api.deps import ServicesDep
from app.api.problems import Refusal
from app.api.schemas import ConversationBody, ConversationList, ConversationSummary, TurnBody
from app.core.types import ConversationId
from app.store.answers import AnswerRow
from app.store.conversations import Conversation

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])


@router.post("", status_code=HTTPStatus.CREATED)
def begin(services: ServicesDep) -> ConversationSummary:
    """Begin a conversation; answers join it that name it in `conversation_id`."""
    return _summary(services.conversations.create())


@router.get("")
def list_conversations(
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: ConversationId | None = None,
) -> ConversationList:
    """Return the conversations, the newest first; `before` names the last one of the page before."""
    return ConversationList(conversations=[_summary(row) for row in services.conversations.list(limit, before)])


@router.get("/{conversation_id}")
def read(conversation_id: ConversationId, services: ServicesDep) -> ConversationBody:
    """Return a conversation with its turns."""
    found = services.conversations.get(conversation_id)
    turns = [_turn(row) for row in services.answers.of_conversation(conversation_id)]
    return ConversationBody(conversation_id=conversation_id, created_at=found.created_at, turns=turns)


@router.delete("/{conversation_id}", status_code=HTTPStatus.NO_CONTENT)
def delete(conversation_id: ConversationId, services: ServicesDep) -> None:
    """Remove a conversation with its answers and their logs; one that is worked on is refused (409)."""
    rows = services.answers.of_conversation(conversation_id)
    if working := next((row.answer_id for row in rows if services.runner.is_working_on(row.answer_id)), None):
        detail = f"answer '{working}' of this conversation is worked on; stop it or wait for it, then delete"
        raise Refusal(HTTPStatus.CONFLICT, "conversation_at_work", detail)
    services.conversations.delete(conversation_id)


def _summary(row: Conversation) -> ConversationSummary:
    title = json.loads(row.first_question)["text"] if row.first_question else ""
    return ConversationSummary(
        conversation_id=row.conversation_id, created_at=row.created_at, title=title, turns=row.turns
    )


def _turn(row: AnswerRow) -> TurnBody:
    result: dict[str, Any] = json.loads(row.result) if row.result else {}
    told = {name: result[name] for name in ("understood_as", "status", "reason", "short", "text") if name in result}
    return TurnBody(
        answer_id=row.answer_id,
        collection=row.collection_id,
        question=json.loads(row.question)["text"],
        created_at=row.created_at,
        state=row.state,
        **told,
    )
