"""Sees what the question demands of time."""

from typing import Any

from langgraph.runtime import Runtime
from pydantic_core import to_jsonable_python

from agents.state import State, Tools


def understand(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return the time that the question is bound to."""
    tools = runtime.context
    question = state["question"]
    with tools.tracer.step("understand") as step:
        tools.run.check()
        until = f", nothing published after {question.as_of}" if question.as_of else ""
        time = question.time
        bound = f"; {time.relation} {time.span or time.anchor or ''}".rstrip() if time else ""
        step.tell(f"asked on {question.asked_on}{until}{bound}")
        if time is not None:
            tools.emit("time.resolved", to_jsonable_python(time))
    return {"time": time}
