"""How `ask` and `chat` have a question answered: watched, shown, and kept where it belongs to a conversation."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from app.cli.context import Cli
from app.cli.interrupts import Cancelled, Interrupted, interruptibly
from app.cli.progress import steps_on

if TYPE_CHECKING:
    from app.core.events import EventName
    from app.core.trace import Outcome
    from app.core.types import ConversationId, Question
    from app.engine import Engine

NEW = "new"

Events = list[tuple["EventName", Mapping[str, Any]]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answering:
    """What the questions of one command have in common; `limit` is in seconds."""

    cli: Cli
    engine: "Engine"
    collection: str
    limit: float | None
    reranker: str | None
    conversation_id: "ConversationId | None"
    as_json: bool
    show_steps: bool
    show_tree: bool = False

    def answer(self, question: "Question") -> "Outcome":
        """Return the answer of a question after it was shown.

        Raises:
            Interrupted: Ctrl-C was pressed.
            NotFound: there is no such collection.
        """
        events: Events = []
        outcome = self._work(question, events)
        if outcome.answer.status == "cancelled":
            raise Interrupted("interrupted", is_stuck=False)
        body = self._keep(question, outcome, events)
        if self.as_json:
            self.cli.screen.json(body)
        elif outcome.answer.status != "failed":
            from app.cli.rendering import answer_view

            self.cli.screen.show(answer_view(outcome, show_steps=self.show_steps, show_tree=self.show_tree))
        if outcome.answer.status == "failed":
            self.cli.screen.error(outcome.answer.detail)
        return outcome

    def _work(self, question: "Question", events: Events) -> "Outcome":
        with steps_on(self.cli.screen) as show:

            def emit(name: "EventName", data: Mapping[str, Any]) -> None:
                events.append((name, {"ts": datetime.now(UTC).isoformat(timespec="milliseconds"), **data}))
                show(name, data)

            def work(cancelled: Cancelled) -> "Outcome":
                run = self.engine.new_run(cancelled=cancelled, seconds=self.limit)
                return self.engine.answer(
                    question,
                    collection=self.collection,
                    emit=emit,
                    run=run,
                    reranker=self.reranker,
                    history=_history(self.engine, self.conversation_id),
                )

            return interruptibly(work)

    def _keep(self, question: "Question", outcome: "Outcome", events: Events) -> Mapping[str, Any]:
        """Return the JSON of an answer; one of a conversation is written to the database with its events."""
        if self.conversation_id is None:
            return outcome.body(answer_id=uuid4().hex, collection=self.collection)
        from app.answer_log import AnswerLog
        from app.store.answers import Answers

        answers = Answers(self.engine.database)
        log = AnswerLog.begin(answers, question, collection=self.collection, conversation_id=self.conversation_id)
        for name, data in events:
            log.emit(name, data)
        return log.finish(outcome)


def conversation_of(cli: Cli, engine: "Engine", named: str | None) -> "ConversationId | None":
    """Return the conversation of that id, a new one for `new`, None for none; a new one is told on stderr.

    Raises:
        NotFound: there is no such conversation.
    """
    if named is None:
        return None
    from app.core.types import ConversationId
    from app.store.conversations import Conversations

    conversations = Conversations(engine.database)
    if named != NEW:
        return conversations.get(ConversationId(named)).conversation_id
    begun = conversations.create().conversation_id
    cli.screen.note(f"conversation {begun}; 'gnomon ask --conversation {begun}' goes on with it")
    return begun


def _history(engine: "Engine", conversation_id: "ConversationId | None") -> Sequence[Any]:
    if conversation_id is None:
        return ()
    from app.answer_log import KEPT_TURNS, turns_of
    from app.store.answers import Answers

    return turns_of(Answers(engine.database).of_conversation(conversation_id, KEPT_TURNS))
