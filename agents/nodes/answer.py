"""Answers from the notes alone."""

import json
from typing import Any

from langgraph.runtime import Runtime
from pydantic import BaseModel, ValidationError

from agents.citing import bind_markers, needed, without_markers
from agents.nodes.note import is_unknown
from agents.reading import headed, one_line
from agents.state import Draft, State, Tools
from app.core.errors import UnparsableOutput
from app.core.prompts import load_prompt
from app.core.types import PassageId, Sampling
from app.core.untrusted import new_nonce


class Reply(BaseModel):
    """What the model answers."""

    facts: list[int]
    answer: str
    sentence: str


def answer(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return a draft bound to the notes it cites, or no draft when the notes do not tell."""
    tools = runtime.context
    if not state.get("notes"):
        return {"draft": None}
    with tools.tracer.step("answer") as step:
        tools.run.check()
        reply = _ask(tools, state)
        notes = state["notes"]
        _, cited, dropped = bind_markers(reply.sentence, reply.facts, notes=len(notes))
        if is_unknown(reply.answer) or not cited:
            step.tell("the notes do not tell", reply=reply.answer, dropped_markers=dropped)
            return {"draft": None}
        titles = [titles_of(state)[n.passage_id] for n in notes]
        cited = needed(cited, notes, titles, short=reply.answer, question=state["question"].text)
        text, cited, _ = bind_markers(without_markers(reply.sentence or reply.answer), cited, notes=len(notes))
        step.tell(reply.answer, cited=list(cited), dropped_markers=dropped)
    return {"draft": Draft(short=reply.answer.strip().rstrip("."), text=text, cited=cited, dropped_markers=dropped)}


def titles_of(state: State) -> dict[PassageId, str]:
    """Return the title of each passage that a note was made of."""
    return {passage.passage_id: passage.title for passage in state["passages"]}


def _ask(tools: Tools, state: State) -> Reply:
    titles = titles_of(state)
    facts = [
        f"{number}. {headed(titles[n.passage_id], n.published, n.quote)}"
        for number, n in enumerate(state["notes"], start=1)
    ]
    prompt = load_prompt("agents", "answer").render(
        schema=_schema(len(facts)),
        nonce=new_nonce(),
        facts="\n".join(facts),
        question=one_line(state["question"].text),
    )
    [completion] = tools.model.generate([prompt], sampling=Sampling(max_tokens=140), run=tools.run)
    try:
        return Reply.model_validate(json.loads(completion.text))
    except (ValueError, ValidationError) as error:
        raise UnparsableOutput(f"the model's answer is not JSON: {error}", raw=completion.text) from error


def _schema(facts: int) -> dict[str, Any]:
    number = {"type": "integer", "minimum": 1, "maximum": facts}
    return {
        "type": "object",
        "properties": {
            "facts": {"type": "array", "items": number, "minItems": 1, "maxItems": 4},
            "answer": {"type": "string", "maxLength": 80},
            "sentence": {"type": "string", "maxLength": 300},
        },
        "required": ["facts", "answer", "sentence"],
        "additionalProperties": False,
    }
