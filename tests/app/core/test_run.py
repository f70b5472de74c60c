import pytest

from app.core.budget import Budget
from app.core.errors import BudgetExhausted, Cancelled
from app.core.ledger import ModelCall
from app.core.run import Run
from app.core.trace import Tracer
from app.core.types import Usage


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def a_call(tokens: int) -> ModelCall:
    return ModelCall(model="m", purpose="p", prompt_digest="d", usage=Usage(calls=1, prompt_tokens=tokens))


def test_a_run_stops_at_its_deadline() -> None:
    clock = Clock()
    run = Run(clock=clock, deadline=110.0)
    run.check()
    assert run.remaining_seconds() == pytest.approx(10.0)

    clock.now = 110.0

    with pytest.raises(BudgetExhausted, match="deadline"):
        run.check()


def test_a_run_stops_when_its_calls_or_tokens_are_spent() -> None:
    run = Run(budget=Budget(max_calls=2, max_tokens=1000))
    run.ledger.record(a_call(999))
    run.check()
    run.ledger.record(a_call(1))

    with pytest.raises(BudgetExhausted, match="2 model calls"):
        run.check()
    with pytest.raises(BudgetExhausted, match="1000 tokens"):
        Budget(max_tokens=1000).check(run.ledger.total())


def test_a_cancelled_run_stops_before_anything_else() -> None:
    with pytest.raises(Cancelled):
        Run(cancelled=lambda: True, deadline=0.0).check()


def test_a_step_books_the_calls_made_in_it_even_when_it_fails() -> None:
    run = Run()
    tracer = Tracer(run)
    run.ledger.record(a_call(1))

    def fail() -> None:
        with tracer.step("note") as step:
            run.ledger.record(a_call(2))
            step.tell("read 3", picked=1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert [call.usage.prompt_tokens for call in tracer.steps[0].calls] == [2]
    assert (tracer.steps[0].summary, tracer.steps[0].details) == ("read 3", {"picked": 1})
