"""Reads the hits: the model picks the sentences that matter, code makes notes of them and plans what is missing."""

from typing import Any

from langgraph.runtime import Runtime
from pydantic import BaseModel

from agents.asking import ask
from agents.bridging import next_query
from agents.notes import notes_from_picks, write_note
from agents.reading import choose_sentences, one_line, show
from agents.state import Sentence, State, Tools
from app.core.prompts import load_prompt
from app.core.types import EvidenceNote, Passage

PICKS = 2
_UNKNOWN = frozenset({"", "unknown", "none", "not stated", "n/a"})


class Picks(BaseModel):
    """What the model says of the sentences it is shown."""

    sentences: list[int]
    answer: str


def note(state: State, runtime: Runtime[Tools]) -> dict[str, Any]:
    """Return new notes, what was read, and the query for what is still missing (empty when nothing is)."""
    tools = runtime.context
    question = state["question"].text
    with tools.tracer.step("note") as step:
        tools.run.check()
        read = state.get("sentences_read", ())
        offered = choose_sentences(
            state["hits"],
            state["query"],
            limit=tools.agent.sentences,
            embedder=tools.embedder,
            run=tools.run,
            without=read,
        )
        if not offered:
            step.tell("nothing new to read")
            return {"missing": ""}
        picks = _ask(tools, offered, question=question)
        notes, rejected = notes_from_picks(picks.sentences[:PICKS], offered, claim=picks.answer)
        fresh = with_best_ranked(notes, offered[0], claim=picks.answer)
        passages = _passages_of(fresh, offered)
        missing = _missing(state, notes, passages)  # the model's own picks: their names lead on
        step.tell(
            f"{len(offered)} sentences read, {len(fresh)} noted" + (f"; missing: {missing}" if missing else ""),
            read=len(offered),
            noted=[n.quote for n in fresh],
            rejected_picks=rejected,
            answer=picks.answer,
            missing=missing,
        )
        _tell(tools, fresh, passages, rejected)
    return {
        "notes": tuple(fresh),
        "passages": tuple(passages),
        "sentences_read": tuple(sentence.span for sentence in offered),
        "missing": missing,
        "query": missing or state["query"],
    }


def with_best_ranked(notes: list[EvidenceNote], best: Sentence, *, claim: str) -> list[EvidenceNote]:
    """Return the notes with that of the best-ranked sentence first, whether the model picked it or not.

    A small model passes over it at times: the answer to 3 of 26 sample questions was lost so, one to a forged document.
    """
    first = write_note(best.passage, best.start, best.end, claim=claim)
    return [first, *(note for note in notes if note.note_id != first.note_id)]


def is_unknown(answer: str) -> bool:
    """Tell whether a short answer says that there is none."""
    return answer.strip().strip(".").lower() in _UNKNOWN


def _ask(tools: Tools, offered: list[Sentence], *, question: str) -> Picks:
    prompt = load_prompt("agents", "note").render(
        schema=_schema(len(offered)), nonce=tools.run.nonce, sentences=show(offered), question=one_line(question)
    )
    return ask(tools, prompt, shape=Picks, max_tokens=64)


def _schema(sentences: int) -> dict[str, Any]:
    number = {"type": "integer", "minimum": 1, "maximum": sentences}
    return {
        "type": "object",
        "properties": {
            "sentences": {"type": "array", "items": number, "minItems": 1, "maxItems": PICKS},
            "answer": {"type": "string", "maxLength": 80},
        },
        "required": ["sentences", "answer"],
        "additionalProperties": False,
    }


def _passages_of(notes: list[EvidenceNote], offered: list[Sentence]) -> list[Passage]:
    by_id = {s.passage.passage_id: s.passage for s in offered}
    return [by_id[key] for key in dict.fromkeys(n.passage_id for n in notes)]


def _missing(state: State, fresh: list[EvidenceNote], passages: list[Passage]) -> str:
    notes = [*state.get("notes", ()), *fresh]
    titles = [passage.title for passage in (*state.get("passages", ()), *passages)]
    query = next_query(state["question"].text, notes, titles)
    return query if query and query not in state.get("queries", ()) else ""


def _tell(tools: Tools, notes: list[EvidenceNote], passages: list[Passage], rejected: int) -> None:
    titles = {passage.passage_id: passage.title for passage in passages}
    for one in notes:
        tools.emit(
            "note.added",
            {
                "note_id": one.note_id,
                "claim": one.claim,
                "quote": one.quote,
                "doc_id": one.doc_id,
                "passage_id": one.passage_id,
                "title": titles[one.passage_id],
                "published": str(one.published or ""),
            },
        )
    if rejected:
        tools.emit("note.rejected", {"count": rejected, "reason": "a pick named no sentence, or one twice"})
