import logging

import pytest
from served import FakeEngine
from starlette.testclient import TestClient

from app.api.main import create_app
from app.api.problems import Problem


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("DELETE", "/v1/answers", 405, "method_not_allowed"),
        ("POST", "/v1/search", 422, "invalid_request"),
        ("GET", "/v1/jobs/none", 404, "not_found"),
        ("GET", "/v1/collections/none", 404, "not_found"),
        ("GET", "/v1/collections/spaceflight/passages/none", 404, "not_found"),
    ],
)
def test_every_error_is_problem_json(client: TestClient, method: str, path: str, status: int, code: str) -> None:
    response = client.request(method, path)

    assert response.headers["Content-Type"] == "application/problem+json"
    problem = Problem.model_validate(response.json())
    assert (response.status_code, problem.status, problem.code) == (status, status, code)
    assert problem.type == f"urn:gnomon:problem:{code}"
    assert problem.request_id == response.headers["X-Request-ID"]
    assert problem.detail


def test_a_body_that_is_no_json_is_refused(client: TestClient) -> None:
    response = client.post("/v1/search", content=b"{", headers={"Content-Type": "application/json"})

    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(
    ("content", "kind", "detail"),
    [
        ("not json", "application/json", "body: is not JSON: Expecting value"),
        ("[]", "application/json", "body: send a JSON object, with Content-Type: application/json"),
        ('{"query": "x"}', "text/xml", "body: send a JSON object, with Content-Type: application/json"),
        ('{"query": "x", "collection": "y", "foo": 1}', "application/json", "foo: there is no such field"),
    ],
)
def test_a_wrong_body_is_told_in_plain_words(client: TestClient, content: str, kind: str, detail: str) -> None:
    response = client.post("/v1/search", content=content, headers={"Content-Type": kind})

    assert (response.status_code, response.json()["detail"]) == (422, detail)


@pytest.mark.parametrize(
    ("path", "content", "code"),
    [
        ("/v1/answers", r'{"question": "Who?", "collection": "\ud800"}', "not_found"),
        ("/v1/answers", r'{"question": "\ud800", "collection": "spaceflight"}', "invalid_question"),
        ("/v1/search", r'{"query": "x", "collection": "spaceflight", "\ud800": 1}', "invalid_request"),
        ("/v1/collections", r'{"collection_id": "\ud800"}', "config_error"),
    ],
)
def test_halves_of_characters_are_refused(client: TestClient, path: str, content: str, code: str) -> None:
    response = client.post(path, content=content, headers={"Content-Type": "application/json"})

    assert response.status_code in (404, 422)
    assert response.json()["code"] == code


def test_an_unexpected_error_is_logged_and_told_without_its_insides(
    engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(engine.settings, engine)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("a secret")

    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        response = client.get("/broken")

    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "secret" not in response.text
    assert response.json()["request_id"] in caplog.text
    assert caplog.records[-1].levelno == logging.ERROR


def test_the_openapi_document_has_every_route_and_the_events(client: TestClient) -> None:
    document = client.get("/openapi.json").json()

    assert set(document["paths"]) == {
        "/healthz",
        "/readyz",
        "/v1/version",
        "/v1/answers",
        "/v1/answers/{answer_id}",
        "/v1/answers/{answer_id}/events",
        "/v1/answers/{answer_id}/cancel",
        "/v1/conversations",
        "/v1/conversations/{conversation_id}",
        "/v1/search",
        "/v1/collections",
        "/v1/collections/{collection_id}",
        "/v1/collections/{collection_id}/passages/{passage_id}",
        "/v1/collections/{collection_id}/documents",
        "/v1/jobs/{job_id}",
        "/v1/rerankers",
    }
    content = document["paths"]["/v1/answers/{answer_id}/events"]["get"]["responses"]["200"]["content"]
    union = content["text/event-stream"]["schema"]
    assert union["discriminator"]["propertyName"] == "event"
    assert "type" not in union
    assert {"answer.started", "answer.completed", "error", "done"} < set(union["discriminator"]["mapping"])


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_no_page_that_loads_scripts_from_elsewhere_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
