from datetime import date
from typing import Any

import pytest
from rich.console import Console

from app.cli.rendering import REASONS, answer_view
from app.core.ledger import ModelCall
from app.core.timespan import TimeSpan
from app.core.trace import Outcome, Step, Trace
from app.core.types import Answer, Citation, DocId, EvidenceNote, NoteId, PassageId, QueryId, Question, Usage

HOSTILE = "[red]x[/red] [link=http://evil.invalid]y[/link] :smile: \x1b]0;owned\x07\x1b[2J \x9b31m \u202eolleh"
USAGE = Usage(calls=2, prompt_tokens=1200, cached_tokens=400, completion_tokens=30, seconds=9.5)


def shown(*, width: int = 80, show_steps: bool = False, **fields: Any) -> str:
    """The text of an answer on a terminal of that width."""
    question = Question(query_id=QueryId("q"), text="Who led it?", asked_on=date(2024, 6, 1))
    answer = Answer(query_id=question.query_id, usage=USAGE, **{"text": "", **fields})
    call = ModelCall(model="m", purpose="note", prompt_digest="0", usage=USAGE)
    steps = (
        Step(node="search", start=0.0, seconds=0.5, summary="'who led it': 100 found, 6 read"),
        Step(node="note", start=0.5, seconds=9.5, summary="1 note of 3 picks", calls=(call,)),
    )
    trace = Trace(
        trace_id="t",
        question=question,
        steps=steps,
        settings_digest="",
        index_digest="",
        seed=0,
        nonce="0a1b2c3d",
        versions={},
    )
    console = Console(width=width, color_system=None, markup=True, emoji=True)
    with console.capture() as captured:
        console.print(answer_view(Outcome(answer=answer, trace=trace), show_steps=show_steps))
    return captured.get()


def a_citation(**changes: Any) -> Citation:
    fields: dict[str, Any] = {
        "marker": 1,
        "note_id": NoteId("n1"),
        "passage_id": PassageId("d@00000000#0"),
        "doc_id": DocId("d"),
        "document_version": "0",
        "title": "Heads of the agency",
        "uri": "d.md",
        "quote": "Paine led it.",
        "start": 0,
        "end": 13,
    }
    return Citation(**{**fields, **changes})


def test_a_source_tells_section_page_and_date() -> None:
    citation = a_citation(section="The sixties", page=3, published=TimeSpan.parse("1973-01"))
    text = shown(status="answered", text="Paine did [1].", citations=(citation,))
    assert "[1] Heads of the agency · The sixties · p. 3 · 1973-01\n    “Paine led it.”" in text


def test_a_source_without_a_date_says_so() -> None:
    assert "· undated" in shown(status="answered", text="Paine did [1].", citations=(a_citation(),))


def test_nothing_in_an_answer_is_markup_or_a_terminal_command() -> None:
    citation = a_citation(title=HOSTILE, quote=HOSTILE, section=HOSTILE[:20], end=len(HOSTILE))
    text = shown(width=200, status="answered", text=f"{HOSTILE} [1]", citations=(citation,))
    assert not set(text) & {"\x1b", "\x07", "\x9b", "\u202e"}
    assert text.count("[red]x[/red] [link=http://evil.invalid]y[/link] :smile: \\x1b]0;owned\\x07") == 3


@pytest.mark.parametrize("reason", REASONS)
def test_an_abstention_says_why_in_words(reason: Any) -> None:
    text = " ".join(shown(status="abstained", reason=reason).split())
    assert f"No answer: {REASONS[reason]}." in text
    assert "Looked for 'who led it': 100 found, 6 read" in text


def test_an_abstention_shows_the_nearest_evidence() -> None:
    note = EvidenceNote(
        note_id=NoteId("n1"),
        passage_id=PassageId("d@00000000#0"),
        doc_id=DocId("heads.md"),
        claim="c",
        quote="Webb led it before.",
        start=0,
        end=19,
        published=TimeSpan.parse("1968"),
    )
    text = shown(status="abstained", reason="insufficient_evidence", notes=(note,))
    assert "Nearest evidence\n    heads.md · 1968" in text
    assert "“Webb led it before.”" in text


def test_the_steps_add_up() -> None:
    lines = shown(status="abstained", reason="time_gap", show_steps=True).splitlines()
    note, total = (next(line.split() for line in lines if line.startswith(name)) for name in ("note", "total"))
    assert note[-5:] == ["9.5", "2", "1200", "400", "30"]
    assert total[-5:] == ["10.0", "2", "1200", "400", "30"]


def test_the_cost_is_told_below_the_answer() -> None:
    assert "abstained in 10 s · 2 model calls · 1230 tokens" in shown(status="abstained", reason="time_gap")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    citation = a_citation(title="A title " * 20, quote="word " * 60, end=300)
    text = shown(
        width=width, status="answered", text="An answer " * 20 + "[1].", citations=(citation,), show_steps=True
    )
    assert max(len(line) for line in text.splitlines()) <= width


def test_a_source_tells_for_when_its_quote_speaks() -> None:
    citation = a_citation(
        published=TimeSpan.parse("1973-01"), told_for=(TimeSpan.parse("1969"), TimeSpan.parse("1970"))
    )
    assert "· published 1973-01 · time told: 1969, 1970" in shown(
        status="answered", text="Paine [1].", citations=(citation,)
    )


def test_an_answer_on_old_evidence_is_shown_with_its_warning() -> None:
    text = shown(
        status="answered", text="Paine [1].", citations=(a_citation(),), detail="the newest evidence is of 1969"
    )
    assert "Warning: the newest evidence is of 1969." in text


def test_a_conflict_is_no_missing_part() -> None:
    text = shown(status="partial", reason="conflicting_evidence", text="It conflicts [1].", citations=(a_citation(),))
    assert "No single answer: the sources contradict one another." in text
