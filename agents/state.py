"""What travels through the graph (State) and what its nodes may use (Tools)."""

import operator
from dataclasses import dataclass
from typing import Annotated, TypedDict

from agents.timeline import Statement
from app.core.events import Emit
from app.core.protocols import Embedder, LanguageModel, Reranker, Retriever
from app.core.run import Run
from app.core.settings import Agent, Search
from app.core.timespan import TimeConstraint, TimeSpan
from app.core.trace import Tracer
from app.core.types import Answer, EvidenceNote, Hit, Offsets, Passage, Question, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence the model may pick: `passage.text[start:end]`."""

    passage: Passage
    start: int
    end: int

    @property
    def text(self) -> str:
        """The sentence, verbatim."""
        return self.passage.text[self.start : self.end]

    @property
    def span(self) -> tuple[str, Offsets]:
        """What tells this sentence from every other."""
        return self.passage.passage_id, (self.start, self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An answer before it is checked: the bare answer and the model's trust in it, the sentence with its markers.

    `dates` are those that code has put into the sentence; with a conflict there is a sentence and no bare answer.
    """

    short: str
    text: str
    cited: tuple[int, ...]
    confidence: float | None = None
    dropped_markers: int = 0
    dates: tuple[TimeSpan, ...] = ()
    warning: str = ""
    has_conflict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One look at a draft; `finding` says in words what was wrong, empty when nothing was."""

    name: str
    passed: bool
    finding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What the checks say of the draft."""

    verdict: Verdict
    checks: tuple[Check, ...]


class State(TypedDict, total=False):
    """One channel a key; `notes`, `queries` and `sentences_read` grow, the others are replaced."""

    question: Question
    time: TimeConstraint | None
    query: str
    queries: Annotated[tuple[str, ...], operator.add]
    hits: tuple[Hit, ...]
    unknown_names: tuple[str, ...]
    notes: Annotated[tuple[EvidenceNote, ...], operator.add]
    passages: Annotated[tuple[Passage, ...], operator.add]
    sentences_read: Annotated[tuple[tuple[str, Offsets], ...], operator.add]
    missing: str
    statements: tuple[Statement, ...]
    time_gap: str
    draft: Draft | None
    verification: Verification | None
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The graph's context: instances behind protocols, limits and books; never part of the state."""

    retriever: Retriever
    reranker: Reranker
    model: LanguageModel
    embedder: Embedder
    agent: Agent
    search: Search
    run: Run
    tracer: Tracer
    emit: Emit
