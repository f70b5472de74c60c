"""An OpenAI-compatible server on loopback whose delays, failures and nonsense a test chooses."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(kw_only=True)
class Knobs:
    """How the server behaves; `statuses` are answered first, one per request, 200 when used up."""

    words: tuple[str, ...] = ("All", " is", " well", ".")
    first_token_seconds: float = 0.0
    token_seconds: float = 0.0
    statuses: list[int] = field(default_factory=list)
    malformed: bool = False
    logprobs: bool = True
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    most_at_once: int = 0


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, knobs: Knobs) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.knobs = knobs
        self.lock = threading.Lock()
        self.under_way = 0


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        return

    def do_POST(self) -> None:
        knobs = self.server.knobs
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            knobs.requests.append(body)
            knobs.keys.append(self.headers.get("Authorization", ""))
            self.server.under_way += 1
            knobs.most_at_once = max(knobs.most_at_once, self.server.under_way)
            status = knobs.statuses.pop(0) if knobs.statuses else 200
        try:
            time.sleep(knobs.first_token_seconds)
            self._answer(status, body)
        except (BrokenPipeError, ConnectionResetError):
            return
        finally:
            with self.server.lock:
                self.server.under_way -= 1

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        if status != 200:
            self._send(status, json.dumps({"error": {"message": f"told to answer {status}"}}))
        elif self.server.knobs.malformed:
            self._send(200, '{"choices": [')
        elif body.get("stream"):
            self._stream()
        else:
            self._send(200, json.dumps(self._whole(body)))

    def _whole(self, body: dict[str, Any]) -> dict[str, Any]:
        question = body["messages"][-1]["content"]
        choice: dict[str, Any] = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": f"{question}: {''.join(self.server.knobs.words)}"},
        }
        if body.get("logprobs") and self.server.knobs.logprobs:
            top = [{"token": t, "logprob": v, "bytes": None} for t, v in ((" Yes", -0.5), ("Yes", -0.1), ("No", -2.5))]
            choice["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
        return {**_envelope("chat.completion"), "choices": [choice], "usage": _USAGE}

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for word in self.server.knobs.words:
            time.sleep(self.server.knobs.token_seconds)
            self._event({"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]})
        self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        self._event({"choices": [], "usage": _USAGE})
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, content: dict[str, Any]) -> None:
        self.wfile.write(f"data: {json.dumps({**_envelope('chat.completion.chunk'), **content})}\n\n".encode())
        self.wfile.flush()

    def _send(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


_USAGE = {
    "prompt_tokens": 11,
    "completion_tokens": 4,
    "total_tokens": 15,
    "prompt_tokens_details": {"cached_tokens": 7},
}


def _envelope(kind: str) -> dict[str, Any]:
    return {"id": "c1", "object": kind, "created": 1, "model": "mock"}


@contextmanager
def mock_openai(knobs: Knobs) -> Iterator[str]:
    """Serve on a free loopback port; yields the base URL with its /v1."""
    server = _Server(knobs)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
