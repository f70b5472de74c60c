"""Checks the draft before anyone sees it, and mends what can be mended, once."""

from dataclasses import asdict, replace
from typing import Any

from langgraph.runtime import Runtime

from agents.signs import signs_of
from agents.state import Claim, State, Tools
from agents.verify import verdict_of, verify


def check(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return the draft, each sentence with its verdict, the verdict of the free checks, and the signs that it is right.

    A sentence that says more than its quotes do gives way to the first of them, word for word.
    """
    tools = runtime.context
    draft = state.get("draft")
    if draft is None:
        return {"verification": None}
    with tools.tracer.step("verify") as step:
        passages = {passage.passage_id: passage for passage in state["passages"]}
        question = state["question"].text
        known = " ".join([question, draft.short, *map(str, draft.dates)])
        judged = [
            replace(claim, verdict=verdict_of(claim, state["notes"], passages, known=known)) for claim in draft.claims
        ]
        draft = replace(draft, claims=tuple(_mended(claim, state) for claim in judged))
        verification = verify(draft, state["notes"], passages, question=question)
        findings = [found.finding for found in verification.checks if found.finding]
        quoted = sum(claim.verdict != "supported" for claim in judged)
        told = [f"{quoted} of {len(judged)} sentences replaced by their quotes"] if quoted else []
        checks, signs = [asdict(c) for c in verification.checks], signs_of(state, draft, verification)
        step.tell("; ".join([verification.verdict, *findings, *told]), checks=checks, drafted=draft.short, signs=signs)
        for claim in draft.claims:
            tools.emit("verification", _row(claim, checks))
    return {"draft": draft, "verification": verification, "signs": signs}


def _mended(claim: Claim, state: State) -> Claim:
    if claim.verdict == "supported" or not claim.cited:
        return claim
    return Claim(text=state["notes"][claim.cited[0] - 1].quote, cited=claim.cited)


def _row(claim: Claim, checks: list[dict[str, Any]]) -> dict[str, Any]:
    return {"sentence": claim.text, "verdict": claim.verdict, "checks": checks}
