from typing import Any

from ui.steps import FoundNote, current, lines_of, notes_of, text_of


def numbered(*events: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**event, "seq": seq} for seq, event in enumerate(events, start=1)]


def a_search(query: str, *passage_ids: str) -> dict[str, Any]:
    return {"event": "search.results", "query": query, "hits": [{"passage_id": key} for key in passage_ids]}


def a_note(passage_id: str) -> dict[str, Any]:
    return {"event": "note.added", "passage_id": passage_id, "quote": "q", "title": "t", "published": "1969-07"}


def test_a_search_tells_its_passages_and_how_many_were_noted() -> None:
    events = numbered(a_search("moon", "a", "b"), a_note("a"), a_search("mars", "b"), a_note("b"), a_note("b"))

    assert [line.text for line in lines_of(events)] == [
        "Searching \u2018moon\u2019: 2 passages, 1 noted",
        "Searching \u2018mars\u2019: 1 passage, 2 noted",
    ]


def test_a_note_of_no_known_search_is_not_counted() -> None:
    assert lines_of(numbered(a_search("moon", "a"), a_note("z")))[0].text.endswith("1 passage, 0 noted")


def test_a_plan_is_told_when_it_has_parts() -> None:
    one, two = ({"event": "plan.created", "parts": parts} for parts in (["who?"], ["who?", "when?"]))

    assert [line.text for line in lines_of(numbered(one, two))] == ["Looking for: who? \u00b7 when?"]


def test_the_time_that_was_read_is_told_before_anything_is_found() -> None:
    read = {"relation": "during", "anchor": None, "ordinal": None, "surface": "in 1969", "rest": "who?"}
    days = {"start": "1969-01-01", "end": "1969-12-31", "granularity": "year", "approximate": False}

    (line,) = lines_of(numbered({"event": "time.resolved", **read, "span": days}))

    assert line.text == "Time: during 1969, read from 'in 1969'"


def test_a_finished_step_is_told_by_its_summary_and_seconds() -> None:
    finished = {"event": "step.finished", "node": "note", "summary": "2 notes", "seconds": 1.5}

    (line,) = lines_of(numbered(finished))

    assert (line.kind, line.text, line.seconds) == ("step", "Reading the passages: 2 notes", 1.5)


def test_what_is_being_done_is_the_last_step_that_began_or_what_follows() -> None:
    assert current([]) == "Waiting for a free worker"
    assert current([{"event": "answer.started"}]) == "Understanding the question"
    assert current([{"event": "step.started", "node": "verify"}]) == "Checking each sentence"
    assert current([{"event": "step.started", "node": "plan"}]) == "Splitting the question"
    assert current([{"event": "step.started", "node": "follow_up"}]) == "Reading the question in its conversation"
    assert current([{"event": "step.started", "node": "look_up"}]) == "Look up"
    assert current([{"event": "search.results"}]) == "Reading the passages"


def test_evidence_and_text_are_collected_as_they_come() -> None:
    deltas = [{"event": "answer.delta", "text": text} for text in ("One. ", "Two.")]
    events = numbered(a_note("a"), *deltas)

    assert notes_of(events) == [FoundNote(quote="q", title="t", published="1969-07")]
    assert text_of(events) == "One. Two."


def test_how_a_follow_up_was_understood_is_told_once() -> None:
    step = {"event": "step.finished", "node": "follow_up", "summary": "understood as: Who?", "seconds": 1.0}
    told = {"event": "question.understood", "question": "and?", "understood_as": "Who?"}

    assert [line.text for line in lines_of(numbered(step, told))] == ["Understood as: Who?"]
