"""Lets a model that was trained to search speak its own protocol, whose actions are tags.

(Search-R1, Jin et al., arXiv 2503.09516, section 3.) An action is read from what the model wrote in this turn, never
from the transcript. The transcript is what the model's own turn begins with, so that a server's prefix cache keeps it.
What the model answers counts only where sentences that were retrieved hold its words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from pydantic_core import to_jsonable_python

from agents.binding import bind
from agents.citing import cite, marked
from agents.nodes.search import published_until, rows
from agents.reading import one_line
from agents.state import Tools
from agents.verify import verify
from app.core.errors import BudgetExhausted
from app.core.prompts import load_prompt
from app.core.types import Answer, AnswerReason, Hit, Passage, Query, QueryId, Question, Sampling

MAX_TURNS = 4
_DOCUMENTS = 3  # passages shown after a search, as in training
_SHOWN = 2000  # characters of all passages shown after a search: the 500 tokens of training
_TURN_TOKENS = 500
_LONGEST_QUERY = 300
_INSIDE = r"((?:(?!</?(?:think|search|information|answer)>).)*)"
_COMPLETE = re.compile(rf"<(search|answer)>{_INSIDE}</\1>", re.DOTALL)
_UNCLOSED = re.compile(rf"<(search|answer)>{_INSIDE}\Z", re.DOTALL)
_STOPS = ("</search>", "</answer>", "<information>")
_NO_ACTION = (
    "That was no valid step. To search, I must write a query between <search> and </search>; to answer, I must write "
    "the answer between <answer> and </answer>. I try again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What a turn amounts to; `written` is the turn up to the end of the action's tag."""

    kind: Literal["search", "answer"]
    text: str
    written: str


def first_action(generated: str, *, is_cut: bool) -> Action | None:
    """Return the first complete tag of what a model wrote in one turn, or None; an empty one is none.

    Servers leave out the closing tag that they stop at, so it is supplied where the turn ends inside an open tag,
    unless the turn `is_cut` at its token limit. What follows an `<information>` of the model's own is not looked at.
    """
    own = generated.partition("<information>")[0]
    found = _COMPLETE.search(own)
    written = own[: found.end()] if found else ""
    if found is None and not is_cut and own == generated and (found := _UNCLOSED.search(own)):
        written = f"{own}</{found[1]}>"
    if found is None or not found[2].strip():
        return None
    kind = cast("Literal['search', 'answer']", found[1])
    return Action(kind=kind, text=" ".join(found[2].split()), written=written)


def run_tagged(question: Question, tools: Tools, *, max_turns: int = MAX_TURNS) -> Answer:
    """Return the model's answer with its citations, or an abstention with its reason.

    After `max_turns` model calls without an answer there is one more, in which it can only answer.

    Raises:
        Cancelled: the caller stopped the work.
        AppError: a model or an index failed.
    """
    talk = _Talk(question, tools)
    try:
        short = talk.answer(max_turns)
    except BudgetExhausted as error:
        return _abstained(question, "budget_exhausted", str(error))
    if not talk.hits:
        reason: AnswerReason = "out_of_collection" if talk.queries else "insufficient_evidence"
        return _abstained(question, reason, "no passage was found" if talk.queries else "the model never searched")
    if not short:
        return _abstained(question, "insufficient_evidence", f"the model gave no answer in {max_turns + 1} turns")
    return _checked(question, tools, short, talk.hits)


class _Talk:
    """One question's transcript, with what was searched and found on the way."""

    def __init__(self, question: Question, tools: Tools) -> None:
        self.hits: list[Hit] = []
        self.queries: dict[str, None] = {}
        self._question = question
        self._tools = tools
        self._transcript = ""
        self._prompt = load_prompt("agents", "tagged").render(question=one_line(question.text))

    def answer(self, max_turns: int) -> str:
        """Return the text of the answer tag, empty when none was written."""
        for _ in range(max_turns):
            action = self._turn("")
            if action is not None and action.kind == "answer":
                return action.text
            self._append(_NO_ACTION if action is None else _information(self._found(action.text)))
        last = self._turn("<answer>")
        return last.text if last is not None and last.kind == "answer" else ""

    def _turn(self, begun: str) -> Action | None:
        """Return the action of one model call, whose text joins the transcript; `begun` opens the turn for it."""
        with self._tools.tracer.step("turn") as step:
            self._tools.run.check()
            prompt = replace(self._prompt, prefill=f"{self._transcript}\n{begun}".strip())
            sampling = Sampling(max_tokens=_TURN_TOKENS, stop=_STOPS)
            [completion] = self._tools.model.generate([prompt], sampling=sampling, run=self._tools.run)
            action = first_action(begun + completion.text, is_cut=completion.stop == "length")
            self._append(action.written if action else (begun + completion.text).partition("<information>")[0])
            step.tell(f"{action.kind}: {action.text}" if action else "no valid step", text=completion.text)
        return action

    def _append(self, text: str) -> None:
        self._transcript = f"{self._transcript}\n{text.strip()}".strip()

    def _found(self, query: str) -> str:
        """Return what the model is told of a search; the same one is not made twice."""
        query = query[:_LONGEST_QUERY]
        key = " ".join(re.findall(r"\w+", query.casefold()))
        if key in self.queries:
            return "This was searched already; the results stand above. Another query is needed, or the answer."
        self.queries[key] = None
        hits = _search(query, len(self.queries), self._question, self._tools)
        self.hits += hits
        return _shown([hit.passage for hit in hits]) or "Nothing was found."


def _search(text: str, number: int, question: Question, tools: Tools) -> Sequence[Hit]:
    with tools.tracer.step("search") as step:
        tools.run.check()
        query = Query(
            query_id=QueryId(f"{question.query_id}.{number}"), text=text, purpose="sub_question", time=question.time
        )
        until = published_until(question)
        found = tools.retriever.retrieve(query, top_k=tools.search.depth, run=tools.run, allowed=until)
        reranking = tools.reranker.rerank(query, found, top_k=_DOCUMENTS, run=tools.run)
        hits, degraded = reranking.hits, reranking.degraded
        step.tell(
            f"'{text}': {len(found)} found, {len(hits)} read"
            + (f", reranking degraded ({degraded.reason})" if degraded else ""),
            query=text,
            hits=rows(hits),
        )
        tools.emit("search.results", {"query": text, "hits": rows(hits)})
    return hits


def _shown(passages: Sequence[Passage]) -> str:
    """Return the passages as trained models know them, one a line, each cut at a word to its share."""
    lines = []
    for number, passage in enumerate(passages, start=1):
        line = f"Doc {number}(Title: {one_line(passage.title)}) {one_line(passage.text)}"
        share = _SHOWN // len(passages)
        lines.append(line if len(line) <= share else line[:share].rsplit(" ", 1)[0])
    return "\n".join(lines)


def _information(text: str) -> str:
    return f"<information>{text}</information>"


def _checked(question: Question, tools: Tools, short: str, hits: Sequence[Hit]) -> Answer:
    """Return the answer bound to what was retrieved, as far as the free checks support it."""
    with tools.tracer.step("verify") as step:
        draft, notes = bind(short, question=question.text, hits=hits)
        if draft is None:
            step.tell("bound to nothing", answer=short)
            return _abstained(question, "insufficient_evidence", f"no sentence that was found holds '{short}'")
        passages = {hit.passage.passage_id: hit.passage for hit in hits}
        verification = verify(draft, notes, passages, question=question.text)
        findings = "; ".join(check.finding for check in verification.checks if check.finding)
        step.tell("; ".join(part for part in (verification.verdict, findings) if part), answer=short)
    if verification.verdict != "supported":
        return _abstained(question, "insufficient_evidence", f"the answer '{short}' was withdrawn: {findings}")
    answer = Answer(
        query_id=question.query_id,
        text=marked(draft),
        short=draft.short,
        status="answered",
        citations=cite(draft.cited, notes, passages, verdict=verification.verdict),
        notes=tuple(notes),
    )
    tools.emit("answer.delta", {"text": answer.text})
    for citation in answer.citations:
        tools.emit("citation", to_jsonable_python(citation))
    return answer


def _abstained(question: Question, reason: AnswerReason, detail: str) -> Answer:
    return Answer(query_id=question.query_id, text="", status="abstained", reason=reason, detail=detail)
