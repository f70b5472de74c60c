import time
from typing import Any

import pytest
from served import ANSWER, COLLECTION, FakeEngine
from starlette.testclient import TestClient

from app.api.schemas import AnswerBody, PendingAnswer
from app.store.answers import Answers


def ask(client: TestClient, question: str = "Who commanded Apollo 11?", **more: Any) -> Any:
    headers = {"Prefer": "respond-async"} if more.pop("later", False) else None
    body = {"question": question, "collection": COLLECTION, **more}
    return client.post("/v1/answers", json=body, headers=headers)


def finished(client: TestClient, answer_id: str) -> dict[str, Any]:
    for _ in range(200):
        body: dict[str, Any] = client.get(f"/v1/answers/{answer_id}").json()
        if "status" in body:
            return body
        time.sleep(0.02)
    raise AssertionError("the answer did not finish")


def test_an_answer_comes_as_json_with_its_citations(client: TestClient) -> None:
    response = ask(client, asked_on="2024-06-01")

    assert response.status_code == 200
    body = AnswerBody.model_validate(response.json())
    assert body.text == ANSWER
    assert [citation.marker for citation in body.citations] == [1, 2]
    assert body.asked_on.isoformat() == "2024-06-01"
    assert [step["node"] for step in body.trace["steps"]] == ["understand", "search", "note", "answer"]


def test_a_finished_answer_is_read_as_it_was_given(client: TestClient) -> None:
    response = ask(client)

    assert client.get(f"/v1/answers/{response.json()['answer_id']}").content == response.content


def test_an_answer_can_be_asked_for_and_fetched_later(client: TestClient, engine: FakeEngine) -> None:
    response = ask(client, "slow question", later=True)

    assert response.status_code == 202
    pending = PendingAnswer.model_validate(response.json())
    assert response.headers["Location"] == f"/v1/answers/{pending.answer_id}"
    assert response.headers["Preference-Applied"] == "respond-async"
    waiting = client.get(f"/v1/answers/{pending.answer_id}").json()
    assert (waiting["question"], waiting["collection"]) == ("slow question", COLLECTION)
    engine.gate.set()
    assert finished(client, pending.answer_id)["status"] == "answered"


@pytest.mark.parametrize(
    ("question", "status", "reason"),
    [
        ("abstain please", "abstained", "insufficient_evidence"),
        ("partial please", "partial", "budget_exhausted"),
        ("fail please", "failed", None),
        ("crash please", "failed", None),
    ],
)
def test_every_outcome_is_a_status_and_a_failure_is_never_text(
    client: TestClient, question: str, status: str, reason: str | None
) -> None:
    body = ask(client, question).json()

    assert (body["status"], body["reason"]) == (status, reason)
    assert bool(body["text"]) == (status == "partial")
    assert bool(body["detail"]) == (status != "abstained")


def test_an_unexpected_exception_is_told_without_its_insides(client: TestClient) -> None:
    assert "a bug" not in ask(client, "crash please").text


def test_a_running_answer_is_stopped(client: TestClient) -> None:
    answer_id = ask(client, "slow question", later=True).json()["answer_id"]

    response = client.post(f"/v1/answers/{answer_id}/cancel")

    assert response.status_code == 202
    assert finished(client, answer_id)["status"] == "cancelled"


def test_a_queued_answer_is_stopped_before_it_begins(client: TestClient) -> None:
    ask(client, "slow question", later=True)
    queued = ask(client, "slow too", later=True).json()["answer_id"]

    assert client.post(f"/v1/answers/{queued}/cancel").json() == {"answer_id": queued, "state": "finished"}
    assert finished(client, queued)["trace"]["steps"] == []


def test_stopping_a_finished_answer_changes_nothing(client: TestClient) -> None:
    body = ask(client).json()

    assert client.post(f"/v1/answers/{body['answer_id']}/cancel").json()["state"] == "finished"
    assert client.get(f"/v1/answers/{body['answer_id']}").json() == body


def test_a_full_queue_answers_429_with_retry_after(client: TestClient, engine: FakeEngine) -> None:
    first, _second = (ask(client, "slow question", later=True) for _ in range(2))

    refused = ask(client)

    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.json()["code"] == "busy"
    engine.gate.set()
    finished(client, first.json()["answer_id"])
    assert ask(client).status_code in (200, 429)


@pytest.mark.parametrize(
    ("question", "words"),
    [("  ", "empty"), ("x" * 100_000, "100000 characters"), ("what\x00", "U+0000"), ("\x1b[2J who?", "U+001B")],
)
def test_a_question_that_is_none_is_refused(client: TestClient, question: str, words: str) -> None:
    response = ask(client, question)

    assert response.status_code == 422
    assert response.json()["code"] == "invalid_question"
    assert words in response.json()["detail"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"question": None}, "question"),
        ({"question": 7}, "question"),
        ({"time": {"as_of": "soon"}}, "time.as_of"),
        ({"seconds": 0}, "seconds"),
        ({"effort": "deepest"}, "effort"),
        ({"depth": 3}, "depth"),
    ],
)
def test_a_field_that_is_wrong_is_named(client: TestClient, change: dict[str, Any], field: str) -> None:
    response = client.post("/v1/answers", json={"question": "Who?", "collection": COLLECTION, **change})

    assert response.status_code == 422
    assert response.json()["code"] == "invalid_request"
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_an_empty_collection_says_how_to_fill_it(client: TestClient) -> None:
    client.post("/v1/collections", json={"collection_id": "empty"})
    response = client.post("/v1/answers", json={"question": "Who?", "collection": "empty"})

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert "fill it with" in response.json()["detail"]


def test_an_unknown_collection_is_not_found_and_leaves_no_answer(client: TestClient, engine: FakeEngine) -> None:
    response = ask(client, collection="nowhere")

    assert response.status_code == 404
    assert "nowhere" in response.json()["detail"]
    assert Answers(engine.database).list() == []


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/events"), ("POST", "/cancel")])
def test_an_unknown_answer_is_not_found(client: TestClient, method: str, path: str) -> None:
    response = client.request(method, f"/v1/answers/nothing{path}")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_question_names_its_reranker(client: TestClient, engine: FakeEngine) -> None:
    assert ask(client, reranker="likelihood").status_code == 200
    assert engine.rerankers[0] == "likelihood"
    assert ask(client, reranker="none").status_code == 200


def test_an_unknown_reranker_is_refused_with_those_that_there_are(client: TestClient, engine: FakeEngine) -> None:
    response = ask(client, reranker="magic")

    assert (response.status_code, response.json()["code"]) == (422, "unknown_component")
    assert "no 'magic' in rerankers/; choose from ['attention'" in response.json()["detail"]
    assert Answers(engine.database).list() == []


def test_the_time_that_was_read_is_in_the_answer(client: TestClient) -> None:
    body = client.post("/v1/answers", json={"question": "Who led NASA in 1969?", "collection": COLLECTION}).json()

    time = AnswerBody.model_validate(body).time
    assert time is not None
    assert (time.relation, str(time.span), time.surface, time.source) == ("during", "1969", "in 1969", "question")


@pytest.mark.parametrize(
    ("time", "relation", "source"),
    [
        ({"from": "2004", "to": "2006"}, "between", "user"),
        ({"to": "2006-03"}, "until", "user"),
        ({"read": False}, 0, 0),
    ],
)
def test_the_user_sets_the_time_or_leaves_it_out(client: TestClient, time: Any, relation: Any, source: Any) -> None:
    asked = {"question": "Who led NASA in 1969?", "collection": COLLECTION, "time": time}
    found = client.post("/v1/answers", json=asked).json()["time"] or {"relation": 0, "source": 0}

    assert (found["relation"], found["source"]) == (relation, source)


@pytest.mark.parametrize(
    ("question", "time", "code"),
    [
        ("Who?", {"from": "2006", "to": "2004"}, "invalid_question"),
        ("Who?", {"from": "2006", "read": False}, "invalid_question"),
        ("Who led it before 1962 and after 1975?", {}, "contradictory_time"),
        ("Who?", {"from": "2006-13"}, "invalid_request"),
    ],
)
def test_a_time_that_no_day_satisfies_is_refused(client: TestClient, question: str, time: Any, code: str) -> None:
    response = client.post("/v1/answers", json={"question": question, "collection": COLLECTION, "time": time})

    assert (response.status_code, response.json()["code"]) == (422, code)
