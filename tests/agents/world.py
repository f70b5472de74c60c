"""A small collection, a scripted model and the real graph, for tests of the agent."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any

from agents.run import run_agent
from agents.state import Tools
from app.core import registry
from app.core.budget import Budget
from app.core.run import Run
from app.core.settings import Agent, Search, Tree
from app.core.timespan import TimeConstraint, TimeSpan
from app.core.trace import Tracer
from app.core.types import Answer, Passage, Question
from app.models.scripted import Rule, ScriptedModel
from fakes import PassageShelf, a_passage

SKYLAB = a_passage(
    "Skylab was launched on 14 May 1973 by a Saturn V rocket. Three crews lived aboard Skylab.",
    passage_id="skylab.md@0#0",
    title="Skylab",
    published=TimeSpan.parse("2013-05-14"),
)
SATURN = a_passage(
    "The Saturn V made its first flight on 9 November 1967. Wernher von Braun led its development.",
    passage_id="saturn-v.md@0#0",
    title="Saturn V",
)
PROTON = a_passage(
    "The Proton rocket flew for the first time on 16 July 1965. Proton launched the Mir core module.",
    passage_id="proton.md@0#0",
    title="Proton",
)
MIR = a_passage("Mir was launched on 20 February 1986 by a Proton rocket.", passage_id="mir.md@0#0", title="Mir")
CREWS = [
    a_passage(
        f"Skylab crew {n} was launched by a Saturn IB rocket and lived in the Skylab station for {n}0 days.",
        passage_id=f"skylab-crew-{n}.md@0#0",
        title=f"Skylab crew {n}",
    )
    for n in range(2, 9)
]


def plan(*steps: str) -> Rule:
    return Rule(name="plan", replies=(json.dumps({"steps": steps}),))


def picks(*numbers: int, answer: str = "unknown", claim: str = "") -> str:
    return json.dumps({"sentences": numbers, "claim": claim or answer, "answer": answer})


def tells(sentence: str, answer: str, claim: str = "", *, question: str = "") -> tuple[Rule, ...]:
    """Return the rules that read an answer from a sentence whatever its number is, where that question is asked."""
    return tuple(
        Rule(
            name="note",
            contains=(f"\n{n}. {sentence}", f"Question: {question}"),
            replies=(picks(n, answer=answer, claim=claim),),
        )
        for n in range(1, 30)
    )


def reply(answer: str, sentence: str, *facts: int) -> str:
    return json.dumps({"facts": facts, "answer": answer, "sentence": sentence})


class NoTime:
    """Reads no time; implements TimeReader."""

    def read(self, text: str, *, asked_on: date, run: Run) -> TimeConstraint | None:
        return None


class World:
    """Everything one question needs; `ask` runs the real graph, `events` holds what it emitted."""

    def __init__(
        self,
        *rules: Rule,
        passages: Sequence[Passage],
        agent: Mapping[str, Any] | None = None,
        tree: Mapping[str, Any] | None = None,
        run: Run | None = None,
    ) -> None:
        self.model = ScriptedModel(*rules)
        self.run = run or Run(budget=Budget(max_calls=10))
        self.tracer = Tracer(self.run)
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        embedder = registry.build("app.models", "hashing_embedder", {}, SimpleNamespace())  # type: ignore[arg-type]
        shelf = PassageShelf(passages)
        resources: Any = SimpleNamespace(passages=shelf, embedder=embedder)
        lexical = registry.build("indexes", "rank_bm25", {}, resources)
        lexical.add(passages, run=Run())
        resources.index = {"lexical": lexical}.__getitem__
        self.tools = Tools(
            retriever=registry.build("retrieval", "lexical", {}, resources),
            reranker=registry.build("rerankers", "identity", {}, resources),
            model=self.model,
            embedder=embedder,
            time_reader=NoTime(),
            agent=Agent(**(agent or {})),
            search=Search(),
            tree=Tree(**(tree or {})),
            run=self.run,
            tracer=self.tracer,
            emit=lambda name, data: self.events.append((name, data)),
        )

    def ask(self, question: Question) -> Answer:
        return run_agent(question, self.tools)

    def named(self, name: str) -> list[Mapping[str, Any]]:
        return [data for event, data in self.events if event == name]
