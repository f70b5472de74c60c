"""Books of work that goes on side by side: each branch knows its own calls, all share one budget."""

import pytest

from app.core.budget import Budget
from app.core.errors import BudgetExhausted
from app.core.ledger import Ledger, ModelCall
from app.core.types import Usage


def a_call(purpose: str) -> ModelCall:
    return ModelCall(model="m", purpose=purpose, prompt_digest="0", usage=Usage(calls=1, prompt_tokens=10))


def test_a_branch_knows_its_own_calls_and_the_whole_all_in_order() -> None:
    whole = Ledger()
    one, other = whole.branch(), whole.branch()
    one.record(a_call("a"))
    other.record(a_call("b"))
    one.record(a_call("c"))

    assert [call.purpose for call in one.calls()] == ["a", "c"]
    assert [call.purpose for call in whole.calls()] == ["a", "b", "c"]
    assert one.own() == other.own() == whole.own() == whole.total()


def test_branches_spend_one_budget() -> None:
    whole = Ledger()
    whole.branch().record(a_call("a"))

    with pytest.raises(BudgetExhausted):
        Budget(max_calls=1).check(whole.branch().own())


def test_parts_of_branches_have_one_budget_of_their_own() -> None:
    whole = Ledger()
    one, other = whole.branch(), whole.branch()
    one.part("rerank").record(a_call("a"))
    other.part("rerank").record(a_call("b"))

    assert [call.purpose for call in one.calls()] == ["a"]
    assert len(whole.calls()) == 2
    assert whole.own().calls == 0
    assert other.part("rerank").own().calls == whole.part("rerank").own().calls == 2
