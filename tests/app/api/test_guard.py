from collections.abc import Iterator
from pathlib import Path

import pytest
from served import COLLECTION, FakeEngine, settings_for
from starlette.testclient import TestClient

from app.api.main import create_app

TOKEN = "correct horse battery staple"
PATHS = ["/readyz", "/v1/version", "/v1/collections", "/openapi.json", "/v1/nothing"]


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[TestClient]:
    engine = FakeEngine(settings_for(tmp_path, host="0.0.0.0", token=TOKEN))
    with TestClient(create_app(engine.settings, engine), base_url="http://gnomon.example") as client:
        yield client
    engine.close()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer \u00e9"])
def test_without_the_token_nothing_is_told(guarded: TestClient, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode()}

    response = guarded.get(path, headers=headers)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.json()["code"] == "unauthorized"


def test_with_the_token_every_host_name_is_served(guarded: TestClient) -> None:
    response = guarded.get("/v1/collections", headers={"Authorization": f"bearer {TOKEN}"})

    assert response.status_code == 200


def test_health_needs_no_token(guarded: TestClient) -> None:
    assert guarded.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize("host", ["gnomon.example", "127.0.0.1.example", "192.168.0.7", "", "[::1"])
def test_without_a_token_other_host_names_are_refused(client: TestClient, host: str) -> None:
    response = client.get("/v1/collections", headers={"Host": host})

    assert (response.status_code, response.json()["code"]) == (421, "wrong_host")


@pytest.mark.parametrize("host", ["127.0.0.1:8420", "localhost", "LOCALHOST:8420", "[::1]:8420"])
def test_without_a_token_loopback_is_served(client: TestClient, host: str) -> None:
    assert client.get("/v1/collections", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_a_web_page_from_elsewhere_cannot_send_documents(client: TestClient, origin: str) -> None:
    path = f"/v1/collections/{COLLECTION}/documents"

    response = client.post(path, files={"files": ("a.txt", b"hello")}, headers={"Origin": origin})

    assert (response.status_code, response.json()["code"]) == (403, "wrong_origin")


def test_no_cross_origin_header_is_sent(client: TestClient) -> None:
    response = client.get("/v1/collections", headers={"Origin": "http://localhost:3000"})

    assert response.status_code == 200
    assert not [name for name in response.headers if name.startswith("access-control")]


def test_a_large_json_body_is_refused_before_it_is_read(client: TestClient) -> None:
    response = client.post("/v1/answers", content=b"x" * 1_100_000, headers={"Content-Type": "application/json"})

    assert (response.status_code, response.json()["limit_mb"]) == (413, 1)
