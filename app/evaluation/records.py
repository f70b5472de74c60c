"""What is known of a question, and what a system made of it: all that the metrics see."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.core.ledger import ModelCall

Ranking = tuple[tuple[str, float], ...]  # (document id, score), best first, a document once


@dataclass(frozen=True, slots=True, kw_only=True)
class Gold:
    """A question with what is right for it.

    `answers` are alternatives, any of which is right. `answerable` is None where the set does not say (made for
    retrieval alone). `relevant` maps judged documents to their grades, 0 included. `answers_at_other_times` would be
    right had the question asked of another time. `variant_of` is the question that this
    one varies, itself where it is the original.
    """

    query_id: str
    text: str
    answers: tuple[str, ...] = ()
    answerable: bool | None = None
    relevant: Mapping[str, int] = field(default_factory=dict)
    kind: str = "other"
    hops: int | None = None
    has_time: bool = False
    answers_at_other_times: tuple[str, ...] = ()
    variant_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """One citation of an answer; `passage` is the whole text of the passage that it points at."""

    marker: int
    doc_id: str
    quote: str
    passage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a system answered; `status` as in app.core.types, `text` with its markers `[1]`, `noted` document ids.

    `confidence` is the system's own, 0 to 1, None where it gives none.
    """

    status: str
    short: str = ""
    text: str = ""
    confidence: float | None = None
    cited: tuple[Cited, ...] = ()
    noted: tuple[str, ...] = ()

    @property
    def is_answer(self) -> bool:
        """Whether it says something: an abstention and a failure do not."""
        return self.status in ("answered", "partial")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One search: document ids as they were found, and those read after reranking, best first, each once."""

    query: str
    found: tuple[str, ...]
    read: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a system made of a question.

    `ranking` is its final order of documents; `first_stage` the order before a reranker, None without one. `given` is
    None for a system that only retrieves. `stage_seconds` are seconds by stage, `seconds` the whole.
    """

    query_id: str
    ranking: Ranking
    first_stage: Ranking | None = None
    degraded: str | None = None
    given: Given | None = None
    hops: tuple[Hop, ...] = ()
    calls: tuple[ModelCall, ...] = ()
    stage_seconds: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
