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


def test_a_part_spends_its_own_budget_and_stands_in_the_books_of_the_whole() -> None:
    run = Run(budget=Budget(max_tokens=100))
    part = run.apart("rerank", Budget(max_tokens=1000))

    run.ledger.record(a_call(99))
    part.ledger.record(a_call(999))
    run.check()
    part.check()
    run.apart("rerank", Budget(max_tokens=1000)).ledger.record(a_call(1))

    run.check()
    with pytest.raises(BudgetExhausted, match=r"1000 tokens is spent \(1000 used\)"):
        part.check()
    assert [call.usage.prompt_tokens for call in run.ledger.calls()] == [99, 999, 1]
    assert (run.ledger.own().prompt_tokens, run.ledger.total().prompt_tokens) == (99, 1099)


def test_parts_of_different_names_and_of_parts_are_told_to_the_whole_once() -> None:
    run = Run()
    rerank, judge = run.apart("rerank", Budget()), run.apart("judge", Budget())
    inner = rerank.apart("inner", Budget())
    for part in (rerank, judge, inner):
        part.ledger.record(a_call(1))

    assert len(run.ledger.calls()) == 3
    assert len(rerank.ledger.calls()) == 2
    assert [part.ledger.own().calls for part in (run, rerank, judge, inner)] == [0, 1, 1, 1]


def test_a_part_has_half_of_the_time_left_and_hears_the_same_stop() -> None:
    clock = Clock()
    stopped = False
    run = Run(clock=clock, deadline=120.0, cancelled=lambda: stopped, seed=3)
    part = run.apart("rerank", Budget())

    assert (part.deadline, part.seed, part.nonce) == (110.0, 3, run.nonce)
    assert Run().apart("rerank", Budget()).deadline == float("inf")
    clock.now = 110.0
    run.check()
    with pytest.raises(BudgetExhausted, match="deadline"):
        part.check()
    stopped = True
    with pytest.raises(Cancelled):
        part.check()
