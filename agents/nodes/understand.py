"""Turns the question into the first query, and sees what it demands of time."""

from typing import Any

from langgraph.runtime import Runtime
from pydantic_core import to_jsonable_python

from agents.state import State, Tools


def understand(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return the first query, the question as it stands, which finds the documents of all its parts; and its time."""
    tools = runtime.context
    question = state["question"]
    with tools.tracer.step("understand") as step:
        tools.run.check()
        until = f", nothing published after {question.as_of}" if question.as_of else ""
        time = question.time
        bound = f"; {time.relation} {time.span or time.anchor or ''}".rstrip() if time else ""
        step.tell(f"asked on {question.asked_on}{until}{bound}")
        tools.emit("plan.created", {"parts": [question.text]})
        if time is not None:
            tools.emit("time.resolved", to_jsonable_python(time))
    return {"query": question.text, "time": time}
