"""Checks the draft before anyone sees it."""

from dataclasses import asdict, replace
from typing import Any

from langgraph.runtime import Runtime

from agents.citing import bind_markers
from agents.state import Draft, State, Tools
from agents.verify import verify


def check(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return the draft and the verdict of the free checks; a sentence that says more than its quotes is dropped."""
    tools = runtime.context
    draft = state.get("draft")
    if draft is None:
        return {"verification": None}
    with tools.tracer.step("verify") as step:
        passages = {passage.passage_id: passage for passage in state["passages"]}
        question = state["question"].text
        verification = verify(draft, state["notes"], passages, question=question)
        if verification.verdict == "partly":
            draft = without_sentence(draft)
            verification = verify(draft, state["notes"], passages, question=question)
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
    return {"draft": draft, "verification": verification}


def without_sentence(draft: Draft) -> Draft:
    """Return the draft with the bare answer for its sentence, which said more than the quotes do."""
    text, _, _ = bind_markers(draft.short[:1].upper() + draft.short[1:], draft.cited, notes=max(draft.cited))
    return replace(draft, text=text)
