"""What the framework costs: milliseconds a step of an answer, and how near questions at once come to the ideal.

The model follows a script, the index gives thirty passages at once and the embedder one vector, so all that is timed is
what stands between them. First a question of two hops, asked again and again: bare, with its events written to a log,
and with checkpoints too, as the server does it. Then 64 questions at once over a model that takes 200 ms a call, which
ideally take as long as the calls of one.

Usage: python benchmarks/bench_answer.py
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from _table import Row, in_turns, less, more, report, scaled
from numpy.typing import NDArray

from agents.keeping import records
from agents.run import Thread, run_agent
from agents.state import Tools
from app.answer_log import AnswerLog
from app.core import registry
from app.core.events import Emit, ignore
from app.core.run import Run
from app.core.settings import Agent, Search
from app.core.trace import Tracer
from app.core.types import (
    Completion,
    DocId,
    Filter,
    Hit,
    Passage,
    PassageId,
    Prompt,
    Query,
    QueryId,
    Question,
    Sampling,
    StageScore,
)
from app.models.scripted import Rule, ScriptedModel
from app.store.answers import Answers
from app.store.checkpoints import Checkpoints
from app.store.database import Database
from retrieval.temporal.constraint import RuleTimeReader

QUESTION = Question(
    query_id=QueryId("q"),
    text="When did the rocket that launched Skylab fly for the first time?",
    asked_on=date(2026, 1, 15),
)
FIRST, SECOND = "Which rocket launched Skylab?", "When did Saturn V fly for the first time?"
LATENCY = 0.2  # seconds a call
GOAL_MS = 15.0
GOAL_SHARE = 0.9
FILLER = " It was described in many reports of its time, by people who had seen it and by others who had not." * 8


class SlowModel(ScriptedModel):
    """Answers a batch after the latency; `calls` counts the batches."""

    def __init__(self, latency: float) -> None:
        super().__init__(
            Rule(name="plan", replies=(f'{{"steps": ["{FIRST}", "When did #1 fly for the first time?"]}}',)),
            Rule(name="note", contains=FIRST, replies=(_reading(1, "Skylab was launched by a Saturn V.", "Saturn V"),)),
            Rule(
                name="note", contains=SECOND, replies=(_reading(2, "It flew on 9 November 1967.", "9 November 1967"),)
            ),
        )
        self._latency = latency
        self.calls = 0

    def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
        """Return the scripted replies of one batch."""
        time.sleep(self._latency)
        self.calls += 1
        return super().generate(prompts, sampling=sampling, run=run)


class Shelf:
    """Finds the same thirty passages for every query; implements Retriever."""

    def __init__(self) -> None:
        told = "Skylab was launched on 14 May 1973 by a Saturn V. The Saturn V flew first on 9 November 1967."
        texts = [told + FILLER, *(f"Report {number}.{FILLER}" for number in range(29))]
        self._hits = [_hit(place, text) for place, text in enumerate(texts, start=1)]

    def retrieve_many(
        self, queries: Sequence[Query], *, top_k: int, run: Run, allowed: Filter | None = None
    ) -> list[list[Hit]]:
        """Return the same list per query."""
        return [self._hits[:top_k] for _ in queries]

    def retrieve(self, query: Query, *, top_k: int, run: Run, allowed: Filter | None = None) -> list[Hit]:
        """Return the first of the passages."""
        return self._hits[:top_k]


class StillEmbedder:
    """Gives every text the same vector; implements Embedder, and costs nothing."""

    dim, fingerprint = 8, "still"

    def embed(self, texts: Sequence[str], *, run: Run) -> NDArray[np.float32]:
        """Return rows of norm 1."""
        return np.full((len(texts), self.dim), self.dim**-0.5, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question: its seconds, the calls that its model was asked, one after the other, and its steps."""

    seconds: float
    calls: int
    steps: int


class Place:
    """Where answers are kept: a database and a file of checkpoints in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._answers = Answers(Database.open(folder / "gnomon.db"))
        self._checkpoints = Checkpoints(folder / "checkpoints.db", records(), made_with="benchmark")
        self._retriever = Shelf()
        self._embedder = StillEmbedder()
        self._reranker: Any = registry.build("rerankers", "identity", {}, None)  # type: ignore[arg-type]

    def bare(self, model: SlowModel) -> Asked:
        """Ask and keep nothing."""
        return self._ask(model, ignore, None)

    def logged(self, model: SlowModel) -> Asked:
        """Ask and write every event down."""
        return self._ask(model, AnswerLog.begin(self._answers, QUESTION, collection="c").emit, None)

    def kept(self, model: SlowModel) -> Asked:
        """Ask, write every event down and a checkpoint after every step."""
        log = AnswerLog.begin(self._answers, QUESTION, collection="c")
        asked = self._ask(model, log.emit, Thread.open(self._checkpoints, log.answer_id))
        self._checkpoints.delete_thread(log.answer_id)
        return asked

    def _ask(self, model: SlowModel, emit: Emit, thread: Thread | None) -> Asked:
        run = Run()
        tracer = Tracer(run, emit)
        tools = Tools(
            retriever=self._retriever,
            reranker=self._reranker,
            model=model,
            embedder=self._embedder,
            time_reader=RuleTimeReader(),
            agent=Agent(),
            search=Search(),
            run=run,
            tracer=tracer,
            emit=tracer.emit,
        )
        started = time.perf_counter()
        answer = run_agent(QUESTION, tools, thread=thread)
        seconds = time.perf_counter() - started
        if answer.short != "9 November 1967":
            sys.exit(f"the script was not followed: {answer}")
        return Asked(seconds=seconds, calls=model.calls, steps=len(tracer.steps))


def _reading(number: int, claim: str, answer: str) -> str:
    return f'{{"sentences": [{number}], "claim": "{claim}", "answer": "{answer}"}}'


def _hit(place: int, text: str) -> Hit:
    passage = Passage(
        passage_id=PassageId(f"d{place}@00000000#0"),
        doc_id=DocId(f"d{place}"),
        document_version="v",
        title=f"Document {place}",
        text=text,
        start=0,
        end=len(text),
    )
    return Hit(passage=passage, stages=(StageScore(name="lexical", rank=place, score=1 / place),))


def step_rows(place: Place) -> list[Row]:
    """Return the milliseconds a step beside the goal; of many questions the median, each way in its turn."""
    ways = {"bare": place.bare, "with events": place.logged, "with events and checkpoints": place.kept}
    done = in_turns(ways, [SlowModel(0.0) for _ in range(scaled(40, least=2))])
    steps = done["bare"].results[0].steps
    return [less(f"ms a step, {name}", 1000 * timed.seconds / steps, GOAL_MS, goal=1.0) for name, timed in done.items()]


def throughput_row(name: str, ask: Callable[[SlowModel], Asked], at_once: int) -> Row:
    """Return the questions a second of so many at once beside the ideal."""
    with ThreadPoolExecutor(at_once) as pool:
        started = time.perf_counter()
        done = list(pool.map(ask, [SlowModel(LATENCY) for _ in range(at_once)]))
        seconds = time.perf_counter() - started
    ideal = LATENCY * done[0].calls
    return more(f"questions a second, {at_once} at once, {name}", at_once / seconds, at_once / ideal, goal=GOAL_SHARE)


def main() -> None:
    """Print and write the table; `peer` is the goal, or the ideal."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        place.kept(SlowModel(0.0))  # imports and first pages
        rows = step_rows(place)
        for at_once in (1, 8, scaled(64)):
            rows += [throughput_row("bare", place.bare, at_once), throughput_row("as served", place.kept, at_once)]
        report("answer", rows, latency=LATENCY)


if __name__ == "__main__":
    main()
