"""An answer that is kept: its row, its events while it is worked on, its result, and the turns that came before it."""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from agents.citing import without_markers
from agents.follow_up import Turn
from app.core.errors import NotFound
from app.core.events import EventName, Kept
from app.core.trace import Outcome
from app.core.types import AnswerId, ConversationId, EvidenceNote, NoteId, Question
from app.store.answers import AnswerRow, Answers

KEPT_TURNS = 5
"""How many turns of a conversation a follow-up may refer to, and of which notes can be pinned."""

_QUESTION = TypeAdapter(Question)
_NOTES = TypeAdapter(tuple[EvidenceNote, ...])


class AnswerLog:
    """Writes one answer down; the row is there before its first event."""

    def __init__(self, answers: Answers, row: AnswerRow) -> None:
        self._answers = answers
        self.answer_id = row.answer_id
        self._collection = row.collection_id
        self._conversation = row.conversation_id

    @classmethod
    def begin(
        cls,
        answers: Answers,
        question: Question,
        *,
        collection: str,
        conversation_id: ConversationId | None = None,
        options: str | None = None,
    ) -> "AnswerLog":
        """Return the log of a new, queued answer, the last turn of its conversation if it belongs to one."""
        answer_id, text = AnswerId(uuid.uuid4().hex), _QUESTION.dump_json(question).decode()
        return cls(answers, answers.create(answer_id, collection, text, conversation_id, options=options))

    def kept(self) -> Kept:
        """Return the answer with what it has told so far, for an engine that can go on with it."""
        return Kept(answer_id=self.answer_id, told=self._answers.read(self.answer_id))

    def question(self) -> Question:
        """Return what was asked, as it was typed."""
        return _QUESTION.validate_json(self._answers.get(self.answer_id).question)

    def history(self) -> tuple[Turn, ...]:
        """Return the finished turns before this one in its conversation, the last one last."""
        if self._conversation is None:
            return ()
        return turns_of(self._answers.of_conversation(self._conversation, KEPT_TURNS, before=self.answer_id))

    def emit(self, name: EventName, data: Mapping[str, Any]) -> None:
        """Append an event."""
        self._answers.append(self.answer_id, name, {"ts": _now(), **data})

    def finish(self, outcome: Outcome, *, code: str = "answer_failed") -> dict[str, Any]:
        """Write the last events and the result, which is returned; the row is finished before `done` can be read."""
        body = outcome.body(answer_id=self.answer_id, collection=self._collection, conversation_id=self._conversation)
        self.emit("answer.completed", body)
        self._end(body, code=code)
        return body

    def finish_completed(self) -> bool:
        """Finish an answer whose process ended after it was completed; return whether it was."""
        told = {event.name: event.data for event in self._answers.read(self.answer_id)}
        if "answer.completed" not in told:
            return False
        body = {key: value for key, value in told["answer.completed"].items() if key != "ts"}
        self._end(body, code=None if "error" in told else "answer_failed")
        return True

    def _end(self, body: Mapping[str, Any], *, code: str | None) -> None:
        if body["status"] == "failed" and code is not None:
            self.emit("error", _problem(code, body["detail"]))
        self._answers.finish(self.answer_id, json.dumps(body, ensure_ascii=False))
        self.emit("done", {"status": body["status"]})


def turns_of(rows: Sequence[AnswerRow]) -> tuple[Turn, ...]:
    """Return the finished answers among the rows as turns, in their order."""
    return tuple(_turn(json.loads(row.result)) for row in rows if row.result is not None)


def check_notes(note_ids: Sequence[NoteId], history: Sequence[Turn]) -> None:
    """Return if all notes are notes of the history.

    Raises:
        NotFound: one is not.
    """
    known = {note.note_id for turn in history for note in turn.notes}
    if unknown := next((note_id for note_id in note_ids if note_id not in known), None):
        raise NotFound(f"no note '{unknown}' in the last {KEPT_TURNS} answers of this conversation")


def _turn(body: Mapping[str, Any]) -> Turn:
    return Turn(
        question=body["understood_as"] or body["question"],
        answer=body["short"] or without_markers(body["text"]),
        notes=_NOTES.validate_python(body["notes"]),
    )


def _problem(code: str, detail: str) -> dict[str, Any]:
    """Return problem details (RFC 9457) of a failed answer."""
    return {
        "type": f"urn:gnomon:problem:{code}",
        "title": "Answer failed",
        "status": 500,
        "detail": detail,
        "code": code,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
