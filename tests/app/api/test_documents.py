import time
from collections.abc import Iterator
from typing import Any

import pytest
from served import COLLECTION, FakeEngine
from starlette.testclient import TestClient

from app.api.schemas import JobBody

PATH = f"/v1/collections/{COLLECTION}/documents"


def send(client: TestClient, *files: tuple[str, bytes]) -> Any:
    return client.post(PATH, files=[("files", file) for file in files])


def finished(client: TestClient, response: Any) -> JobBody:
    for _ in range(200):
        job = JobBody.model_validate(client.get(f"/v1/jobs/{response.json()['job_id']}").json())
        if job.state in ("finished", "failed"):
            return job
        time.sleep(0.02)
    raise AssertionError("the job did not finish")


def test_files_are_taken_now_and_become_searchable_later(client: TestClient) -> None:
    response = send(client, ("one.txt", b"Sputnik was first."), ("two.txt", b"Vostok came later."))

    assert response.status_code == 202
    assert [document["state"] for document in response.json()["documents"]] == ["queued", "queued"]
    job = finished(client, response)
    assert (job.state, job.passages) == ("finished", 2)
    assert [(file.filename, file.doc_id, file.state) for file in job.documents] == [
        ("one.txt", "one.txt", "ready"),
        ("two.txt", "two.txt", "ready"),
    ]
    hits = client.post("/v1/search", json={"query": "Sputnik", "collection": COLLECTION}).json()["hits"]
    assert hits[0]["passage"]["doc_id"] == "one.txt"


def test_one_bad_file_fails_alone_with_its_reason(client: TestClient) -> None:
    job = finished(client, send(client, ("bad.txt", b"BAD"), ("good.txt", b"Sputnik was first.")))

    assert [(file.state, file.error) for file in job.documents] == [
        ("failed", "is broken; save it anew"),
        ("ready", ""),
    ]
    (failed,) = client.get(PATH, params={"state": "failed"}).json()["documents"]
    assert (failed["doc_id"], failed["error"]) == ("bad.txt", "is broken; save it anew")


def test_an_unexpected_error_fails_the_job_and_not_the_server(client: TestClient) -> None:
    job = finished(client, send(client, ("a.txt", b"CRASH")))

    assert (job.state, job.documents[0].state) == ("failed", "failed")
    assert "a bug" not in job.error
    assert finished(client, send(client, ("b.txt", b"fine"))).state == "finished"


def test_the_state_of_each_file_is_told_while_it_is_worked_on(client: TestClient, engine: FakeEngine) -> None:
    engine.ingest_gate.clear()
    response = send(client, ("one.txt", b"1"), ("two.txt", b"2"))
    for _ in range(100):
        job = client.get(f"/v1/jobs/{response.json()['job_id']}").json()
        if job["state"] == "running" and job["documents"][0]["state"] != "queued":
            break
        time.sleep(0.02)

    assert [document["state"] for document in job["documents"]] == ["parsing", "queued"]
    engine.ingest_gate.set()
    assert finished(client, response).state == "finished"


def test_more_uploads_than_the_queue_holds_are_refused(client: TestClient, engine: FakeEngine) -> None:
    engine.ingest_gate.clear()
    taken = [send(client, ("a.txt", b"1")) for _ in range(2)]

    refused = send(client, ("b.txt", b"2"))

    assert [response.status_code for response in taken] == [202, 202]
    assert (refused.status_code, refused.json()["code"]) == (429, "busy")
    engine.ingest_gate.set()


def test_a_document_can_be_sent_as_text(client: TestClient, engine: FakeEngine) -> None:
    document = {"title": "Sputnik 1", "text": "Sputnik was first.", "published": "1957-10", "doc_id": "sputnik"}

    response = client.post(PATH, json=document)

    assert response.status_code == 202
    assert finished(client, response).documents[0].filename == "sputnik.jsonl"
    kept = engine.settings.data_dir / "collections" / COLLECTION / "uploads" / "sputnik.jsonl"
    assert '"_id": "sputnik"' in kept.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": "x", "published": "1957-13-45x"}, "published"),
        ({"text": "x", "published": "1957-13"}, "published"),
        ({"text": "x", "doc_id": "../../etc/passwd"}, "doc_id"),
        ({"text": "x", "colour": "red"}, "colour"),
    ],
)
def test_a_text_with_a_wrong_field_is_refused_by_name(client: TestClient, document: Any, field: str) -> None:
    response = client.post(PATH, json=document)

    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == field


def test_a_filename_never_leaves_the_folder_of_uploads(client: TestClient, engine: FakeEngine) -> None:
    job = finished(client, send(client, ("../../../escape.txt", b"out"), ("..\\up\\other.txt", b"out")))

    assert [file.filename for file in job.documents] == ["escape.txt", "other.txt"]
    folder = engine.settings.data_dir / "collections" / COLLECTION / "uploads"
    assert {path.name for path in folder.iterdir()} == {"escape.txt", "other.txt"}


def test_an_upload_that_is_too_large_is_refused_with_the_limit(client: TestClient, engine: FakeEngine) -> None:
    response = send(client, ("large.txt", b"x" * 1_100_000))

    assert response.status_code == 413
    assert (response.json()["code"], response.json()["limit_mb"]) == ("too_large", 1)


def test_an_upload_that_hides_its_length_is_stopped_at_the_limit(client: TestClient, engine: FakeEngine) -> None:
    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="x.txt"\r\n\r\n'
        for _ in range(20):
            yield b"x" * 100_000
        yield b"\r\n--b--\r\n"

    response = client.post(PATH, content=body(), headers={"Content-Type": "multipart/form-data; boundary=b"})

    assert (response.status_code, response.json()["limit_mb"]) == (413, 1)
    assert not (engine.settings.data_dir / "collections" / COLLECTION / "uploads").exists()


def test_two_files_of_one_name_are_refused(client: TestClient) -> None:
    response = send(client, ("a.txt", b"1"), ("x/a.txt", b"2"))

    assert (response.status_code, response.json()["code"]) == (422, "duplicate_filename")


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"--b--\r\n", "multipart/form-data; boundary=b", 422),
        (b"rubbish", "multipart/form-data; boundary=b", 400),
        (b"rubbish", "multipart/form-data", 400),
        (b"hello", "text/plain", 415),
        (b"{", "application/json", 422),
    ],
)
def test_a_body_without_files_is_refused(client: TestClient, content: bytes, kind: str, status: int) -> None:
    response = client.post(PATH, content=content, headers={"Content-Type": kind})

    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"


def test_an_unknown_collection_takes_nothing(client: TestClient) -> None:
    assert client.post("/v1/collections/none/documents", json={"text": "x"}).status_code == 404
    assert client.get("/v1/collections/none/documents").status_code == 404


def test_documents_are_listed_with_their_dates(client: TestClient) -> None:
    documents = client.get(PATH).json()["documents"]

    assert [document["doc_id"] for document in documents] == ["agency-heads", "apollo-11", "hostile"]
    assert documents[0]["published"]["granularity"] == "month"
    assert {document["state"] for document in documents} == {"ready"}
