"""The law of the answer log, over a real socket: however it is read, it says the same."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from httpx_sse import connect_sse
from served import COLLECTION, FakeEngine, fill, served, settings_for

from app.api import sse
from app.api.event_schemas import ANSWER_EVENT
from app.core.events import Event
from app.core.types import AnswerId
from app.store.answers import Answers

ENVELOPE = ("event", "seq", "ts", "answer_id")
KINDS = ["who commanded it", "abstain please", "partial please", "fail please", "crash please"]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> FakeEngine:
    engine = FakeEngine(settings_for(tmp_path_factory.mktemp("data"), workers=2, queue=16))
    fill(engine.database)
    return engine


@pytest.fixture(scope="module")
def client(engine: FakeEngine) -> Iterator[httpx.Client]:
    with served(engine) as address, httpx.Client(base_url=address, timeout=20) as client:
        yield client


def start(client: httpx.Client, question: str) -> str:
    body = {"question": question, "collection": COLLECTION}
    answer_id: str = client.post("/v1/answers", json=body, headers={"Prefer": "respond-async"}).json()["answer_id"]
    return answer_id


def read(client: httpx.Client, answer_id: str, *, after: int = 0, most: int = 1000) -> list[dict[str, Any]]:
    headers = {"Last-Event-ID": str(after)} if after else {}
    found: list[dict[str, Any]] = []
    with connect_sse(client, "GET", f"/v1/answers/{answer_id}/events", headers=headers) as source:
        for event in source.iter_sse():
            data = event.json()
            assert (event.event, event.id) == (data["event"], str(data["seq"]))
            found.append(data)
            if len(found) == most:
                break
    return found


@pytest.mark.parametrize("question", KINDS)
def test_events_read_in_two_halves_equal_events_read_at_once(client: httpx.Client, question: str) -> None:
    answer_id = start(client, question)
    whole = read(client, answer_id)

    for cut in range(1, len(whole) + 1):
        first = read(client, answer_id, most=cut)
        assert first + read(client, answer_id, after=cut) == whole


@pytest.mark.parametrize("question", KINDS)
def test_the_log_is_numbered_without_gaps_and_ends_with_done(client: httpx.Client, question: str) -> None:
    events = read(client, start(client, question))

    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [event["event"] for event in events].count("done") == 1
    assert events[-1]["event"] == "done"


@pytest.mark.parametrize("question", KINDS)
def test_every_event_fits_the_published_schema(client: httpx.Client, question: str) -> None:
    for event in read(client, start(client, question)):
        ANSWER_EVENT.validate_python(event)


@pytest.mark.parametrize("question", KINDS)
def test_the_pieces_join_to_the_text_and_the_body_is_the_completed_event(client: httpx.Client, question: str) -> None:
    answer_id = start(client, question)
    events = read(client, answer_id)

    completed = next(event for event in events if event["event"] == "answer.completed")
    pieces = "".join(event["text"] for event in events if event["event"] == "answer.delta")
    assert pieces == completed["text"]
    body = client.get(f"/v1/answers/{answer_id}")
    kept = {name: value for name, value in completed.items() if name not in ENVELOPE}
    assert json.dumps({"answer_id": answer_id, **kept}, ensure_ascii=False) == body.text


@pytest.mark.parametrize("question", KINDS)
def test_only_a_failed_answer_has_an_error_event(client: httpx.Client, question: str) -> None:
    events = read(client, start(client, question))

    errors = [event for event in events if event["event"] == "error"]
    failed = events[-1]["status"] == "failed"
    assert len(errors) == failed
    assert all(error["detail"] and error["code"] == "answer_failed" for error in errors)


def test_a_stream_of_the_request_itself_is_the_log(client: httpx.Client) -> None:
    body = {"question": "who commanded it", "collection": COLLECTION, "stream": True}
    with connect_sse(client, "POST", "/v1/answers", json=body) as source:
        headers = source.response.headers
        events = [event.json() for event in source.iter_sse()]

    assert headers["Cache-Control"] == "no-cache"
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["Location"] == f"/v1/answers/{events[0]['answer_id']}"
    assert read(client, events[0]["answer_id"]) == events


def test_an_answer_is_followed_while_it_is_worked_on_and_by_several(client: httpx.Client, engine: FakeEngine) -> None:
    engine.gate.clear()
    answer_id = start(client, "slow question")
    seen: list[list[dict[str, Any]]] = [[], []]
    threads = [threading.Thread(target=lambda at=at: seen[at].extend(read(client, answer_id))) for at in range(2)]
    for thread in threads:
        thread.start()
    assert [event["event"] for event in read(client, answer_id, most=1)] == ["answer.started"]
    engine.gate.set()
    for thread in threads:
        thread.join(timeout=20)

    assert seen[0] == seen[1] == read(client, answer_id)


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_does_not_stop_its_answer(client: httpx.Client, engine: FakeEngine, stream: bool) -> None:
    engine.gate.clear()
    body = {"question": "slow question", "collection": COLLECTION, "stream": stream}
    with pytest.raises(httpx.ReadTimeout):
        client.post("/v1/answers", json=body, timeout=0.5)
    engine.gate.set()
    newest = Answers(engine.database).list(limit=1)[0].answer_id
    assert read(client, newest)[-1]["status"] == "answered"


def test_a_stopped_answer_ends_as_cancelled(client: httpx.Client, engine: FakeEngine) -> None:
    engine.gate.clear()
    answer_id = start(client, "slow question")
    read(client, answer_id, most=3)

    client.post(f"/v1/answers/{answer_id}/cancel")

    events = read(client, answer_id)
    assert events[-1] == {**events[-1], "event": "done", "status": "cancelled"}
    assert client.get(f"/v1/answers/{answer_id}").json()["status"] == "cancelled"


def test_a_silent_stream_is_kept_open_by_comments(
    client: httpx.Client, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "HEARTBEAT_SECONDS", 0.2)
    engine.gate.clear()
    answer_id = start(client, "slow question")

    with client.stream("GET", f"/v1/answers/{answer_id}/events") as response:
        ping = next(line for line in response.iter_lines() if line.startswith(":"))
    engine.gate.set()

    assert ping == ": ping"


@pytest.mark.parametrize("last", ["soon", "-1", "1.5"])
def test_a_last_event_id_that_is_no_number_is_refused(client: httpx.Client, last: str) -> None:
    answer_id = start(client, "who commanded it")

    response = client.get(f"/v1/answers/{answer_id}/events", headers={"Last-Event-ID": last})

    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "last-event-id")


def test_a_stream_that_was_read_to_its_end_ends_at_once(client: httpx.Client) -> None:
    answer_id = start(client, "who commanded it")
    events = read(client, answer_id)

    assert read(client, answer_id, after=len(events)) == []


def test_data_of_an_event_is_ascii_on_one_line() -> None:
    event = Event(answer_id=AnswerId("a"), seq=1, name="answer.delta", data={"text": "a\u2028b\r\nc\u00e9"})

    sent = sse.as_sent(event).encode()

    assert sent.isascii()
    assert sent.count(b"data:") == 1
