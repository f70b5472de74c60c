"""Splits the question into the facts that must be looked up, one goal each."""

from typing import Any

from langgraph.runtime import Runtime
from pydantic import BaseModel

from agents.asking import ask
from agents.planning import anchored_goals, make_goals, with_whole
from agents.reading import one_line
from agents.routing import is_nested, needs_plan
from agents.state import State, Tools
from app.core.prompts import load_prompt

STARTS = ("Which", "Who", "What", "Where", "In which")


class Plan(BaseModel):
    """The questions that the model would look up one after another."""

    steps: list[str]


def plan(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return the goals: several where the question asks for several facts, else the question itself."""
    tools = runtime.context
    question = state["question"].text
    with tools.tracer.step("plan") as step:
        tools.run.check()
        steps: list[str] = []
        goals = anchored_goals(state.get("time")) if tools.agent.goals > 1 else ()
        if not goals:
            asked = needs_plan(question) and tools.agent.goals > 1
            steps = _ask(tools, question).steps if asked else []
            goals = make_goals(question, steps, most=tools.agent.goals)
        step.tell(
            " · ".join(goal.pattern for goal in goals) if len(goals) > 1 else "one fact to look up",
            steps=steps,
            goals=[goal.pattern for goal in goals],
        )
        tools.emit("plan.created", {"parts": [goal.pattern for goal in goals]})
    return {"goals": goals}


def take_whole(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return the goals and the question as a whole, to be looked up where its parts did not lead to an answer."""
    question = state["question"].text
    with runtime.context.tracer.step("plan") as step:
        step.tell("the parts do not tell: the question as a whole")
    return {"goals": with_whole(state["goals"], question)}


def _ask(tools: Tools, question: str) -> Plan:
    schema = _schema(question) if is_nested(question) else None
    prompt = load_prompt("agents", "plan").render(schema=schema, question=one_line(question))
    return ask(tools, prompt, shape=Plan, max_tokens=160)


def _schema(question: str) -> dict[str, Any]:
    """Return the schema of a plan of at least two steps whose first does not begin as the question does.

    Left free, a small model repeats a nested question as its only step.
    """
    starts = [start for start in STARTS if not question.startswith(f"{start} ")]
    first = {"type": "string", "pattern": f'^({"|".join(starts)}) [^"]{{5,140}}\\?$'}
    step = {"type": "string", "maxLength": 160}
    steps = {"type": "array", "prefixItems": [first], "items": step, "minItems": 2, "maxItems": 4}
    return {"type": "object", "properties": {"steps": steps}, "required": ["steps"], "additionalProperties": False}
