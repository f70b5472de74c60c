"""Servers that are killed in the middle of a question, as `kill -9` does it, and what the next one makes of it."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import killable
import pytest
from httpx_sse import connect_sse

from app.engine import Engine
from app.runner import STOPPED
from app.store.answers import Answers

SCRIPT = Path(killable.__file__)
PATIENCE = 60.0


class Servers:
    """Starts servers one after the other on one folder and one port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, str(SCRIPT), str(self.folder), str(self.port)])

    def started(self) -> None:
        self.start()
        until(self._is_up)

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(timeout=PATIENCE)

    def died(self) -> None:
        assert self.process is not None
        assert self.process.wait(timeout=PATIENCE) == -signal.SIGKILL

    def ask(self) -> str:
        body = {"question": killable.QUESTION, "collection": "space", "asked_on": "2026-01-15"}
        response = httpx.post(
            f"{self.url}/v1/answers", json=body, headers={"Prefer": "respond-async"}, timeout=PATIENCE
        )
        return str(response.json()["answer_id"])

    def calls(self) -> list[str]:
        """Return the prompts so far, each with the nonce of its run."""
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.is_file() else []

    def _is_up(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz").status_code == 200
        except httpx.TransportError:
            return False


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    killable.fill(tmp_path)
    servers = Servers(tmp_path)
    yield servers
    servers.kill()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def heard(url: str, answer_id: str, *, after: int = 0, wanted: Callable[[Any], bool]) -> list[tuple[int, str, Any]]:
    """Return the events after one, up to the first that is wanted."""
    events = []
    with (
        httpx.Client(timeout=PATIENCE) as client,
        connect_sse(
            client, "GET", f"{url}/v1/answers/{answer_id}/events", headers={"Last-Event-ID": str(after)}
        ) as source,
    ):
        for event in source.iter_sse():
            data = json.loads(event.data)
            events.append((int(event.id), event.event, data))
            if wanted(data):
                return events
    return events


def begins(node: str) -> Callable[[Any], bool]:
    return lambda data: data["event"] == "step.started" and data["node"] == node


def is_done(data: Any) -> bool:
    return bool(data["event"] == "done")


def test_a_question_goes_on_after_its_server_was_killed(servers: Servers) -> None:
    hold = servers.folder / "hold"
    hold.write_text(f"Question: {killable.SECOND}")
    servers.started()
    answer_id = servers.ask()
    until(lambda: len(servers.calls()) == 3)
    before = heard(servers.url, answer_id, wanted=begins("note"))
    before += heard(servers.url, answer_id, after=before[-1][0], wanted=begins("note"))
    servers.kill()

    hold.unlink()
    servers.started()
    after = heard(servers.url, answer_id, after=before[-1][0], wanted=is_done)

    events = [*before, *after]
    assert [seq for seq, _, _ in events] == list(range(1, len(events) + 1))
    names = [name for _, name, _ in events]
    assert names.count("answer.started") == names.count("answer.completed") == names.count("done") == 1
    assert names.count("step.started") == names.count("step.finished")
    told = [(name, data.get("node")) for _, name, data in events if name.startswith("step.")]
    assert told == [(kind, node) for _, node in told[::2] for kind in ("step.started", "step.finished")]
    body = next(data for _, name, data in events if name == "answer.completed")
    assert (body["status"], body["short"]) == ("answered", "9 November 1967")
    assert [step["node"] for step in body["trace"]["steps"]] == [node for name, node in told if name == "step.started"]
    prompts = [call.split()[0] for call in servers.calls()]
    assert prompts == ["agents/plan", "agents/note", "agents/note", "agents/note"]  # only the one under way again
    assert {call.split()[1] for call in servers.calls()} == {body["trace"]["nonce"]}
    assert body["usage"]["calls"] == 3
    until(lambda: nothing_is_kept(servers.folder))


def test_a_question_that_kills_its_server_is_tried_three_times(servers: Servers) -> None:
    (servers.folder / "die").write_text(f"Question: {killable.SECOND}")
    servers.started()
    answer_id = servers.ask()
    servers.died()
    for _ in range(2):
        servers.start()
        servers.died()
    servers.started()

    events = heard(servers.url, answer_id, wanted=is_done)

    body = next(data for _, name, data in events if name == "answer.completed")
    assert (body["status"], body["detail"]) == ("failed", STOPPED)
    assert [call.split()[0] for call in servers.calls()] == ["agents/plan", *["agents/note"] * 4]
    assert [name for _, name, data in events if begins("note")(data)] == ["step.started"] * 2
    until(lambda: nothing_is_kept(servers.folder))


def test_a_queued_question_is_asked_by_the_next_server(servers: Servers) -> None:
    hold = servers.folder / "hold"
    hold.write_text("agents/plan")
    servers.started()
    first, second = servers.ask(), servers.ask()
    until(lambda: len(servers.calls()) == 1)
    servers.kill()
    hold.unlink()
    servers.started()

    for answer_id in (first, second):
        events = heard(servers.url, answer_id, wanted=is_done)
        assert [name for _, name, _ in events].count("answer.started") == 1
        assert events[-1][2]["status"] == "answered"


def nothing_is_kept(folder: Path) -> bool:
    """Tell whether no answer has checkpoints, and assert that none is unfinished."""
    engine = Engine.open(killable.settings_of(folder))
    try:
        assert Answers(engine.database).unfinished() == []
        return not engine.unfinished.answers()
    finally:
        engine.close()
