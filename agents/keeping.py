"""What a checkpoint needs beyond what the nodes return: the books of the run, and which records the state holds."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any, Protocol, get_args, get_type_hints

from langgraph.runtime import Runtime

from agents.state import State, Tools


class Node(Protocol):
    """One step of a graph: takes the state, returns what becomes of it."""

    def __call__(self, state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
        """Return the new values of some channels."""
        ...


def kept(node: Node) -> Node:
    """Return the node with the books of the run added to what it returns, so that both are kept together."""

    @wraps(node)
    def with_books(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
        return {**node(state, runtime), "books": runtime.context.tracer.books()}

    return with_books


def records() -> frozenset[type]:
    """Return the types of all records that a state can hold."""
    found: set[type] = set()
    for hint in get_type_hints(State).values():
        _collect(hint, found)
    return frozenset(found)


def _collect(hint: Any, found: set[type]) -> None:
    if is_dataclass(hint) and isinstance(hint, type) and hint not in found:
        found.add(hint)
        for inner in _hints(hint):
            _collect(inner, found)
    for argument in get_args(hint):
        _collect(argument, found)


def _hints(record: type) -> Iterator[Any]:
    hints = get_type_hints(record)
    return (hints[field.name] for field in fields(record))
