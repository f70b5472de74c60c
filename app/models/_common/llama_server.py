"""One GGUF model in memory, answering one request at a time through llama.cpp's own server, in process."""

import os
import queue
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from app.core.errors import ModelError
from app.models._common.waiting import POLL_SECONDS, held

# Tokens computed between two looks at the run: a cancelled prefill ends within one batch.
_BATCH_TOKENS = 256

Chunk = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a model is loaded with; equal loads share one copy in memory."""

    path: Path
    context_tokens: int
    threads: int
    gpu_layers: int
    cache_mib: int
    api_key: str | None = None


class LlamaServer:
    """A loaded model. One slot, and a prompt cache in memory from which the slot gets the longest known prefix back.

    Measured with four templates of 245 static tokens that take turns: from the second round on all but the varying
    part comes from the cache. Its HTTP listener is always there, on a free loopback port, closed by a random key
    unless the load names one.
    """

    def __init__(self, load: Load) -> None:
        self._server = _start(load)
        self._lock = threading.Lock()

    @property
    def listening_address(self) -> str:
        """URL of its OpenAI-compatible listener, without `/v1`."""
        return str(self._server.listening_address)

    def chunks(self, request: Mapping[str, Any], check: Callable[[], None]) -> Iterator[Chunk]:
        """Yield what the server streams for one chat request; requests of other threads wait in line.

        `check` is called several times a second, in the queue too; when it raises, the request is stopped. So it is
        when the iterator is closed early.

        Raises:
            ModelError: the server refused the request; the first line of its reason.
        """
        with held(self._lock, check):
            arrived: queue.SimpleQueue[Chunk | BaseException | None] = queue.SimpleQueue()
            stop = threading.Event()
            body = {**request, "stream": True, "cache_prompt": True, "return_progress": True, "timings_per_token": True}
            # A thread of its own: an exception inside the server's callback, Ctrl-C too, would be printed and lost.
            worker = threading.Thread(target=self._answer, args=(body, arrived, stop), daemon=True)
            worker.start()
            try:
                yield from _drain(arrived, check)
            finally:
                stop.set()
                worker.join()

    def _answer(
        self, body: dict[str, Any], arrived: "queue.SimpleQueue[Chunk | BaseException | None]", stop: threading.Event
    ) -> None:
        def keep(chunk: Chunk) -> bool:
            arrived.put(chunk)
            return stop.is_set()  # true ends the request

        try:
            self._server.handle_chat_completions(body, keep)
        except (ValueError, RuntimeError) as error:
            arrived.put(error)
        arrived.put(None)


_loaded: "WeakValueDictionary[Load, LlamaServer]" = WeakValueDictionary()
_loading = threading.Lock()


def shared_server(load: Load) -> LlamaServer:
    """Return the model in memory, loaded at the first call and shared by all that hold it.

    Raises:
        ModelError: llama.cpp cannot load the file.
    """
    with _loading:
        server = _loaded.get(load)
        if server is None:
            server = _loaded[load] = LlamaServer(load)
        return server


def useful_threads() -> int:
    """Return how many threads read a prompt fastest: one a core, but both where there are two of one core alone.

    On such a machine the second read 68 tokens a second instead of 35.
    """
    if not hasattr(os, "sched_getaffinity"):
        return max(1, (os.cpu_count() or 2) // 2)
    usable = os.sched_getaffinity(0)
    return max(len({_siblings(cpu) for cpu in usable}), min(2, len(usable)))


def _siblings(cpu: int) -> str:
    try:
        return Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text(encoding="ascii")
    except OSError:
        return str(cpu)


def _start(load: Load) -> Any:
    with _patient_threads():
        import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(load.path)
    params.n_ctx = load.context_tokens
    params.n_gpu_layers = load.gpu_layers
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = load.threads
    params.n_batch = params.n_ubatch = _BATCH_TOKENS
    params.n_parallel = 1
    params.cache_ram_mib = load.cache_mib
    params.verbosity = 0
    params.offline = True
    params.ui = params.endpoint_slots = False
    params.api_keys = [load.api_key or secrets.token_urlsafe()]
    try:
        return xllamacpp.Server(params)
    except (ValueError, RuntimeError) as error:
        raise ModelError(
            f"llama.cpp cannot load {load.path}: not a GGUF model it knows, or too little memory"
        ) from error


@contextmanager
def _patient_threads() -> Iterator[None]:
    """Let OpenMP threads sleep while they wait for each other.

    They spin by default: with two other busy processes on two cores the 1.5B model then wrote 0.5 tokens/s instead of
    4.0. A value that the user has set is kept.
    """
    if "OMP_WAIT_POLICY" in os.environ:
        yield
        return
    os.environ["OMP_WAIT_POLICY"] = "passive"
    try:
        yield
    finally:
        del os.environ["OMP_WAIT_POLICY"]


def _drain(arrived: "queue.SimpleQueue[Chunk | BaseException | None]", check: Callable[[], None]) -> Iterator[Chunk]:
    while True:
        try:
            chunk = arrived.get(timeout=POLL_SECONDS)
        except queue.Empty:
            check()
            continue
        if chunk is None:
            return
        if isinstance(chunk, BaseException):
            raise ModelError(f"llama.cpp refused the request: {str(chunk).splitlines()[0]}") from chunk
        check()
        yield chunk
