"""What one piece of work has spent, call by call."""

import threading
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


class Ledger:
    """The calls made so far, in order, those of its parts among them; safe to write from several threads."""

    def __init__(self, whole: "Ledger | None" = None) -> None:
        """Begin empty books; what is recorded in them is noted in those of the `whole` too."""
        self._whole = whole
        self._parts: dict[str, Ledger] = {}
        self._calls: list[ModelCall] = []
        self._own = Usage()
        self._lock = threading.Lock()

    def part(self, name: str) -> "Ledger":
        """Return the books of a part of the work, which has its own budget; the same name gives the same books."""
        with self._lock:
            return self._parts.setdefault(name, Ledger(self))

    def record(self, call: ModelCall) -> None:
        """Append a call."""
        with self._lock:
            self._own += call.usage
        self._note(call)

    def calls(self, since: int = 0) -> tuple[ModelCall, ...]:
        """Return the calls in order, without the first `since`."""
        with self._lock:
            return tuple(self._calls[since:])

    def own(self) -> Usage:
        """Return the sum over the calls that are no part's: what counts against the budget."""
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
