"""Answers and hits as terminal text: the answer first, then what it rests on, then how it came about.

Everything from documents and models goes through `plain`, so none of it is markup or a terminal command.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

from app.cli.progress import duration
from app.cli.screen import one_line, plain
from app.cli.tree_view import tree_rows, tree_view
from app.core.asked_time import time_words
from app.core.timespan import TimeConstraint
from app.core.types import Answer, AnswerReason, Citation, EvidenceNote, Hit, Question, Usage

if TYPE_CHECKING:
    from app.core.trace import Outcome, Trace

REASONS: dict[AnswerReason, str] = {
    "insufficient_evidence": "the passages found do not say it",
    "out_of_collection": "the collection does not speak of it",
    "conflicting_evidence": "the sources contradict one another",
    "time_gap": "nothing in the collection is about that time",
    "budget_exhausted": "the budget ran out",
}

_DIM = Style(dim=True)
_BOLD = Style(bold=True)
_NEAREST = 3


def answer_view(outcome: "Outcome", *, show_steps: bool, show_tree: bool = False) -> Group:
    """Return a finished answer with its sources or its reason, and the steps and the search tree if they are wanted."""
    answer, question = outcome.answer, outcome.trace.question
    parts: list[RenderableType] = [*_question(question), Text()]
    if answer.text:
        parts += [*_told(answer), Text(), *_sources(answer.citations)]
    else:
        parts += _withheld(answer, outcome.trace)
    parts += [Text(), _cost(answer, outcome.trace)]
    if show_steps:
        parts += [Text(), steps_table(outcome.trace, answer.usage)]
    if show_tree and (rows := tree_rows(outcome.trace.steps)):
        parts += [Text(), tree_view(rows)]
    return Group(*parts)


def hits_view(hits: Sequence[Hit], *, explain: bool) -> Group:
    """Return a ranking, best first, with the scores by stage if they are wanted."""
    parts: list[RenderableType] = []
    for hit in hits:
        passage = hit.passage
        place = [passage.section, f"p. {passage.page}" if passage.page else None, passage.published, passage.passage_id]
        parts.append(_titled(str(hit.rank), passage.title or passage.doc_id, place))
        parts.append(_indented(Text(one_line(passage.text)), 4))
        if explain:
            parts.append(_indented(Text(_stages(hit), style=_DIM), 4))
        parts.append(Text())
    return Group(*parts)


def steps_table(trace: "Trace", usage: Usage) -> Table:
    """Return one row per step, and the sum; `cached` are prompt tokens that were not computed again."""
    table = Table(
        box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style=_BOLD, show_footer=True, footer_style=_BOLD
    )
    table.add_column("step", footer="total", no_wrap=True)
    table.add_column("what it did", overflow="fold")
    totals = [f"{sum(step.seconds for step in trace.steps):.1f}", *_figures(usage)]
    for name, total in zip(("s", "calls", "in", "cached", "out"), totals, strict=True):
        table.add_column(name, footer=total, justify="right", no_wrap=True)
    for step in trace.steps:
        spent = sum((call.usage for call in step.calls), Usage())
        cells = [one_line(step.node), one_line(step.summary), f"{step.seconds:.1f}", *_figures(spent)]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def time_line(time: TimeConstraint) -> str:
    """Return the line that tells the time asked for, and where it comes from."""
    return one_line(f"time: {time_words(time)}")


def _question(question: Question) -> Iterable[RenderableType]:
    text = Text(one_line(question.typed), style=_BOLD)
    if question.as_of:
        text.append(f"  (as of {question.as_of})", style="not bold dim")
    yield text
    if question.understood_as:
        yield Text(f"understood as: {one_line(question.understood_as)}", style=_DIM)
    if question.time is not None:
        yield Text(time_line(question.time), style=_DIM)


def _told(answer: Answer) -> Iterable[RenderableType]:
    yield Text(plain(answer.text))
    if answer.status == "partial" and answer.reason:
        lead = "No single answer" if answer.reason == "conflicting_evidence" else "A part is missing"
        yield Text()
        yield Text(_reason(lead, answer), style="yellow")
    elif answer.detail:
        yield Text()
        yield Text(f"Warning: {one_line(answer.detail)}.", style="yellow")


def _withheld(answer: Answer, trace: "Trace") -> Iterable[RenderableType]:
    """Yield why there is no answer, what was looked for, and the nearest evidence."""
    yield Text(_reason("No answer", answer), style="yellow")
    searches = [one_line(step.summary) for step in trace.steps if step.node == "search" and step.summary]
    if searches:
        yield Text()
        yield Text("Looked for", style=_BOLD)
        yield from (_indented(Text(search), 4) for search in searches)
    if answer.notes:
        yield Text()
        yield Text("Nearest evidence", style=_BOLD)
        for note in answer.notes[:_NEAREST]:
            yield from _nearest(note)


def _nearest(note: EvidenceNote) -> Iterable[RenderableType]:
    yield _indented(_titled("", str(note.doc_id), [note.published]), 4)
    yield _indented(_quoted(note.quote), 4)


def _sources(citations: Sequence[Citation]) -> Iterable[RenderableType]:
    yield Text("Sources", style=_BOLD)
    for citation in citations:
        page = f"p. {citation.page}" if citation.page else None
        yield _titled(f"[{citation.marker}]", citation.title, [citation.section, page, *_dates(citation)])
        yield _indented(_quoted(citation.quote), 4)


def _dates(citation: Citation) -> list[str]:
    """Return when a source was published and, for a question bound to a time, for when its quote tells the answer."""
    if not citation.told_for:
        return [str(citation.published or "undated")]
    published = f"published {citation.published}" if citation.published else "undated"
    return [published, f"time told: {', '.join(map(str, citation.told_for))}"]


def _titled(marker: str, title: str, details: Sequence[object]) -> Text:
    text = Text(f"{marker:<4}" if marker else "", style="cyan")
    text.append(one_line(title), style="bold default")
    for detail in details:
        if detail and one_line(str(detail)) != one_line(title):
            text.append(f" · {one_line(str(detail))}", style="not bold dim default")
    return text


def _quoted(quote: str) -> Text:
    return Text(f"“{one_line(quote)}”", style="italic")


def _reason(lead: str, answer: Answer) -> str:
    words = REASONS[answer.reason] if answer.reason else answer.status
    detail = f" ({one_line(answer.detail)})" if answer.detail else ""
    return f"{lead}: {words}{detail}."


def _cost(answer: Answer, trace: "Trace") -> Text:
    usage = answer.usage
    seconds = max((step.start + step.seconds for step in trace.steps), default=0.0)
    tokens = usage.prompt_tokens + usage.completion_tokens
    words = f"{answer.status} in {duration(seconds)} · {usage.calls} model calls · {tokens} tokens"
    return Text(words, style=_DIM)


def _figures(usage: Usage) -> list[str]:
    counts = (usage.calls, usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens)
    return [str(count) if usage.calls else "" for count in counts]


def _stages(hit: Hit) -> str:
    stages = [f"{stage.name} #{stage.rank} ({stage.score:.4g})" for stage in hit.stages]
    return one_line(" → ".join(stages))


def _indented(part: RenderableType, columns: int) -> Padding:
    return Padding(part, (0, 0, 0, columns))
