"""A question that is killed at any step goes on from there: the tools of the next process are new, the file is not."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_graph import TWO_HOP, two_hop_rules
from world import MIR, PROTON, SATURN, SKYLAB, World

from agents.fixed import build_fixed
from agents.graph import build_graph
from agents.keeping import records
from agents.run import Thread, run_agent
from app.core.budget import Budget
from app.core.run import Run
from app.core.trace import Tracer, resumed
from app.core.types import Answer, Completion, Prompt, Sampling
from app.models.scripted import ScriptedModel
from app.store.checkpoints import Checkpoints
from fakes import a_question

PASSAGES = [SKYLAB, SATURN, PROTON, MIR]


class Killed(BaseException):
    """Ends everything at once, as a signal would."""


class Mortal(ScriptedModel):
    """Is killed at its n-th call."""

    lives: int = 1_000_000

    def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
        self.lives -= 1
        if self.lives < 0:
            raise Killed
        return super().generate(prompts, sampling=sampling, run=run)


@pytest.fixture
def checkpoints(tmp_path: Path) -> Iterator[Checkpoints]:
    opened = Checkpoints(tmp_path / "checkpoints.db", records(), made_with="1")
    yield opened
    opened.close()


def a_world(*, lives: int = 1_000_000, calls: int = 20, strategy: str = "graph") -> World:
    run = Run(budget=Budget(max_calls=calls))
    world = World(passages=PASSAGES, agent={"passages": 2, "strategy": strategy}, run=run)
    world.model = Mortal(*two_hop_rules())
    world.model.lives = lives
    world.tools = replace(world.tools, model=world.model)
    return world


def asked(world: World, checkpoints: Checkpoints) -> Answer:
    """Ask as the engine does: with the books of the process before, where there is one."""
    thread = Thread.open(checkpoints, "a1")
    before = thread.state["books"] if thread.state else None
    run = resumed(world.run, before) if before else world.run
    world.tracer = Tracer(run, lambda name, data: world.events.append((name, data)), before=before)
    world.tools = replace(world.tools, run=run, tracer=world.tracer, emit=world.tracer.emit)
    question = thread.state["question"] if thread.state else a_question(TWO_HOP)
    return run_agent(question, world.tools, thread=thread)


def nodes(world: World) -> list[str]:
    return [step.node for step in world.tracer.steps]


@pytest.mark.parametrize("strategy", ["graph", "fixed"])
def test_killed_at_any_call_it_answers_as_if_it_had_not_been(tmp_path: Path, strategy: str) -> None:
    whole = a_world(strategy=strategy)
    answer = whole.ask(a_question(TWO_HOP))
    prompts = [prompt.name for prompt in whole.model.seen]

    for lives in range(len(prompts)):
        checkpoints = Checkpoints(tmp_path / f"{lives}.db", records(), made_with="1")
        first, second = a_world(lives=lives, strategy=strategy), a_world(strategy=strategy)
        with pytest.raises(Killed):
            asked(first, checkpoints)
        assert asked(second, checkpoints) == answer
        assert [prompt.name for prompt in (*first.model.seen, *second.model.seen)] == prompts
        assert nodes(second) == nodes(whole)
        assert second.tools.run.nonce == first.tools.run.nonce
        assert second.tools.run.ledger.own().calls == len(prompts)
        checkpoints.close()


def test_what_was_spent_before_counts(checkpoints: Checkpoints) -> None:
    with pytest.raises(Killed):
        asked(a_world(lives=2), checkpoints)
    second = a_world(calls=2)

    answer = asked(second, checkpoints)

    assert answer.reason == "budget_exhausted"
    assert answer.detail.startswith("the budget of 2 model calls is spent")
    assert second.model.seen == []


def test_the_time_of_the_steps_goes_on(checkpoints: Checkpoints) -> None:
    with pytest.raises(Killed):
        asked(a_world(lives=2), checkpoints)
    second = a_world()
    asked(second, checkpoints)

    starts = [step.start for step in second.tracer.steps]
    assert starts == sorted(starts)


def test_a_question_that_was_answered_before_the_end_came_is_not_asked_again(checkpoints: Checkpoints) -> None:
    answer = asked(a_world(), checkpoints)
    second = a_world(lives=0)

    assert asked(second, checkpoints) == answer
    assert second.events == []


def test_every_state_on_the_way_comes_back_as_it_was(checkpoints: Checkpoints) -> None:
    world = a_world()
    tools, seen = world.tools, []
    for state in build_graph().stream(
        {"question": a_question(TWO_HOP), "books": world.tracer.books()}, context=tools, stream_mode="values"
    ):
        serde: Any = checkpoints.serde
        seen.append(serde.loads_typed(serde.dumps_typed(state)) == state)

    assert len(seen) > 8
    assert all(seen)


@pytest.mark.parametrize("build", [build_graph, build_fixed])
def test_every_node_keeps_the_books(build: Any) -> None:
    nodes = build().builder.nodes

    assert len(nodes) >= 7
    assert [name for name, node in nodes.items() if not hasattr(node.runnable.func, "__wrapped__")] == []
