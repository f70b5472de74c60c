from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from app.api.schemas import AnswerBody, PendingAnswer, TimeBody, TurnBody
from app.core.timespan import TimeSpan
from app.core.types import Citation, DocId, NoteId, Passage, PassageId, Usage
from ui import rendering
from ui.steps import FoundNote, Line

TEXT = "It began early. Neil Armstrong commanded the mission. It ended well."
QUOTE = "Neil Armstrong commanded the mission."
HOSTILE = '<script>alert(1)</script> [x](http://evil.invalid) ![y](http://evil.invalid/p.png) "quoted"'


def a_citation(**changes: Any) -> Citation:
    start = TEXT.index(QUOTE)
    citation = Citation(
        marker=1,
        note_id=NoteId("n1"),
        passage_id=PassageId("a@1#0"),
        doc_id=DocId("a"),
        document_version="v",
        title="Apollo 11",
        uri="a.md",
        quote=QUOTE,
        start=start,
        end=start + len(QUOTE),
        page=3,
        section="Crew",
        published=TimeSpan.parse("1969-07-24"),
    )
    return replace(citation, **changes)


def a_passage(text: str = TEXT) -> Passage:
    return Passage(
        passage_id=PassageId("a@1#0"),
        doc_id=DocId("a"),
        document_version="v",
        title="Apollo 11",
        text=text,
        start=0,
        end=len(text),
    )


def an_answer(**changes: Any) -> AnswerBody:
    values: dict[str, Any] = {
        "answer_id": "0" * 32,
        "collection": "space",
        "question": "Who commanded Apollo 11?",
        "asked_on": date(2024, 6, 1),
        "query_id": "q",
        "text": "Neil Armstrong commanded it [1].",
        "status": "answered",
        "short": "Neil Armstrong",
        "reason": None,
        "detail": "",
        "citations": (a_citation(),),
        "notes": (),
        "usage": Usage(calls=2, prompt_tokens=900, completion_tokens=100),
        "trace_id": "t",
        "trace": {"steps": [], "question": {}},
    }
    return AnswerBody(**{**values, **changes})


def test_a_marker_becomes_a_chip_that_leads_to_its_card() -> None:
    shown = rendering.answer_html("He commanded it [1]. Then [2].", frozenset({1, 2}))

    assert '<a class="gn-chip" href="#source-1">1</a>.' in shown
    assert 'id="source-1"' in rendering.card_html(a_citation(), None)


def test_a_marker_without_a_citation_is_left_out() -> None:
    assert rendering.answer_html("He did [7].", frozenset({1})) == '<div class="gn-answer"><p>He did.</p></div>'


def test_the_quote_is_marked_in_its_passage() -> None:
    shown = rendering.card_html(a_citation(), a_passage())

    assert f"It began early. <mark>{QUOTE}</mark> It ended well." in shown
    assert "24 July 1969 \u00b7 page 3 \u00b7 Crew" in shown


@pytest.mark.parametrize("passage", [None, a_passage("another text altogether, long enough to hold the offsets of it")])
def test_a_passage_that_was_changed_leaves_the_quote_alone(passage: Passage | None) -> None:
    assert f"<blockquote><mark>{QUOTE}</mark></blockquote>" in rendering.card_html(a_citation(), passage)


def test_long_context_is_cut_at_words() -> None:
    before = "word " * 100
    passage = a_passage(before + QUOTE + " tail" * 100)
    citation = a_citation(start=len(before), end=len(before) + len(QUOTE))

    shown = rendering.card_html(citation, passage)

    context = shown.split("<blockquote>")[1].split("</blockquote>")[0]
    assert context.startswith("\u2026 word ")
    assert context.endswith("tail \u2026")
    assert len(context) < 2 * rendering.CONTEXT + len(QUOTE) + 40


def test_a_verdict_and_a_stance_that_are_not_plain_support_are_shown() -> None:
    shown = rendering.card_html(a_citation(verdict="partly", stance="refutes"), None)

    assert "partly supported" in shown
    assert "refutes" in shown
    assert "gn-badge" not in rendering.card_html(a_citation(), None)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (None, "undated"),
        (TimeSpan.parse("1969-07-24"), "24 July 1969"),
        (TimeSpan.parse("1969-07"), "1969-07"),
        (TimeSpan.parse("1969"), "1969"),
    ],
)
def test_dates_keep_their_granularity(span: TimeSpan | None, words: str) -> None:
    assert rendering.published_words(span) == words


def test_nothing_that_documents_say_becomes_markup() -> None:
    hostile = a_citation(title=HOSTILE, section=HOSTILE, quote=HOSTILE, start=0, end=len(HOSTILE))
    answer = an_answer(question=HOSTILE, text=f"{HOSTILE} [1].", citations=(hostile,), detail=HOSTILE)
    shown = [
        rendering.card_html(hostile, a_passage(HOSTILE)),
        rendering.answer_html(answer.text, frozenset({1})),
        rendering.question_html(answer),
        rendering.short_html(HOSTILE),
        rendering.end_html(an_answer(text="", status="failed", detail=HOSTILE)),
        rendering.partial_html(answer),
        rendering.note_html(FoundNote(quote=HOSTILE, title=HOSTILE, published=HOSTILE)),
        rendering.lines_html([Line(kind="search", text=HOSTILE)]),
        rendering.trace_html({"steps": [{"node": HOSTILE, "summary": HOSTILE, "seconds": 1.0, "calls": []}]}),
    ]

    for fragment in shown:
        assert "&lt;script&gt;" in fragment.lower()
        assert "<script" not in fragment.lower()
        assert "<img" not in fragment
        assert fragment.count("href=") == fragment.count('href="#source-')


def test_the_kept_markdown_has_the_sources_and_no_foreign_links() -> None:
    hostile = a_citation(title=HOSTILE)

    kept = rendering.answer_markdown(an_answer(citations=(hostile,), text="He did [1]. Yes."))

    assert "He did [1]\\. Yes" in kept
    assert "](http" not in kept
    assert kept.count("<") == kept.count("\\<")
    assert f"(24 July 1969): \u201c{QUOTE[:-1]}\\.\u201d" in kept


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        ("abstained", "insufficient_evidence", "do not support an answer"),
        ("abstained", "time_gap", "the time you ask about"),
        ("failed", None, "You can ask it again"),
        ("cancelled", None, "You stopped this answer"),
    ],
)
def test_an_answer_without_text_says_why(status: str, reason: str | None, words: str) -> None:
    shown = rendering.end_html(an_answer(text="", status=status, reason=reason))

    assert words in shown
    assert f"gn-{status}" in shown


def test_the_question_tells_its_dates() -> None:
    answer = an_answer(trace={"question": {"as_of": "2008-07-01"}})

    assert "in space \u00b7 asked on 1 June 2024 \u00b7 as of 1 July 2008" in rendering.question_html(answer)


def test_a_waiting_question_is_shown_before_it_is_dated() -> None:
    pending = PendingAnswer.model_validate(
        {
            "answer_id": "a",
            "collection": "space",
            "question": "Who?",
            "state": "queued",
            "created_at": "2024-06-01T00:00:00Z",
            "events": "/v1/answers/a/events",
        }
    )

    assert "asked on" not in rendering.question_html(pending)


def test_what_an_answer_cost_is_told_in_few_words() -> None:
    steps = [{"seconds": 1.25}, {"seconds": 2.0}]

    assert rendering.effort(an_answer(trace={"steps": steps})) == "3.2 s \u00b7 2 model calls \u00b7 1,000 tokens"


def test_the_trace_tells_calls_and_tokens_of_each_step() -> None:
    call = {"usage": {"prompt_tokens": 10, "completion_tokens": 5}}
    steps = [{"node": "note", "summary": "2 notes", "seconds": 1.0, "calls": [call, call]}]

    shown = rendering.trace_html({"steps": steps})

    assert "<b>Reading the passages</b><p>2 notes</p>" in shown
    assert "1.0 s \u00b7 2 calls \u00b7 30 tokens" in shown


def test_the_time_asked_for_is_told_below_the_question() -> None:
    time = TimeBody(
        relation="during",
        span=TimeSpan.parse("1969"),
        anchor=None,
        ordinal=None,
        surface="in <b>1969</b>",
        rest="",
        source="question",
    )

    shown = rendering.question_html(an_answer(time=time))

    assert "Time: during 1969, read from &#x27;in &lt;b&gt;1969&lt;/b&gt;&#x27;" in shown
    assert "Time: during 1969" in rendering.answer_markdown(an_answer(time=time))
    assert "Time:" not in rendering.question_html(an_answer())


def test_a_card_tells_for_when_its_quote_speaks() -> None:
    card = rendering.card_html(a_citation(told_for=(TimeSpan.parse("1969-03"), TimeSpan.parse("1970"))), None)

    assert "published 24 July 1969 \u00b7 time told: 1969-03, 1970 \u00b7 page 3" in card


def test_a_warning_is_escaped_and_kept_with_the_answer() -> None:
    shown = rendering.warning_html("the newest evidence is older than '<b>now</b>' asks")

    assert "<b>Warning.</b> The newest evidence is older than &#x27;&lt;b&gt;now" in shown
    assert "Warning: it is old" in rendering.answer_markdown(an_answer(detail="it is old"))


def test_a_follow_up_tells_how_it_was_understood() -> None:
    answer = an_answer(question="and Apollo 12?", understood_as=f"Who commanded Apollo 12? {HOSTILE}")

    assert "Understood as: Who commanded Apollo 12? &lt;script&gt;" in rendering.question_html(answer)
    assert "\n\nUnderstood as: Who commanded Apollo 12?" in rendering.answer_markdown(answer)
    assert "Understood as" not in rendering.question_html(an_answer())


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"status": "answered", "short": "Neil Armstrong", "text": "It was he [1]."}, "Neil Armstrong"),
        ({"status": "partial", "text": "It was he [1]."}, "It was he."),
        ({"status": "abstained", "reason": "time_gap"}, "Nothing in the collection covers the time you ask about."),
        ({"status": "failed"}, "failed"),
        ({"state": "running"}, "in progress"),
    ],
)
def test_a_turn_is_told_by_its_question_and_what_came_of_it(values: dict[str, Any], told: str) -> None:
    asked: dict[str, Any] = {"answer_id": "a", "collection": "c", "question": HOSTILE, "state": "finished"}
    turn = TurnBody(**{**asked, "created_at": datetime(2024, 6, 1, tzinfo=UTC), **values})

    assert rendering.turn_html(turn).endswith(f"</b><p>{told}</p></div>")
    assert "<script>" not in rendering.turn_html(turn)


def a_node(node_id: int, parent: int | None, **changes: Any) -> dict[str, Any]:
    node: dict[str, Any] = {
        "node_id": node_id,
        "parent": parent,
        "action": "follow_entity",
        "text": "",
        "queries": [],
        "visits": 1,
        "mean": 0.5,
        "cost": 120.0,
        "evidence": [],
        "status": "open",
        "answer": "",
        "error": "",
    }
    return {**node, **changes}


def test_a_search_tree_is_nested_lists_with_queries_visits_and_values() -> None:
    found = a_node(1, 0, queries=[HOSTILE], visits=2)
    rows = [a_node(0, None), found, a_node(2, 1, answer="Proton", status="answered")]
    html = rendering.tree_html({"steps": [{"node": "tree", "details": {"tree": rows}}]})

    assert html.count("<ul") == 2
    assert "<b>follow entity</b> Proton" in html
    assert "2 visits \u00b7 value 0.50 \u00b7 120 tokens" in html
    assert "<script>" not in html


def test_an_answer_without_a_search_tree_shows_none() -> None:
    assert rendering.tree_html({"steps": [{"node": "search", "details": {}}]}) == ""
