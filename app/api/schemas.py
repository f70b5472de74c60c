"""What goes over the wire: requests refuse unknown fields, responses carry the core records as they are."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.core.asked_time import Source
from app.core.settings import Effort, Mode
from app.core.timespan import Relation, TimeSpan
from app.core.types import (
    AnswerReason,
    AnswerStatus,
    Citation,
    ConversationId,
    EvidenceNote,
    NoteId,
    Passage,
    RerankDegraded,
    StageScore,
    Usage,
)

JobState = Literal["queued", "running", "finished", "failed"]
DocumentState = Literal["queued", "parsing", "embedding", "ready", "failed", "deleting"]

_RERANKER = "reranker by name, `none` for none; as the settings say without it"


def _is_date(text: str) -> str:
    TimeSpan.parse(text)
    return text


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid")


_Date = Annotated[str, AfterValidator(_is_date), Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]


class TimeRequest(_Wire):
    """The time that is asked for; `from` and `to` take the place of the one that the words of a question name."""

    as_of: date | None = Field(default=None, description="leave out whatever was published later")
    first: _Date | None = Field(default=None, alias="from", description="YYYY, YYYY-MM or YYYY-MM-DD")
    last: _Date | None = Field(default=None, alias="to", description="YYYY, YYYY-MM or YYYY-MM-DD")
    read: bool = Field(default=True, description="false: no time is read from the words of the question")


class TimeBody(_Wire):
    """The time that a question asks for, read from its words (`surface`) or set by the user."""

    relation: Relation
    span: TimeSpan | None
    anchor: str | None
    ordinal: int | None
    surface: str
    rest: str
    source: Source


class AnswerRequest(_Wire):
    """A question to a collection."""

    question: str = Field(description="the question, in plain words")
    collection: str = Field(description="the collection that is asked")
    time: TimeRequest = Field(default=TimeRequest(), description="the time that is asked for")
    asked_on: date | None = Field(default=None, description="the day the question is asked; today (UTC) without it")
    seconds: float | None = Field(default=None, gt=0, le=3600, description="time for this answer, in seconds")
    reranker: str | None = Field(default=None, max_length=100, description=_RERANKER)
    effort: Effort | None = Field(default=None, description="how far it is followed: fast, balanced or deep")
    conversation_id: ConversationId | None = Field(default=None, description="the conversation that it goes on with")
    pinned_notes: tuple[NoteId, ...] = Field(default=(), max_length=50, description="notes to answer from")
    rejected_notes: tuple[NoteId, ...] = Field(default=(), max_length=50, description="notes not to use again")
    stream: bool = Field(default=False, description="answer with server-sent events")

    @model_validator(mode="after")
    def _notes_of_a_conversation(self) -> Self:
        if (self.pinned_notes or self.rejected_notes) and self.conversation_id is None:
            raise ValueError("pinned_notes and rejected_notes are of earlier answers; give their conversation_id")
        if both := sorted(set(self.pinned_notes) & set(self.rejected_notes)):
            raise ValueError(f"note '{both[0]}' is pinned and rejected; leave one out")
        return self


class AnswerBody(_Wire):
    """A finished answer; the same JSON as the event `answer.completed` and as `gnomon ask --json`."""

    answer_id: str
    conversation_id: ConversationId | None = None
    collection: str
    question: str
    understood_as: str = ""
    asked_on: date
    time: TimeBody | None = None
    query_id: str
    text: str
    status: AnswerStatus
    short: str
    confidence: float | None = None
    reason: AnswerReason | None
    detail: str
    citations: tuple[Citation, ...]
    notes: tuple[EvidenceNote, ...]
    usage: Usage
    trace_id: str
    trace: dict[str, Any]


class PendingAnswer(_Wire):
    """An answer that is not there yet; `events` is the address of its log."""

    answer_id: str
    conversation_id: ConversationId | None = None
    collection: str
    question: str
    state: Literal["queued", "running"]
    created_at: datetime
    events: str


class AnswerState(_Wire):
    """Where an answer stands."""

    answer_id: str
    state: Literal["queued", "running", "finished"]


class TurnBody(_Wire):
    """One question of a conversation and what came of it; without `status` while it is worked on."""

    answer_id: str
    collection: str
    question: str
    understood_as: str = ""
    created_at: datetime
    state: Literal["queued", "running", "finished"]
    status: AnswerStatus | None = None
    reason: AnswerReason | None = None
    short: str = ""
    text: str = ""


class ConversationSummary(_Wire):
    """A conversation; `title` is its first question, `turns` counts its questions."""

    conversation_id: ConversationId
    created_at: datetime
    title: str
    turns: int


class ConversationBody(_Wire):
    """A conversation with its turns in the order they were asked."""

    conversation_id: ConversationId
    created_at: datetime
    turns: list[TurnBody]


class ConversationList(_Wire):
    """Conversations, the newest first."""

    conversations: list[ConversationSummary]


class SearchRequest(_Wire):
    """A query to a collection."""

    query: str = Field(description="what to look for")
    collection: str = Field(description="the collection that is searched")
    top_k: int | None = Field(default=None, ge=1, le=1000, description="hits that are returned")
    mode: Mode | None = Field(default=None, description="the retriever; as the settings say without it")
    reranker: str | None = Field(default=None, max_length=100, description=_RERANKER)
    published_from: date | None = Field(default=None, description="first day of publication")
    published_to: date | None = Field(default=None, description="last day of publication")
    undated: bool = Field(default=True, description="whether passages without a date pass")
    time: TimeRequest = Field(default=TimeRequest(), description="the time that is asked for")
    asked_on: date | None = Field(default=None, description="the day of asking; today (UTC) without it")

    @model_validator(mode="after")
    def _dates_in_order(self) -> "SearchRequest":
        if self.published_from and self.last_published and self.published_from > self.last_published:
            raise ValueError("published_from is after published_to or time.as_of")
        return self

    @property
    def last_published(self) -> date | None:
        """The last day of publication that both `published_to` and `time.as_of` let through."""
        return min((day for day in (self.published_to, self.time.as_of) if day), default=None)


class HitBody(_Wire):
    """A passage in a ranking; `stages` tell what each stage said of it."""

    rank: int
    score: float
    source: str
    passage: Passage
    stages: tuple[StageScore, ...]


class SearchBody(_Wire):
    """The hits of a search, best first; `degraded` says why the reranker did not order them all."""

    query: str
    collection: str
    time: TimeBody | None = None
    hits: list[HitBody]
    degraded: RerankDegraded | None = None


class RerankerList(_Wire):
    """The rerankers that a question or a search can name, and the one used by those that name none."""

    rerankers: list[str]
    default: str


class CollectionRequest(_Wire):
    """A new collection."""

    collection_id: str = Field(description="1 to 64 of a-z, 0-9, - and _, beginning with a letter or digit")


class CollectionBody(_Wire):
    """A collection as it is published; `documents` and `passages` count what can be found."""

    collection_id: str
    created_at: datetime
    documents: int
    passages: int
    generation: int


class CollectionList(_Wire):
    """All collections by name."""

    collections: list[CollectionBody]


class DocumentRequest(_Wire):
    """A document given as text."""

    text: str = Field(min_length=1, description="the whole text")
    title: str = Field(default="", max_length=500)
    published: _Date | None = Field(default=None, description="YYYY, YYYY-MM or YYYY-MM-DD")
    doc_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")


class DocumentBody(_Wire):
    """A document of a collection; `error` says why one has failed."""

    doc_id: str
    title: str
    uri: str
    state: DocumentState
    error: str
    published: TimeSpan | None
    passages: int
    ingested_at: datetime


class DocumentList(_Wire):
    """The documents of a collection by id."""

    collection: str
    documents: list[DocumentBody]


class UploadedFile(_Wire):
    """One file of an upload."""

    filename: str
    doc_id: str | None
    state: DocumentState
    error: str


class JobBody(_Wire):
    """The work on one upload; `error` says why all of it failed."""

    job_id: str
    collection: str
    state: JobState
    documents: list[UploadedFile]
    passages: int
    error: str


class Health(_Wire):
    """Whether the server works."""

    status: Literal["ok", "ready"]


class Version(_Wire):
    """What is running."""

    version: str
    api: str
