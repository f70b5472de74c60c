"""The records that travel through Gnomon: frozen, keyword-only, checked where they are made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, NewType

from app.core.timespan import TimeConstraint, TimeMention, TimeSpan

DocId = NewType("DocId", str)
PassageId = NewType("PassageId", str)
QueryId = NewType("QueryId", str)
NoteId = NewType("NoteId", str)
AnswerId = NewType("AnswerId", str)
ConversationId = NewType("ConversationId", str)

Purpose = Literal["original", "sub_question", "refined", "hypothetical"]
Stance = Literal["supports", "refutes", "background"]
AnswerStatus = Literal["answered", "partial", "abstained", "cancelled", "failed"]
AnswerReason = Literal[
    "insufficient_evidence", "out_of_collection", "conflicting_evidence", "time_gap", "budget_exhausted"
]
Verdict = Literal["supported", "partly", "unsupported", "contradicted"]
DegradedReason = Literal["deadline", "budget", "unparsable", "missing_scores", "missing_capability", "model_error"]
Offsets = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One text of a collection as it was ingested; `version` is the hash of its content."""

    doc_id: DocId
    version: str
    title: str
    text: str
    uri: str
    published: TimeSpan | None = None
    ingested_at: datetime
    superseded_by: DocId | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError(f"document '{self.doc_id}' has no text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of a document: `text == document.text[start:end]`, characters, half-open.

    `passage_id` is `<doc_id>@<first 8 of the text's hash>#<ordinal>`, so it never comes to name another text.
    """

    passage_id: PassageId
    doc_id: DocId
    document_version: str
    title: str
    text: str
    start: int
    end: int
    page: int | None = None
    section: str | None = None
    published: TimeSpan | None = None
    uri: str = ""
    mentions: tuple[TimeMention, ...] = ()
    holds: TimeSpan | None = None
    superseded_by: DocId | None = None

    def __post_init__(self) -> None:
        if self.end - self.start != len(self.text):
            raise ValueError(f"passage '{self.passage_id}': offsets {self.start}..{self.end} do not fit its text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A hard condition on passages: what it excludes is never a hit.

    `published` keeps passages whose publication overlaps it; `undated` says whether passages without a date pass.
    """

    doc_ids: frozenset[DocId] | None = None
    published: TimeSpan | None = None
    undated: bool = True
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a person or a program asks; `as_of` leaves out whatever was published later.

    `original` are the words as they were typed, where `text` is what a follow-up means without its conversation, else
    empty; `reads_time` says whether a time may be read from its words. The notes, by their ids, are those of earlier
    answers of the conversation that the asker wants used, or never used again.
    """

    query_id: QueryId
    text: str
    asked_on: date
    as_of: date | None = None
    time: TimeConstraint | None = None
    original: str = ""
    reads_time: bool = True
    pinned_notes: tuple[NoteId, ...] = ()
    rejected_notes: tuple[NoteId, ...] = ()

    @property
    def typed(self) -> str:
        """The words as they were typed."""
        return self.original or self.text

    @property
    def understood_as(self) -> str:
        """What a follow-up was taken to mean; empty where the question was taken as it was typed."""
        return self.text if self.original else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is sent to a retriever."""

    query_id: QueryId
    text: str
    purpose: Purpose = "original"
    time: TimeConstraint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageScore:
    """What one stage said of a hit; `rank` counts from 1."""

    name: str
    rank: int
    score: float
    explanation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A passage in a ranking; the last of `stages` is this hit's own source, rank and score."""

    passage: Passage
    stages: tuple[StageScore, ...]

    def __post_init__(self) -> None:
        if not self.stages:
            raise ValueError(f"hit on '{self.passage.passage_id}' has no stage")

    @property
    def rank(self) -> int:
        """Position in this ranking, from 1."""
        return self.stages[-1].rank

    @property
    def score(self) -> float:
        """Score of the last stage; comparable only with hits of the same `source`."""
        return self.stages[-1].score

    @property
    def source(self) -> str:
        """Component that made this ranking."""
        return self.stages[-1].name

    def then(self, stage: StageScore) -> "Hit":
        """Return this hit after one more stage."""
        return Hit(passage=self.passage, stages=(*self.stages, stage))


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankDegraded:
    """Why a reranking is not what the model would have said, and how much of it is."""

    reason: DegradedReason
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reranking:
    """Reordered hits; `coverage` is the share of candidates that the model really ordered, 0 to 1."""

    hits: tuple[Hit, ...]
    coverage: float = 1.0
    degraded: RerankDegraded | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceNote:
    """A claim with the verbatim quote it rests on: `quote == passage.text[start:end]`."""

    note_id: NoteId
    passage_id: PassageId
    doc_id: DocId
    claim: str
    quote: str
    start: int
    end: int
    stance: Stance = "supports"
    published: TimeSpan | None = None
    holds: TimeSpan | None = None

    def __post_init__(self) -> None:
        if not self.quote.strip() or self.end - self.start != len(self.quote):
            raise ValueError(f"note '{self.note_id}': the quote does not fit its offsets {self.start}..{self.end}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """What a marker in an answer points at; enough to check the quote when the document is gone.

    `start` and `end` are characters of the quote in its passage, half-open; `marker` counts from 1. `told_for` are the
    times for which the quote tells what was asked, where the question was bound to a time.
    """

    marker: int
    note_id: NoteId
    passage_id: PassageId
    doc_id: DocId
    document_version: str
    title: str
    uri: str
    quote: str
    start: int
    end: int
    page: int | None = None
    section: str | None = None
    published: TimeSpan | None = None
    holds: TimeSpan | None = None
    stance: Stance = "supports"
    verdict: Verdict = "supported"
    told_for: tuple[TimeSpan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What model calls cost; `cached_tokens` are those of the prompt that were not computed again."""

    calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            seconds=self.seconds + other.seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What Gnomon says, or the reason why it does not.

    `text` carries markers `[1]`, `[2]` that `citations` resolve; `short` is the bare answer. An abstention has
    neither, and a failure is a status, never text. `confidence` is the probability that the short answer is right, 0 to
    1, see `agents.confidence`; None where it was not judged, and for conflicting evidence. Where
    several finished paths of a tree search had a vote, it is the answer's share of their weight.
    """

    query_id: QueryId
    text: str
    status: AnswerStatus
    short: str = ""
    confidence: float | None = None
    reason: AnswerReason | None = None
    detail: str = ""
    citations: tuple[Citation, ...] = ()
    notes: tuple[EvidenceNote, ...] = ()
    usage: Usage = field(default_factory=Usage)
    trace_id: str = ""

    def __post_init__(self) -> None:
        if self.status in ("answered", "partial") and not self.citations:
            raise ValueError("an answer without a citation is an abstention")
        if self.status in ("partial", "abstained") and self.reason is None:
            raise ValueError(f"the status '{self.status}' needs a reason")
        if self.status in ("abstained", "cancelled", "failed") and self.text:
            raise ValueError(f"the status '{self.status}' has no answer text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a model is sent; the static part comes first, so that its prefix can be cached.

    `schema` is a JSON schema that the backend's grammar enforces; `name` and `digest` name the template. `prefill` is
    what the model's turn begins with: it writes on from there, and completions do not repeat it.
    """

    name: str
    digest: str
    system: str
    user: str
    schema: Mapping[str, Any] | None = None
    prefill: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a completion is drawn; temperature 0 is greedy, `with_logprobs` asks for its tokens' probabilities."""

    max_tokens: int = 256
    temperature: float = 0.0
    stop: tuple[str, ...] = ()
    with_logprobs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What came back, and why it stopped: `stop` (the model ended) or `length` (max_tokens reached).

    `logprobs` are the tokens of the text with their natural logs; empty unless asked for, and where a backend has none.
    """

    text: str
    stop: Literal["stop", "length"]
    usage: Usage
    logprobs: tuple[tuple[str, float], ...] = ()
