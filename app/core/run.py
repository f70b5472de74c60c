"""The limits and the books of one piece of work, passed to everything that costs."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from app.core.budget import Budget
from app.core.errors import BudgetExhausted, Cancelled
from app.core.ledger import Ledger
from app.core.untrusted import new_nonce


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One answer, ingest job or experiment; `deadline` is absolute, in seconds on `clock`.

    `nonce` marks the end of untrusted text in prompts: unforeseeable unless given, since it changes what a model writes
    and a run that is to be repeated needs the same.
    """

    deadline: float = float("inf")
    clock: Callable[[], float] = time.monotonic
    cancelled: Callable[[], bool] = _never
    seed: int = 0
    nonce: str = field(default_factory=new_nonce)
    budget: Budget = field(default_factory=Budget)
    ledger: Ledger = field(default_factory=Ledger)

    def check(self) -> None:
        """Return if the work may go on; called before whatever costs.

        Raises:
            Cancelled: the caller stopped the work.
            BudgetExhausted: the deadline passed, or calls or tokens ran out.
        """
        if self.cancelled():
            raise Cancelled("stopped by the caller")
        if self.clock() >= self.deadline:
            raise BudgetExhausted("the deadline has passed")
        self.budget.check(self.ledger.own())

    def remaining_seconds(self) -> float:
        """Return the seconds until the deadline, at least 0, infinite without one."""
        return max(0.0, self.deadline - self.clock())

    def apart(self, name: str, budget: Budget) -> "Run":
        """Return the run of a part of this work: with a budget of its own, and at most half of the time that is left.

        Its calls stand in these books too, but do not count against this budget, so a part can neither use up what the
        rest needs nor be refused for what the rest has spent. All parts of one name share one budget.
        """
        middle = self.clock() + self.remaining_seconds() / 2
        return replace(self, deadline=middle, budget=budget, ledger=self.ledger.part(name))
