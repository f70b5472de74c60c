"""What one piece of work has spent, call by call."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from app.core.types import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """One call of a model; `purpose` is the name of the prompt or of the capability that was used."""

    model: str
    purpose: str
    prompt_digest: str
    usage: Usage
    stop: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """The contents of books: all calls in order, the sum of the work's own, and that of each of its parts by name."""

    calls: tuple[ModelCall, ...]
    own: Usage
    parts: Mapping[str, Usage]


class Ledger:
    """The calls made so far, in order, those of its parts among them; safe to write from several threads."""

    def __init__(self, whole: "Ledger | None" = None, *, account: "Ledger | None" = None) -> None:
        """Begin empty books; what is recorded in them is noted in those of the `whole` too, and paid by the `account`.

        Without an account they pay for themselves.
        """
        self._whole = whole
        self._account = account
        self._parts: dict[str, Ledger] = {}
        self._calls: list[ModelCall] = []
        self._own = Usage()
        self._lock = threading.Lock()

    @classmethod
    def of(cls, spent: Spent) -> "Ledger":
        """Return books that go on from what was spent before."""
        ledger = cls()
        ledger._calls, ledger._own = list(spent.calls), spent.own
        for name, usage in spent.parts.items():
            ledger.part(name)._own = usage
        return ledger

    def spent(self) -> Spent:
        """Return what stands in the books, enough to go on from; parts of parts are not told apart."""
        with self._lock:
            parts = {name: part.own() for name, part in self._parts.items()}
            return Spent(calls=tuple(self._calls), own=self._own, parts=parts)

    def part(self, name: str) -> "Ledger":
        """Return the books of a part of the work, which has its own budget; the same name gives the same books."""
        account = self._account.part(name) if self._account else None
        with self._lock:
            return self._parts.setdefault(name, Ledger(self, account=account))

    def branch(self) -> "Ledger":
        """Return the books of work that goes on beside other work: its calls are these books' own, and stand in both.

        So a step knows its own calls while several are made at once, and all share one budget.
        """
        return Ledger(account=self)

    def record(self, call: ModelCall) -> None:
        """Append a call."""
        if self._account is not None:
            self._account.record(call)
        else:
            with self._lock:
                self._own += call.usage
        self._note(call)

    def calls(self, since: int = 0) -> tuple[ModelCall, ...]:
        """Return the calls in order, without the first `since`."""
        with self._lock:
            return tuple(self._calls[since:])

    def own(self) -> Usage:
        """Return the sum over the calls that are no part's: what counts against the budget."""
        if self._account is not None:
            return self._account.own()
        with self._lock:
            return self._own

    def total(self) -> Usage:
        """Return the sum over all calls."""
        return sum((call.usage for call in self.calls()), Usage())

    def _note(self, call: ModelCall) -> None:
        with self._lock:
            self._calls.append(call)
        if self._whole is not None:
            self._whole._note(call)
