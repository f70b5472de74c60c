"""What a search tree is made of: actions, the choices of a state, trials that are under way, their outcomes, nodes."""

from dataclasses import dataclass, field
from math import isfinite

QUANTUM = 2.0**-30
"""Values are whole multiples of it: their sums are exact in a double up to 2 ** 23 visits, whatever the order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """An edge: what was done, as search or answer, and its words; both mean something to the caller alone."""

    kind: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An action that may be taken from a state, at most `samples` times there.

    More than one sample pays where a model writes another text each time (AirRAG, arXiv 2501.10053, samples 3 for
    planning and rewriting, 1 elsewhere). `prior` is relative to the other choices: uniform if left alone.

    Raises:
        ValueError: the prior is no number from 0 to 1, or there is no sample.
    """

    action: Action
    prior: float = 1.0
    samples: int = 1

    def __post_init__(self) -> None:
        if not 0.0 <= self.prior <= 1.0 or self.samples < 1:
            raise ValueError(f"a choice has a prior from 0 to 1 and a sample, not {self.prior} and {self.samples}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One rollout that is under way: take choice number `choice`, from 0, of node `parent`."""

    trial_id: int
    parent: int
    choice: int
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a trial.

    `value` is the reward, from 0 to 1; `digest` names the state that was reached, "" if it is not to be compared;
    `choices` are what may be done from there, none where the search should end, as at its greatest depth. `action` is
    what was done, where that has become clear only now; `cost` is in tokens. A state that does not `add_evidence` is
    pruned; so is told an action that failed and would fail again.

    Raises:
        ValueError: the value is not from 0 to 1, the cost below 0 or not finite, or a terminal state has choices.
    """

    value: float
    digest: str = ""
    choices: tuple[Choice, ...] = ()
    is_terminal: bool = False
    adds_evidence: bool = True
    cost: float = 0.0
    action: Action | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.value <= 1.0:  # NaN is neither
            raise ValueError(f"the value of an outcome is from 0 to 1, not {self.value}")
        if not (isfinite(self.cost) and self.cost >= 0.0):
            raise ValueError(f"the cost of an outcome is a number of tokens, not {self.cost}")
        if self.is_terminal and self.choices:
            raise ValueError("nothing can be chosen in a terminal state")


@dataclass(slots=True, kw_only=True)
class Node:
    """A state with its statistics; changed by `ask`, `tell` and `expire` alone.

    `value` is its own reward; `visits`, `value_sum` and `square_sum` (of squares) are over itself and all below, where
    what is pruned counts 0. `pending` are trials under way at it or below. `tries` are, for each choice, the trials
    asked and not expired. `untried` is what is left to try at it and below it.
    """

    node_id: int
    parent: int | None
    action: Action
    choice: int = 0
    depth: int = 0
    prior: float = 1.0
    value: float = 0.0
    digest: str = ""
    cost: float = 0.0
    is_terminal: bool = False
    is_pruned: bool = False
    visits: int = 0
    value_sum: float = 0.0
    square_sum: float = 0.0
    pending: int = 0
    untried: int = 0
    choices: tuple[Choice, ...] = ()
    tries: list[int] = field(default_factory=list)
    children: list[int] = field(default_factory=list)

    @property
    def credit(self) -> float:
        """What its own trial counts: its value, 0 where it is pruned."""
        return 0.0 if self.is_pruned else self.value

    @property
    def mean(self) -> float:
        """The mean reward, where a pending trial counts as one more visit worth 0 (virtual loss); 0 without visits."""
        return self.value_sum / max(1, self.visits + self.pending)

    def open_choices(self) -> list[int]:
        """Return the places of the choices that may be tried (again), in the caller's order."""
        return [place for place, tries in enumerate(self.tries) if tries < self.choices[place].samples]


def exact(number: float) -> float:
    """Return the nearest multiple of `QUANTUM`."""
    return round(number / QUANTUM) * QUANTUM
