"""The events of an answer's log as they are sent, one model each; clients ignore whatever they do not know."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from app.core.timespan import Relation, TimeSpan
from app.core.types import AnswerStatus, StageScore, Verdict


class _Event(BaseModel):
    """What every event carries; `seq` counts from 1 within an answer, without gaps."""

    model_config = ConfigDict(extra="allow")

    seq: int
    ts: datetime
    answer_id: str


class Started(_Event):
    """Work has begun."""

    event: Literal["answer.started"]
    question: str
    asked_on: date
    collection: str


class Understood(_Event):
    """A follow-up question was put into words that stand alone."""

    event: Literal["question.understood"]
    question: str
    understood_as: str


class Planned(_Event):
    """The question's parts are known."""

    event: Literal["plan.created"]
    parts: list[str]


class TimeResolved(_Event):
    """The question's time constraint is known; `surface` is empty where the user set it."""

    event: Literal["time.resolved"]
    relation: Relation
    span: TimeSpan | None
    anchor: str | None
    ordinal: int | None
    surface: str
    rest: str


class StepStarted(_Event):
    """A step begins."""

    event: Literal["step.started"]
    node: str


class StepFinished(_Event):
    """A step has ended; `seconds` is what it took."""

    event: Literal["step.finished"]
    node: str
    summary: str
    seconds: float
    calls: int
    prompt_tokens: int
    completion_tokens: int


class FoundPassage(BaseModel):
    """A passage that a search found, with its score at each stage."""

    model_config = ConfigDict(extra="allow")

    passage_id: str
    doc_id: str
    title: str
    published: str = Field(default="", description="at its own granularity, empty when unknown")
    rank: int
    stages: list[StageScore] = []


class SearchResults(_Event):
    """What a search found, best first."""

    event: Literal["search.results"]
    query: str
    hits: list[FoundPassage]


class NoteAdded(_Event):
    """A quote was noted as evidence."""

    event: Literal["note.added"]
    note_id: str
    claim: str
    quote: str
    passage_id: str
    doc_id: str
    title: str
    published: str


class NoteRejected(_Event):
    """A pick of the model was refused."""

    event: Literal["note.rejected"]


class TreeNode(_Event):
    """A way of the tree search was tried; the whole tree stands in the trace of the answer."""

    event: Literal["tree.node"]
    node_id: int
    parent: int | None
    action: str
    text: str
    queries: list[str]
    value: float
    visits: int
    cost: float
    status: Literal["open", "answered", "pruned", "failed"]


class DraftDelta(_Event):
    """A piece of a draft, which may be dropped."""

    event: Literal["draft.delta"]
    text: str


class AnswerDelta(_Event):
    """A piece of the answer that stands; the pieces join to its text."""

    event: Literal["answer.delta"]
    text: str


class Cited(_Event):
    """A marker of the answer is bound to its quote."""

    event: Literal["citation"]
    marker: int
    note_id: str
    quote: str


class Verified(_Event):
    """A sentence of the answer was checked."""

    event: Literal["verification"]
    sentence: str
    verdict: Verdict


class Completed(_Event):
    """The whole answer, as `GET /v1/answers/{answer_id}` gives it."""

    event: Literal["answer.completed"]
    status: AnswerStatus
    text: str
    citations: list[dict[str, Any]]


class Failed(_Event):
    """The answer has failed; the members are problem details."""

    event: Literal["error"]
    type: str
    title: str
    status: int
    detail: str
    code: str


class Done(_Event):
    """Nothing follows."""

    event: Literal["done"]
    status: AnswerStatus


AnswerEvent = Annotated[
    Started
    | Understood
    | Planned
    | TimeResolved
    | StepStarted
    | StepFinished
    | SearchResults
    | NoteAdded
    | NoteRejected
    | TreeNode
    | DraftDelta
    | AnswerDelta
    | Cited
    | Verified
    | Completed
    | Failed
    | Done,
    Field(discriminator="event"),
]
ANSWER_EVENT: TypeAdapter[AnswerEvent] = TypeAdapter(AnswerEvent)
