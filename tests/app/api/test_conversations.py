import time
from typing import Any

import pytest
from served import COLLECTION, FakeEngine
from starlette.testclient import TestClient

from app.api.event_schemas import ANSWER_EVENT
from app.api.schemas import AnswerBody, ConversationBody, ConversationSummary
from app.store.answers import Answers


@pytest.fixture
def conversation(client: TestClient) -> str:
    response = client.post("/v1/conversations")
    assert response.status_code == 201
    begun = ConversationSummary.model_validate(response.json())
    assert (begun.title, begun.turns) == ("", 0)
    return begun.conversation_id


def ask(client: TestClient, question: str, conversation: str | None = None, **more: Any) -> Any:
    headers = {"Prefer": "respond-async"} if more.pop("later", False) else None
    body = {"question": question, "collection": COLLECTION, "conversation_id": conversation, **more}
    return client.post("/v1/answers", json=body, headers=headers)


def test_a_follow_up_sees_the_turns_before_it_and_tells_how_it_was_understood(
    client: TestClient, engine: FakeEngine, conversation: str
) -> None:
    ask(client, "who led NASA in 1969?", conversation)
    body = AnswerBody.model_validate(ask(client, "and in 1970?", conversation).json())

    [turn] = engine.histories[-1]
    assert (turn.question, turn.answer) == ("who led NASA in 1969?", "Neil Armstrong")
    assert [note.note_id for note in turn.notes] == ["n1", "n2"]
    assert (body.question, body.understood_as) == ("and in 1970?", "who led NASA in 1969? and in 1970?")
    assert body.conversation_id == conversation


def test_the_log_of_a_follow_up_tells_how_it_was_understood(client: TestClient, conversation: str) -> None:
    ask(client, "who?", conversation)
    answer_id = ask(client, "and then?", conversation).json()["answer_id"]

    lines = client.get(f"/v1/answers/{answer_id}/events").text.splitlines()
    sent = [ANSWER_EVENT.validate_json(line[6:]) for line in lines if line.startswith("data: ")]

    [told] = [event for event in sent if event.event == "question.understood"]
    assert (told.question, told.understood_as) == ("and then?", "who? and then?")


def test_an_answer_without_a_conversation_has_no_history(client: TestClient, engine: FakeEngine) -> None:
    ask(client, "who?")
    body = ask(client, "and then?").json()

    assert engine.histories == [(), ()]
    assert (body["conversation_id"], body["understood_as"]) == (None, "")


def test_a_follow_up_of_a_follow_up_goes_on_from_what_that_one_meant(
    client: TestClient, engine: FakeEngine, conversation: str
) -> None:
    for question in ("who?", "and when?", "and where?"):
        ask(client, question, conversation)

    assert [turn.question for turn in engine.histories[-1]] == ["who?", "who? and when?"]


def test_a_conversation_is_read_with_its_turns_in_order(client: TestClient, conversation: str) -> None:
    first = ask(client, "who?", conversation).json()
    ask(client, "abstain please", conversation)

    found = ConversationBody.model_validate(client.get(f"/v1/conversations/{conversation}").json())

    assert [turn.question for turn in found.turns] == ["who?", "abstain please"]
    assert [turn.status for turn in found.turns] == ["answered", "abstained"]
    assert (found.turns[0].answer_id, found.turns[0].short) == (first["answer_id"], first["short"])
    assert found.turns[1].reason == "insufficient_evidence"


def test_a_turn_that_is_worked_on_has_no_status_yet(client: TestClient, engine: FakeEngine, conversation: str) -> None:
    pending = ask(client, "slow question", conversation, later=True).json()

    [turn] = client.get(f"/v1/conversations/{conversation}").json()["turns"]

    assert pending["conversation_id"] == conversation
    assert (turn["status"], turn["text"]) == (None, "")
    engine.gate.set()


def test_conversations_are_listed_newest_first_a_page_at_a_time(client: TestClient) -> None:
    ids = [client.post("/v1/conversations").json()["conversation_id"] for _ in range(3)]
    ask(client, "who?", ids[0])

    def page(**more: Any) -> list[tuple[str, str, int]]:
        rows = client.get("/v1/conversations", params=more).json()["conversations"]
        return [(row["conversation_id"], row["title"], row["turns"]) for row in rows]

    assert page() == [(ids[2], "", 0), (ids[1], "", 0), (ids[0], "who?", 1)]
    assert page(limit=1) == [(ids[2], "", 0)]
    assert page(limit=2, before=ids[2]) == [(ids[1], "", 0), (ids[0], "who?", 1)]


def test_a_deleted_conversation_takes_its_answers_with_it(client: TestClient, conversation: str) -> None:
    mine, other = ask(client, "who?", conversation).json(), ask(client, "who?").json()

    assert client.delete(f"/v1/conversations/{conversation}").status_code == 204

    assert client.get(f"/v1/conversations/{conversation}").json()["code"] == "not_found"
    assert client.get(f"/v1/answers/{mine['answer_id']}").status_code == 404
    assert client.get(f"/v1/answers/{mine['answer_id']}/events").status_code == 404
    assert client.get(f"/v1/answers/{other['answer_id']}").status_code == 200


def test_a_conversation_that_is_worked_on_is_not_deleted(
    client: TestClient, engine: FakeEngine, conversation: str
) -> None:
    answer_id = ask(client, "slow question", conversation, later=True).json()["answer_id"]

    refused = client.delete(f"/v1/conversations/{conversation}")

    assert (refused.status_code, refused.json()["code"]) == (409, "conversation_at_work")
    assert answer_id in refused.json()["detail"]
    engine.gate.set()
    for _ in range(200):
        if client.delete(f"/v1/conversations/{conversation}").status_code == 204:
            return
        time.sleep(0.02)
    raise AssertionError("it could not be deleted")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_conversation_is_not_found(client: TestClient, method: str) -> None:
    response = client.request(method, "/v1/conversations/nothing")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_nothing_is_asked_in_an_unknown_conversation(client: TestClient, engine: FakeEngine) -> None:
    response = ask(client, "who?", "nothing")

    assert response.json()["detail"] == "no conversation 'nothing'; begin one, or ask without"
    assert response.status_code == 404
    assert not Answers(engine.database).list()


def test_notes_of_earlier_answers_are_pinned_and_rejected_by_their_ids(client: TestClient, conversation: str) -> None:
    ask(client, "who?", conversation)

    body = ask(client, "who?", conversation, pinned_notes=["n1"], rejected_notes=["n2"]).json()

    asked = body["trace"]["question"]
    assert (asked["pinned_notes"], asked["rejected_notes"]) == (["n1"], ["n2"])


@pytest.mark.parametrize(
    ("more", "status", "message"),
    [
        ({"pinned_notes": ["n9"]}, 404, "no note 'n9' in the last 5 answers of this conversation"),
        ({"rejected_notes": ["n9"]}, 404, "no note 'n9' in the last 5 answers of this conversation"),
        (
            {"pinned_notes": ["n1"], "rejected_notes": ["n1"]},
            422,
            "body: note 'n1' is pinned and rejected; leave one out",
        ),
        ({"pinned_notes": ["n1"], "conversation_id": None}, 422, "give their conversation_id"),
    ],
)
def test_notes_that_cannot_be_meant_are_refused(
    client: TestClient, conversation: str, more: dict[str, Any], status: int, message: str
) -> None:
    ask(client, "who?", conversation)

    refused = client.post(
        "/v1/answers", json={"question": "who?", "collection": COLLECTION, "conversation_id": conversation, **more}
    )

    assert refused.status_code == status
    assert message in refused.json()["detail"]
