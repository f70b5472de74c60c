"""Turns the question into the first query."""

from typing import Any

from langgraph.runtime import Runtime

from agents.state import State, Tools


def understand(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return the first query: the question as it stands, which finds the documents of all its parts."""
    tools = runtime.context
    question = state["question"]
    with tools.tracer.step("understand") as step:
        tools.run.check()
        until = f", nothing published after {question.as_of}" if question.as_of else ""
        step.tell(f"asked on {question.asked_on}{until}")
        tools.emit("plan.created", {"parts": [question.text]})
    return {"query": question.text}
