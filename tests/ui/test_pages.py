"""The pages' logic, run by Streamlit's own test driver against a real server on loopback."""

import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
import streamlit as st
from served import COLLECTION, FakeEngine, served, settings_for
from streamlit.testing.v1 import AppTest

from app.store.answers import Answers
from app.store.conversations import Conversations
from ui.ask import EXAMPLES

UI = Path(__file__).resolve().parents[2] / "ui"


@pytest.fixture
def page(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    monkeypatch.setenv("GNOMON_API", address)
    yield AppTest.from_file(str(UI / "home.py"), default_timeout=20)
    st.cache_resource.clear()


def shown(page: AppTest) -> str:
    """All HTML of the page."""
    return "\n".join(element.proto.body for element in page.get("html"))


def ask(page: AppTest, question: str) -> AppTest:
    page.text_input(key="question").input(question)
    next(button for button in page.button if button.label == "Ask").click()
    return page.run()


def until(page: AppTest, holds: Callable[[], bool]) -> None:
    """Redraw as a browser would, until it holds."""
    for _ in range(100):
        if holds():
            return
        time.sleep(0.05)
        page.run()
    raise AssertionError(shown(page))


def test_the_empty_page_shows_the_collection_and_three_examples(page: AppTest) -> None:
    page.run()

    assert not page.exception
    assert page.selectbox[0].options == ["spaceflight \u00b7 3 documents"]
    assert [button.label for button in page.button if button.key and button.key.startswith("example")] == list(EXAMPLES)


def test_a_question_is_answered_with_chips_and_cards(page: AppTest) -> None:
    ask(page.run(), "Who commanded Apollo 11?")
    until(page, lambda: "gn-answer" in shown(page) and len(page.tabs) == 2)

    assert not page.exception
    assert '<a class="gn-chip" href="#source-1">1</a>' in shown(page)
    assert "<mark>Neil Armstrong commanded the mission.</mark>" in shown(page)
    assert [tab.label for tab in page.tabs] == ["Evidence (2)", "Steps"]
    assert page.status[0].label.startswith("Answered")


def test_an_example_is_asked_by_its_button(page: AppTest) -> None:
    page.run().button(key="example2").click().run()

    assert EXAMPLES[1] in shown(page)
    assert page.query_params["answer"]


def test_steps_and_stop_are_there_while_it_is_worked_on(page: AppTest) -> None:
    ask(page.run(), "slow question")
    until(page, lambda: "Searching \u2018Apollo 11" in shown(page))

    assert page.status[0].state == "running"
    page.button(key="stop").click().run()
    until(page, lambda: "gn-cancelled" in shown(page))


def test_a_page_that_is_opened_anew_finds_its_answer(page: AppTest, engine: FakeEngine) -> None:
    ask(page.run(), "slow question")
    reopened = AppTest.from_file(str(UI / "home.py"), default_timeout=20)
    reopened.query_params["answer"] = page.query_params["answer"]

    reopened.run()
    assert "slow question" in shown(reopened)
    engine.gate.set()
    until(reopened, lambda: "gn-answer" in shown(reopened) and len(reopened.tabs) == 2)

    assert len(Answers(engine.database).list()) == 1


def test_the_as_of_date_goes_with_the_question(page: AppTest) -> None:
    page.run().date_input(key="as_of").set_value(date(2008, 7, 1))
    ask(page, "Who led NASA?")
    until(page, lambda: len(page.tabs) == 2)

    assert "as of 1 July 2008" in shown(page)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("abstain please", "do not support an answer"),
        ("partial please", "Partial answer."),
        ("fail please", "run &#x27;gnomon index rebuild&#x27;"),
    ],
)
def test_every_outcome_is_shown_in_words_and_never_as_an_exception(page: AppTest, question: str, words: str) -> None:
    ask(page.run(), question)
    until(page, lambda: len(page.tabs) == 2)

    assert words in shown(page)
    assert not page.exception
    assert not page.error


def test_a_failed_answer_can_be_asked_again(page: AppTest, engine: FakeEngine) -> None:
    ask(page.run(), "fail please")
    until(page, lambda: len(page.tabs) == 2)

    page.button(key="again").click().run()

    assert len(Answers(engine.database).list()) == 2


def test_a_new_question_leaves_the_answer(page: AppTest) -> None:
    ask(page.run(), "Who commanded Apollo 11?")

    page.button(key="new").click().run()

    assert "gn-hero" in shown(page)
    assert "answer" not in page.query_params


def test_a_question_that_is_refused_is_told_why(page: AppTest) -> None:
    ask(page.run(), "x" * 5000)

    assert "5000 characters" in page.warning[0].value
    assert not page.exception


def test_an_address_without_answer_is_told_and_left(page: AppTest) -> None:
    page.query_params["answer"] = "nothing"
    page.run()

    assert "no answer" in page.warning[0].value
    assert not page.run().warning


def test_without_a_server_the_command_that_starts_one_is_shown(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNOMON_API", "http://127.0.0.1:9")
    page.run()

    assert "gnomon serve" in shown(page)
    assert not page.exception


def test_without_documents_the_way_to_some_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(settings_for(tmp_path / "empty"))
    with served(engine) as address:
        monkeypatch.setenv("GNOMON_API", address)
        page = AppTest.from_file(str(UI / "home.py"), default_timeout=20).run()
    st.cache_resource.clear()

    assert "No documents yet" in shown(page)
    assert not page.exception


@pytest.fixture
def documents(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    monkeypatch.setenv("GNOMON_API", address)
    yield AppTest.from_file(str(UI / "pages" / "documents.py"), default_timeout=20)
    st.cache_resource.clear()


def test_documents_are_listed_with_date_and_state(documents: AppTest) -> None:
    documents.run()

    assert not documents.exception
    table = documents.dataframe[0].value
    assert list(table["Published"]) == ["1973-01", "24 July 1969", "2020"]
    assert set(table["State"]) == {"ready"}


def test_files_are_uploaded_and_told_one_by_one(documents: AppTest) -> None:
    documents.run()
    documents.file_uploader(key="files").set_value(
        [("good.txt", b"Sputnik was first.", "text/plain"), ("bad.txt", b"BAD", "text/plain")]
    )
    next(button for button in documents.button if button.label == f"Add to {COLLECTION}").click().run()
    until(documents, lambda: documents.status[0].state == "error")

    told = [element.value for element in documents.markdown]
    assert any("good\\.txt" in line and "**ready**" in line for line in told)
    assert any("bad\\.txt" in line and "**failed** is broken; save it anew" in line for line in told)
    assert "good" in list(documents.dataframe[0].value["Title"])


def test_a_new_collection_is_made_and_chosen(documents: AppTest) -> None:
    documents.run()
    documents.text_input[0].input("letters-1890")
    next(button for button in documents.button if button.label == "Make it").click().run()

    assert documents.session_state["collection"] == "letters-1890"
    assert "Documents of letters-1890" in shown(documents)


def test_the_reranker_of_the_sidebar_goes_with_the_question(page: AppTest, engine: FakeEngine) -> None:
    chosen = page.run().selectbox(key="reranker")
    assert (chosen.value, "likelihood" in chosen.options) == ("identity", True)

    chosen.set_value("likelihood")
    ask(page, "Who led NASA?")
    until(page, lambda: len(page.tabs) == 2)

    assert engine.rerankers[0] == "likelihood"
    assert not page.exception


def test_the_time_of_the_sidebar_goes_with_the_question(page: AppTest) -> None:
    page.run().text_input(key="from").input("1969")
    ask(page, "Who led NASA?")
    until(page, lambda: len(page.tabs) == 2)

    assert "Time: since 1969, as you set it" in shown(page)


def test_a_date_that_is_none_is_told_and_counts_for_nothing(page: AppTest) -> None:
    page.run().text_input(key="to").input("soon").run()
    assert "Write a date as 2004" in page.warning[0].value

    ask(page, "Who led NASA in 1969?")
    until(page, lambda: len(page.tabs) == 2)

    assert "Time: during 1969, read from" in shown(page)


def test_an_answer_can_be_asked_for_again_without_its_time(page: AppTest, engine: FakeEngine) -> None:
    ask(page.run(), "Who led NASA in 1969?")
    until(page, lambda: len(page.tabs) == 2)

    page.checkbox(key="read_time").uncheck().run()
    page.button(key="for_that_time").click().run()
    until(page, lambda: len(page.tabs) == 2)

    assert len(Answers(engine.database).list()) == 2
    assert "Time:" not in shown(page)


def test_a_follow_up_goes_on_in_its_conversation_and_tells_how_it_was_understood(
    page: AppTest, engine: FakeEngine
) -> None:
    ask(page.run(), "Who commanded Apollo 11?")
    until(page, lambda: len(page.tabs) == 2)
    first = page.query_params["answer"]
    ask(page, "and when was that?")
    until(page, lambda: len(page.tabs) == 2 and page.query_params["answer"] != first)

    assert [turn.question for turn in engine.histories[-1]] == ["Who commanded Apollo 11?"]
    assert "Understood as: Who commanded Apollo 11? and when was that?" in shown(page)
    assert '<div class="gn-turn"><b>Who commanded Apollo 11?</b><p>Neil Armstrong</p></div>' in shown(page)
    assert not page.exception


def test_an_earlier_turn_is_opened_by_its_button(page: AppTest) -> None:
    ask(page.run(), "Who commanded Apollo 11?")
    until(page, lambda: len(page.tabs) == 2)
    first = "".join(page.query_params["answer"])
    ask(page, "and when was that?")
    until(page, lambda: len(page.tabs) == 2)

    page.button(key=f"open {first}").click().run()

    assert "".join(page.query_params["answer"]) == first
    assert 'class="gn-turn"' not in shown(page)


def test_a_new_conversation_has_no_history(page: AppTest, engine: FakeEngine) -> None:
    ask(page.run(), "Who commanded Apollo 11?")
    until(page, lambda: len(page.tabs) == 2)
    page.button(key="new").click().run()
    ask(page, "and when was that?")
    until(page, lambda: len(page.tabs) == 2)

    assert engine.histories == [(), ()]


def test_a_conversation_is_found_again_and_deleted(page: AppTest, engine: FakeEngine) -> None:
    ask(page.run(), "Who commanded Apollo 11?")
    until(page, lambda: len(page.tabs) == 2)
    [row] = Conversations(engine.database).list()
    page.button(key="new").click().run()

    page.button(key=f"conversation {row.conversation_id}").click().run()
    assert "Who commanded Apollo 11?" in shown(page)

    page.button(key=f"delete {row.conversation_id}").click().run()
    assert "gn-hero" in shown(page)
    assert not Conversations(engine.database).list()
    assert not page.exception


def test_a_follow_up_that_failed_is_asked_again_as_it_was_understood(page: AppTest, engine: FakeEngine) -> None:
    ask(page.run(), "fail please")
    until(page, lambda: len(page.tabs) == 2)
    ask(page, "and again")
    until(page, lambda: len(page.tabs) == 2 and "Understood as" in shown(page))

    page.button(key="again").click().run()
    until(page, lambda: len(engine.histories) == 3)

    assert [turn.question for turn in engine.histories[-1]] == ["fail please", "fail please and again"]
    assert page.query_params["answer"]
