"""What travels through the graph (State) and what its nodes may use (Tools)."""

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypedDict, cast

from agents.confidence import SHIPPED, Confidence, Signs
from agents.timeline import Statement
from app.core.events import Emit
from app.core.protocols import Embedder, LanguageModel, Reranker, Retriever, TimeReader
from app.core.run import Run
from app.core.settings import Agent, Search, Tree
from app.core.timespan import TimeConstraint, TimeSpan
from app.core.trace import Books, Tracer
from app.core.types import Answer, EvidenceNote, Hit, NoteId, Offsets, Passage, PassageId, Question, Verdict

GoalStatus = Literal["open", "satisfied", "partly", "unsatisfied"]


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
class Goal:
    """What one search must establish: a question about one fact (RE-Searcher, arXiv 2509.26048, section 3).

    The question itself is the whole. A `pattern` names the answers of earlier goals as `#1`; `text` is it with these
    written in, empty until they are known. `query` is what it is searched with, `queries` every one so far, `tries` how
    often it was read for. `claim` is the sentence that tells the `answer`; `missing` says what a goal lacks that was
    given up.
    """

    number: int
    pattern: str
    is_whole: bool = False
    text: str = ""
    query: str = ""
    queries: tuple[str, ...] = ()
    tries: int = 0
    status: GoalStatus = "open"
    answer: str = ""
    claim: str = ""
    confidence: float | None = None
    note_ids: tuple[NoteId, ...] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One sentence of a draft and the notes that it rests on, by number from 1."""

    text: str
    cited: tuple[int, ...]
    verdict: Verdict = "supported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """Notes of earlier answers that the asker wants this one made of, without a search, and their passages."""

    notes: tuple[EvidenceNote, ...] = ()
    passages: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An answer before it is checked: the bare answer, the model's trust in it, and the sentences that tell it.

    `confidence` is the probability of the answer's tokens, that of its weakest link in a chain, None where none was
    told; `by` says who put the answer together. `dates` are those that code has put into the sentences; with a conflict
    there are sentences and no bare answer.
    """

    short: str
    claims: tuple[Claim, ...]
    confidence: float | None = None
    by: Literal["code", "model"] = "code"
    dates: tuple[TimeSpan, ...] = ()
    warning: str = ""
    has_conflict: bool = False

    @property
    def cited(self) -> tuple[int, ...]:
        """The notes that any sentence rests on, in order, each once: the first is marked `[1]`."""
        return tuple(dict.fromkeys(number for claim in self.claims for number in claim.cited))


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
    """One channel a key; `notes`, `passages`, `queries` and `read` grow, the others are replaced.

    `hits` are those of each goal's last search, `read` the passages that were read for it, both by its number. `books`
    say where the run stood after the last node, which `keeping.kept` adds to what each returns.
    """

    question: Question
    time: TimeConstraint | None
    goals: tuple[Goal, ...]
    hits: Mapping[int, tuple[Hit, ...]]
    queries: Annotated[tuple[str, ...], operator.add]
    unknown_names: tuple[str, ...]
    notes: Annotated[tuple[EvidenceNote, ...], operator.add]
    passages: Annotated[tuple[Passage, ...], operator.add]
    read: Annotated[tuple[tuple[int, PassageId], ...], operator.add]
    statements: tuple[Statement, ...]
    time_gap: str
    draft: Draft | None
    verification: Verification | None
    signs: Signs
    answer: Answer
    books: Books


_GROWING = frozenset({"notes", "passages", "queries", "read"})


def merged(state: State, update: Mapping[str, Any]) -> State:
    """Return the state after a node's update, as the graph makes it; the first is not changed."""
    before: Mapping[str, Any] = state
    grown = {key: (*before.get(key, ()), *value) for key, value in update.items() if key in _GROWING}
    return cast("State", {**state, **update, **grown})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The graph's context: instances behind protocols, limits, weights and books; never part of the state."""

    retriever: Retriever
    reranker: Reranker
    model: LanguageModel
    embedder: Embedder
    time_reader: TimeReader
    agent: Agent
    search: Search
    run: Run
    tracer: Tracer
    emit: Emit
    confidence: Confidence = SHIPPED
    tree: Tree = field(default_factory=Tree)
