"""Checks the draft before anyone sees it."""

from dataclasses import asdict
from typing import Any

from langgraph.runtime import Runtime

from agents.state import State, Tools
from agents.verify import verify


def check(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return the verdict of the free checks; a draft that is not supported is withdrawn."""
    tools = runtime.context
    draft = state.get("draft")
    if draft is None:
        return {"verification": None}
    with tools.tracer.step("verify") as step:
        passages = {passage.passage_id: passage for passage in state["passages"]}
        verification = verify(draft, state["notes"], passages, question=state["question"].text)
        findings = [found.finding for found in verification.checks if found.finding]
        step.tell("; ".join([verification.verdict, *findings]), checks=[asdict(c) for c in verification.checks])
        tools.emit(
            "verification",
            {
                "sentence": draft.text,
                "verdict": verification.verdict,
                "checks": [asdict(c) for c in verification.checks],
            },
        )
    return {"verification": verification}
