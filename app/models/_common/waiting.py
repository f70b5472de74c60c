"""Waiting in line for a model that serves one caller at a time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

POLL_SECONDS = 0.1


@contextmanager
def held(lock: threading.Lock, check: Callable[[], None]) -> Iterator[None]:
    """Hold the lock; `check` is called several times a second while it is not free, and ends the wait by raising."""
    check()
    while not lock.acquire(timeout=POLL_SECONDS):
        check()
    try:
        yield
    finally:
        lock.release()
