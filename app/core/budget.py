"""How much one piece of work may spend."""

from dataclasses import dataclass

from app.core.errors import BudgetExhausted
from app.core.types import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Upper bounds on model calls and tokens (prompt and completion together); None is no bound."""

    max_calls: int | None = None
    max_tokens: int | None = None

    def check(self, spent: Usage) -> None:
        """Return if another call is allowed.

        Raises:
            BudgetExhausted: a bound is reached.
        """
        if self.max_calls is not None and spent.calls >= self.max_calls:
            raise BudgetExhausted(f"the budget of {self.max_calls} model calls is spent")
        tokens = spent.prompt_tokens + spent.completion_tokens
        if self.max_tokens is not None and tokens >= self.max_tokens:
            raise BudgetExhausted(f"the budget of {self.max_tokens} tokens is spent ({tokens} used)")
