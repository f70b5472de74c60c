"""A reranker that reads whole passages inside the real graph: what it costs, and what is left for the answer."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scored import ReadableModel, resources_with
from world import CREWS, MIR, PROTON, SATURN, SKYLAB, World, tells

from app.core import registry
from app.core.budget import Budget
from app.core.errors import Cancelled, MissingCapability
from app.core.run import Run
from app.core.types import Prompt
from app.proxies import BookedApart
from fakes import a_query, a_question

PASSAGES = [SKYLAB, SATURN, PROTON, MIR, *CREWS]
TIGHT = Budget(max_calls=4, max_tokens=1500)  # enough for one reading, not for what a reranker reads
AMPLE = Budget(max_tokens=200_000)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Scorer(ReadableModel):
    """A passage's likelihood costs 5000 tokens, and some time if a clock is given."""

    def __init__(self, clock: Clock | None = None, seconds: float = 0.0) -> None:
        super().__init__()
        self.clock = clock or Clock()
        self.seconds = seconds

    def token_logprobs(
        self, prompts: Sequence[Prompt], *, continuations: Sequence[str], run: Run
    ) -> list[NDArray[np.float32]]:
        found = []
        for prompt, text in zip(prompts, continuations, strict=True):
            long = replace(prompt, user=prompt.user + " word" * 5000)
            found += super().token_logprobs([long], continuations=[text], run=run)
            self.clock.now += self.seconds
        return found


def world(scorer: ReadableModel, *, run: Run, budget: Budget = AMPLE) -> World:
    made = World(
        *tells("Mir was launched", "Proton", "Mir was launched by a Proton rocket."),
        passages=PASSAGES,
        agent={"goals": 1, "passages": len(PASSAGES)},
        run=run,
    )
    reranker = registry.build("rerankers", "likelihood", {}, resources_with(scorer))
    made.tools = replace(made.tools, reranker=BookedApart(reranker, budget))
    return made


MIR_QUESTION = a_question("Which rocket launched Mir?")


def order_of(asked: World) -> list[str]:
    return [row["passage_id"] for row in asked.named("search.results")[0]["hits"]]


def first_stage() -> list[str]:
    plain = world(Scorer(), run=Run())
    plain.tools = replace(plain.tools, reranker=registry.build("rerankers", "identity", {}, resources_with(None)))
    plain.ask(MIR_QUESTION)
    return order_of(plain)


def test_what_the_reranker_reads_is_booked_and_leaves_the_answer_its_budget() -> None:
    asked = world(Scorer(), run=Run(budget=TIGHT))

    answer = asked.ask(MIR_QUESTION)

    assert (answer.status, answer.short) == ("answered", "Proton")
    [search] = [step for step in asked.tracer.steps if step.node == "search"]
    assert sum(call.usage.prompt_tokens for call in search.calls) > 20_000
    assert {call.purpose for call in search.calls} == {"rerankers/likelihood"}
    assert asked.run.ledger.own().prompt_tokens < 1500
    assert asked.run.ledger.total().prompt_tokens > 20_000
    assert order_of(asked) != first_stage()


def test_within_the_budget_of_the_answer_the_same_reranker_would_have_starved_it() -> None:
    asked = world(Scorer(), run=Run(budget=TIGHT))
    bare = registry.build("rerankers", "likelihood", {}, resources_with(Scorer()))
    asked.tools = replace(asked.tools, reranker=bare)

    assert asked.ask(MIR_QUESTION).reason == "budget_exhausted"


def test_a_reranker_beyond_its_budget_leaves_the_order_and_the_trace_says_so() -> None:
    asked = world(Scorer(), run=Run(budget=TIGHT), budget=Budget(max_tokens=6000))

    answer = asked.ask(MIR_QUESTION)

    assert answer.status == "answered"
    assert order_of(asked) == first_stage()
    assert "reranking degraded (budget)" in asked.tracer.steps[2].summary


def test_a_reranker_gets_half_of_the_time_and_the_answer_the_rest() -> None:
    clock = Clock()
    asked = world(Scorer(clock, seconds=4.0), run=Run(clock=clock, deadline=20.0))

    answer = asked.ask(MIR_QUESTION)

    assert answer.status == "answered"
    assert 10.0 <= clock.now < 20.0
    assert order_of(asked) == first_stage()
    assert "reranking degraded (deadline)" in asked.tracer.steps[2].summary


def test_a_deadline_that_passes_while_it_reranks_ends_the_answer() -> None:
    clock = Clock()
    asked = world(Scorer(clock, seconds=50.0), run=Run(clock=clock, deadline=20.0))

    answer = asked.ask(MIR_QUESTION)

    assert (answer.status, answer.reason, asked.model.seen) == ("abstained", "budget_exhausted", [])


def test_a_stop_by_the_caller_ends_the_reranking_at_once() -> None:
    scorer = Scorer()
    asked = world(scorer, run=Run(cancelled=lambda: len(scorer.seen) == 2))

    with pytest.raises(Cancelled):
        asked.ask(MIR_QUESTION)
    assert len(scorer.seen) == 2


def test_two_searches_share_one_budget() -> None:
    scorer, run = Scorer(), Run()
    asked = world(scorer, run=run, budget=Budget(max_tokens=6000))
    hits = asked.tools.retriever.retrieve(a_query("Mir"), top_k=3, run=run)

    first, second = (asked.tools.reranker.rerank(a_query(text), hits[:1], top_k=3, run=run) for text in ("one", "two"))
    third = asked.tools.reranker.rerank(a_query("three"), hits[:1], top_k=3, run=run)

    assert (first.degraded, second.degraded) == (None, None)
    assert third.degraded is not None
    assert third.degraded.reason == "budget"


def test_a_model_that_cannot_do_it_after_all_leaves_the_order_and_is_named_so() -> None:
    class WithoutLogprobs(ReadableModel):
        def token_logprobs(self, *_: object, **__: object) -> list[NDArray[np.float32]]:
            raise MissingCapability("this server gives no logprobs; choose one that has them")

    asked = world(WithoutLogprobs(), run=Run(budget=TIGHT))

    assert asked.ask(MIR_QUESTION).status == "answered"
    assert order_of(asked) == first_stage()
    assert "reranking degraded (missing_capability)" in asked.tracer.steps[2].summary
