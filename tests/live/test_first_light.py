"""The real models through the real entry point: small, slow to think, and never taken at their word."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from corpus import DOCUMENTS, QUESTIONS, TINY

pytestmark = pytest.mark.live

SMALL = "models.generator.options.model=smollm2-135m-instruct-q4_1"
# a socket beyond loopback ends the process, whatever opens it
GUARD = """
import sys
def guard(event, arguments):
    address = arguments[1] if event == "socket.connect" else None
    if isinstance(address, tuple) and not address[0].startswith(("127.", "::1")):
        sys.stderr.write(f"SOCKET {arguments[1]}"); sys.stderr.flush(); import os; os._exit(99)
    if event == "socket.getaddrinfo" and arguments[0] not in (None, "localhost", "127.0.0.1", "::1"):
        sys.stderr.write(f"LOOKUP {arguments[0]}"); sys.stderr.flush(); import os; os._exit(99)
sys.addaudithook(guard)
from app.cli.main import main
main()
"""


def gnomon(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", GUARD, "--data-dir", str(data_dir), "--set", SMALL, "-q", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, env=dict(os.environ))


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    done = gnomon(folder, "--offline", "ingest", *(str(DOCUMENTS / name) for name in TINY["documents"]))
    assert done.returncode == 0, done.stderr
    return folder


def answer(data_dir: Path, query_id: str) -> dict[str, Any]:
    done = gnomon(data_dir, "--offline", "ask", "--json", QUESTIONS[query_id]["question"])
    assert done.returncode in (0, 3), done.stderr
    body: dict[str, Any] = json.loads(done.stdout)
    return body


def test_ingest_and_ask_open_no_socket_once_the_models_are_there(data_dir: Path) -> None:
    body = answer(data_dir, "q001")

    assert body["usage"]["calls"] >= 2
    assert body["usage"]["prompt_tokens"] > 300
    assert body["trace"]["versions"]["generator"].startswith("smollm2")
    assert [step["node"] for step in body["trace"]["steps"]][:4] == ["understand", "plan", "search", "note"]


def test_whatever_a_weak_model_says_its_quotes_stand_in_their_documents(data_dir: Path) -> None:
    notes = [note for query_id in ("q005", "q008") for note in answer(data_dir, query_id)["notes"]]

    assert notes
    for note in notes:
        shown = json.loads(gnomon(data_dir, "docs", "show", "--json", note["doc_id"]).stdout)
        assert note["quote"] in shown["text"]


def test_what_the_collection_does_not_know_is_an_abstention_without_a_model_call(data_dir: Path) -> None:
    body = answer(data_dir, "q003")

    assert (body["status"], body["reason"]) == ("abstained", "out_of_collection")
    assert body["usage"]["calls"] == 0


def test_real_embeddings_find_what_shares_no_word_with_the_query(data_dir: Path) -> None:
    found = gnomon(
        data_dir, "--offline", "search", "--json", "--mode", "dense", "-k", "1", "leaving the cabin in open space"
    )

    assert "voskhod-2.md" in found.stdout
