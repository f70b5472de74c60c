"""An answer's log as server-sent events: tailed from any point until nothing can follow."""

import json
from collections.abc import AsyncIterator

import anyio
from anyio import to_thread
from sse_starlette import EventSourceResponse, ServerSentEvent

from app.core.events import Event
from app.core.types import AnswerId
from app.runner import Runner
from app.store.answers import Answers

HEARTBEAT_SECONDS = 15
POLL_SECONDS = 0.1


class EventStream(EventSourceResponse):
    """The response of a stream; a comment every 15 seconds keeps the connection open."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[ServerSentEvent], answer_id: AnswerId) -> None:
        super().__init__(
            events,
            ping=HEARTBEAT_SECONDS,
            ping_message_factory=lambda: ServerSentEvent(comment="ping"),
            headers={"Cache-Control": "no-cache", "Location": f"/v1/answers/{answer_id}"},
        )


async def tail(
    answers: Answers, runner: Runner, answer_id: AnswerId, *, after_seq: int = 0
) -> AsyncIterator[ServerSentEvent]:
    """Yield the events after `after_seq`, those to come included, until `done`."""
    seen = after_seq
    while True:
        is_live = runner.is_working_on(answer_id)  # asked before the log is read, so no last event is missed
        events = await to_thread.run_sync(answers.read, answer_id, seen)
        for event in events:
            yield as_sent(event)
            seen = event.seq
        if events and events[-1].name == "done":
            return
        if not events and not is_live:
            return
        if not events:
            await anyio.sleep(POLL_SECONDS)


def as_sent(event: Event) -> ServerSentEvent:
    """Return an event with its envelope; ASCII only, as some clients break lines at U+2028."""
    content = {"event": event.name, "seq": event.seq, "answer_id": event.answer_id, **event.data}
    return ServerSentEvent(id=str(event.seq), event=event.name, data=json.dumps(content))
