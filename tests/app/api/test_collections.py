from urllib.parse import quote

import pytest
from served import COLLECTION, TEXTS
from starlette.testclient import TestClient


def test_collections_are_listed_with_their_counts(client: TestClient) -> None:
    (found,) = client.get("/v1/collections").json()["collections"]

    assert (found["collection_id"], found["documents"], found["passages"]) == (COLLECTION, 3, 3)
    assert client.get(f"/v1/collections/{COLLECTION}").json() == found


def test_a_new_collection_is_empty(client: TestClient) -> None:
    response = client.post("/v1/collections", json={"collection_id": "letters"})

    assert response.status_code == 201
    assert response.json()["documents"] == 0
    assert client.get("/v1/collections/letters").json() == response.json()


def test_a_name_that_is_taken_is_a_conflict(client: TestClient) -> None:
    response = client.post("/v1/collections", json={"collection_id": COLLECTION})

    assert (response.status_code, response.json()["code"]) == (409, "collection_exists")


@pytest.mark.parametrize("name", ["", "../up", "Letters", "a" * 65, "a/b"])
def test_a_name_that_is_not_allowed_is_refused(client: TestClient, name: str) -> None:
    response = client.post("/v1/collections", json={"collection_id": name})

    assert (response.status_code, response.json()["code"]) == (422, "config_error")


def test_a_passage_is_read_by_its_percent_encoded_id(client: TestClient) -> None:
    passage_id = quote("apollo-11@11111111#0", safe="")

    passage = client.get(f"/v1/collections/{COLLECTION}/passages/{passage_id}").json()

    assert passage["text"] == TEXTS["apollo-11"][2]


def test_health_readiness_and_version(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}
    assert client.get("/v1/version").json()["api"] == "v1"
