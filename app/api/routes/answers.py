"""Answers: asked for, read, tailed and stopped."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header
from starlette.responses import JSONResponse, Response

from app.answer_log import KEPT_TURNS, check_notes, turns_of
from app.api.deps import Services, ServicesDep
from app.api.event_schemas import AnswerEvent
from app.api.schemas import AnswerBody, AnswerRequest, AnswerState, PendingAnswer
from app.api.sse import EventStream, tail
from app.api.times import asked_time
from app.core import registry
from app.core.types import AnswerId, Question
from app.questions import make_question
from app.runner import Options
from app.store.answers import AnswerRow
from app.store.collections import check_filled

router = APIRouter(prefix="/v1/answers", tags=["answers"])

_STREAM: dict[int | str, dict[str, Any]] = {200: {"model": AnswerEvent, "description": "one event of the log"}}


@router.post("", responses={200: {"model": AnswerBody}, 202: {"model": PendingAnswer}})
async def ask(
    request: AnswerRequest, services: ServicesDep, prefer: Annotated[str | None, Header()] = None
) -> Response:
    """Answer a question: as JSON when it is done, as events while it is worked on, or later (202).

    The answer is worked on in the server: a client that leaves can read it at its address.
    """
    question = await to_thread.run_sync(_checked, request, services)
    answer_id, future = await to_thread.run_sync(
        lambda: services.runner.submit(
            question,
            collection=request.collection,
            options=Options(seconds=request.seconds, reranker=request.reranker, effort=request.effort),
            conversation_id=request.conversation_id,
        )
    )
    if request.stream:
        return EventStream(tail(services.answers, services.runner, answer_id), answer_id)
    if _wants_async(prefer):
        row = await to_thread.run_sync(services.answers.get, answer_id)
        return _accepted(row)
    await asyncio.shield(asyncio.wrap_future(future))
    return _finished(await to_thread.run_sync(services.answers.get, answer_id))


@router.get("/{answer_id}", responses={200: {"model": AnswerBody | PendingAnswer}})
def read(answer_id: AnswerId, services: ServicesDep) -> Response:
    """Return an answer, or where it stands while it is worked on."""
    row = services.answers.get(answer_id)
    if row.result is not None:
        return _finished(row)
    return JSONResponse(_pending(row).model_dump(mode="json"))


@router.get("/{answer_id}/events", status_code=HTTPStatus.OK, response_class=EventStream, responses=_STREAM)
async def events(
    answer_id: AnswerId, services: ServicesDep, last_event_id: Annotated[int, Header(ge=0)] = 0
) -> Response:
    """Return the answer's log as server-sent events, after the event named by `Last-Event-ID`."""
    await to_thread.run_sync(services.answers.get, answer_id)
    return EventStream(tail(services.answers, services.runner, answer_id, after_seq=last_event_id), answer_id)


@router.post("/{answer_id}/cancel", status_code=HTTPStatus.ACCEPTED)
def cancel(answer_id: AnswerId, services: ServicesDep) -> AnswerState:
    """Ask for an answer to be stopped; a finished one stays as it is."""
    services.runner.cancel(answer_id)
    return AnswerState(answer_id=answer_id, state=services.answers.get(answer_id).state)


def _checked(request: AnswerRequest, services: Services) -> Question:
    asked_on = request.asked_on or datetime.now(UTC).date()
    settings = services.engine.settings
    time = asked_time(request.time)
    question = make_question(
        request.question, asked_on=asked_on, settings=settings, as_of=request.time.as_of, time=time
    )
    check_filled(services.collections.get(request.collection))
    question = _with_notes(question, request, services)
    named = settings.with_reranker(request.reranker).search.reranker
    registry.options_of("rerankers", named.name, named.options)
    return question


def _with_notes(question: Question, request: AnswerRequest, services: Services) -> Question:
    if request.conversation_id is None:
        return question
    services.conversations.get(request.conversation_id)
    noted = (*request.pinned_notes, *request.rejected_notes)
    if noted:
        check_notes(noted, turns_of(services.answers.of_conversation(request.conversation_id, KEPT_TURNS)))
    return replace(question, pinned_notes=request.pinned_notes, rejected_notes=request.rejected_notes)


def _wants_async(prefer: str | None) -> bool:
    return "respond-async" in {part.strip().lower() for part in (prefer or "").split(",")}


def _finished(row: AnswerRow) -> Response:
    return Response(row.result, media_type="application/json")


def _accepted(row: AnswerRow) -> Response:
    headers = {"Location": f"/v1/answers/{row.answer_id}", "Preference-Applied": "respond-async"}
    return JSONResponse(_pending(row).model_dump(mode="json"), status_code=HTTPStatus.ACCEPTED, headers=headers)


def _pending(row: AnswerRow) -> PendingAnswer:
    return PendingAnswer(
        answer_id=row.answer_id,
        conversation_id=row.conversation_id,
        collection=row.collection_id,
        question=json.loads(row.question)["text"],
        state="queued" if row.state == "queued" else "running",
        created_at=row.created_at,
        events=f"/v1/answers/{row.answer_id}/events",
    )
