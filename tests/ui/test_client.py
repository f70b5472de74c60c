import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from served import ANSWER, COLLECTION, TEXTS, FakeEngine, served, settings_for

from app.api.schemas import AnswerBody, PendingAnswer, TimeRequest
from ui.client import DEFAULT_API, ApiError, Client


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    with closing(Client(address)) as client:
        yield client


def finished(client: Client, answer_id: str) -> AnswerBody:
    for _ in range(200):
        answer = client.answer(answer_id)
        if isinstance(answer, AnswerBody):
            return answer
        time.sleep(0.02)
    raise AssertionError("the answer did not finish")


def test_an_answer_is_asked_for_followed_and_read(client: Client) -> None:
    answer_id = client.ask("Who?", collection=COLLECTION, time=TimeRequest(as_of=date(2020, 1, 1)))

    events = client.events(answer_id, seconds=10)

    assert events[-1]["event"] == "done"
    answer = finished(client, answer_id)
    assert answer.text == ANSWER
    assert answer.trace["question"]["as_of"] == "2020-01-01"


def test_events_are_read_on_from_where_the_last_reading_ended(client: Client, engine: FakeEngine) -> None:
    answer_id = client.ask("slow question", collection=COLLECTION)
    first = client.events(answer_id, seconds=0.5)
    assert isinstance(client.answer(answer_id), PendingAnswer)
    engine.gate.set()

    rest = client.events(answer_id, after=len(first), seconds=10)

    assert first
    assert [event["seq"] for event in [*first, *rest]] == list(range(1, len(first) + len(rest) + 1))


def test_waiting_for_events_ends_when_none_come(client: Client) -> None:
    answer_id = client.ask("slow question", collection=COLLECTION)
    seen = client.events(answer_id, seconds=0.5)
    started = time.monotonic()

    assert client.events(answer_id, after=len(seen), seconds=0.2) == []
    assert time.monotonic() - started < 2


def test_an_answer_can_be_stopped(client: Client) -> None:
    answer_id = client.ask("slow question", collection=COLLECTION)

    client.cancel(answer_id)

    assert finished(client, answer_id).status == "cancelled"


def test_a_passage_is_read_and_a_lost_one_is_none(client: Client) -> None:
    passage = client.passage(COLLECTION, "apollo-11@11111111#0")

    assert passage is not None
    assert passage.text == TEXTS["apollo-11"][2]
    assert client.passage(COLLECTION, "apollo-11@22222222#0") is None


def test_files_are_sent_and_their_job_is_followed(client: Client) -> None:
    client.create_collection("letters")
    job = client.upload("letters", [("a.txt", b"Dear Sir"), ("b.txt", b"BAD")])
    for _ in range(200):
        job = client.job(job.job_id)
        if job.state == "finished":
            break
        time.sleep(0.02)

    assert [file.state for file in job.documents] == ["ready", "failed"]
    assert {document.state for document in client.documents("letters")} == {"ready", "failed"}
    assert [row.collection_id for row in client.collections()] == ["letters", COLLECTION]


def test_a_refusal_carries_the_words_and_the_code_of_the_server(client: Client) -> None:
    with pytest.raises(ApiError, match="question is empty") as refused:
        client.ask(" ", collection=COLLECTION)

    assert refused.value.code == "invalid_question"


def test_a_server_that_is_not_there_is_told_with_the_command_that_starts_it() -> None:
    with closing(Client("http://127.0.0.1:9")) as client, pytest.raises(ApiError, match="gnomon serve") as refused:
        client.collections()

    assert refused.value.code == "unreachable"


def test_the_token_is_sent(tmp_path: Path) -> None:
    engine = FakeEngine(settings_for(tmp_path, token="secret"))
    with served(engine) as address:
        with closing(Client(address)) as client, pytest.raises(ApiError) as refused:
            client.collections()
        environment = {"GNOMON_API": address, "GNOMON_SERVER__TOKEN": "secret"}
        with closing(Client.from_environment(environment)) as client:
            assert client.collections() == []

    assert refused.value.code == "unauthorized"


def test_without_a_variable_the_default_server_is_meant() -> None:
    with closing(Client.from_environment({})) as client:
        assert client.address == DEFAULT_API
