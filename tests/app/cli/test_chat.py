import io
import json
from typing import Any

import pytest
from served import ANSWER, COLLECTION

from app.core.types import ConversationId
from app.store.answers import Answers
from app.store.conversations import Conversations


@pytest.fixture
def chat(gnomon: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(lines: str, *options: str) -> Any:
        monkeypatch.setattr("sys.stdin", io.StringIO(lines))
        return gnomon("chat", "-c", COLLECTION, *options)

    return run


def begun(ran: Any) -> str:
    """The id of the conversation that a command began."""
    assert ran.err.startswith("conversation ")
    return str(ran.err.split()[1].rstrip(";"))


def test_questions_are_read_line_by_line_and_the_end_ends_with_0(chat: Any, engines: Any) -> None:
    ran = chat("Who commanded Apollo 11?\n\n  \nand when?\n")

    assert (ran.code, ran.out.count(ANSWER)) == (0, 2)
    assert "understood as: Who commanded Apollo 11? and when?" in ran.out
    assert [[turn.question for turn in history] for history in engines.opened[0].histories] == [
        [],
        ["Who commanded Apollo 11?"],
    ]


def test_json_is_one_object_a_line_and_names_the_conversation(chat: Any) -> None:
    ran = chat("Who?\nand when?", "--json")

    bodies = [json.loads(line) for line in ran.out.splitlines()]
    assert [body["understood_as"] for body in bodies] == ["", "Who? and when?"]
    assert {body["conversation_id"] for body in bodies} == {begun(ran)}


def test_a_conversation_is_kept_with_its_events_and_goes_on_in_ask(chat: Any, gnomon: Any, engines: Any) -> None:
    conversation = begun(chat("Who?\n"))

    ran = gnomon("ask", "and when?", "-c", COLLECTION, "--conversation", conversation, "--json")

    assert json.loads(ran.out)["understood_as"] == "Who? and when?"
    answers = Answers(engines.opened[-1].database)
    rows = answers.of_conversation(ConversationId(conversation))
    assert [json.loads(row.result or "{}")["question"] for row in rows] == ["Who?", "and when?"]
    names = [event.name for event in answers.read(rows[0].answer_id)]
    assert (names[0], names[-2:]) == ("answer.started", ["answer.completed", "done"])


def test_ask_begins_a_conversation_and_asks_all_its_questions_in_it(gnomon: Any) -> None:
    ran = gnomon("ask", "Who?", "and when?", "-c", COLLECTION, "--conversation", "new")

    assert ran.code == 0
    assert "understood as: Who? and when?" in ran.out
    assert begun(ran)


def test_ask_alone_keeps_nothing(gnomon: Any, engines: Any) -> None:
    gnomon("ask", "Who?", "-c", COLLECTION)

    database = engines.opened[-1].database
    assert (Answers(database).list(), Conversations(database).list()) == ([], [])


def test_an_answer_that_fails_and_a_question_that_cannot_be_asked_do_not_end_it(chat: Any) -> None:
    ran = chat("fail it\nwho\x07\nWho commanded Apollo 11?\n")

    assert ran.code == 0
    assert ANSWER in ran.out
    assert ran.err.splitlines()[-2:] == [
        "gnomon: the index is older than its settings; run 'gnomon index rebuild'",
        "gnomon: the question holds the control character U+0007; remove it",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("chat", "-c", "nowhere"), "no collection 'nowhere'"),
        (("chat", "-c", COLLECTION, "--conversation", "x"), "no conversation 'x'; begin one, or ask without"),
        (("ask", "who?", "-c", COLLECTION, "--conversation", "x"), "no conversation 'x'; begin one, or ask without"),
    ],
)
def test_what_is_not_there_is_one_line_before_any_question(
    gnomon: Any, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], message: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("who?\n"))
    ran = gnomon(*options)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"gnomon: {message}")


def test_no_line_at_all_is_no_error(chat: Any) -> None:
    ran = chat("")
    assert (ran.code, ran.out) == (0, "")
