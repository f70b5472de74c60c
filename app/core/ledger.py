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
    """The calls made so far; safe to write from several threads."""

    def __init__(self) -> None:
        self._calls: list[ModelCall] = []
        self._lock = threading.Lock()

    def record(self, call: ModelCall) -> None:
        """Append a call."""
        with self._lock:
            self._calls.append(call)

    def calls(self, since: int = 0) -> tuple[ModelCall, ...]:
        """Return the calls in order, without the first `since`."""
        with self._lock:
            return tuple(self._calls[since:])

    def total(self) -> Usage:
        """Return the sum over all calls."""
        return sum((call.usage for call in self.calls()), Usage())
