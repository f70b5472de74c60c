"""Ctrl-C: the work is told to stop, gets a moment to leave everything whole, and the command ends with 130."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from typing import TypeVar

T = TypeVar("T")

Cancelled = Callable[[], bool]


class Interrupted(Exception):
    """Ctrl-C was pressed; `is_stuck` says that a thread of the work still runs and must be left behind."""

    def __init__(self, message: str, *, is_stuck: bool) -> None:
        super().__init__(message)
        self.is_stuck = is_stuck


def interruptibly(work: Callable[[Cancelled], T], *, message: str = "interrupted", patience: float = 1.0) -> T:
    """Return what `work(cancelled)` returns; it runs in a thread, so that Ctrl-C is heard while a model computes.

    Raises:
        Interrupted: Ctrl-C was pressed; the work was waited for `patience` seconds, or until a second Ctrl-C.
    """
    stop = threading.Event()
    threads_before = threading.active_count()
    future: Future[T] = Future()
    threading.Thread(target=_fulfil, args=(future, lambda: work(stop.is_set)), daemon=True).start()
    try:
        return future.result()
    except KeyboardInterrupt:
        stop.set()
    try:
        wait_for([future], timeout=patience)
    except KeyboardInterrupt:
        pass
    raise Interrupted(message, is_stuck=threading.active_count() > threads_before)


def _fulfil(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # raised again by the thread that waits
        future.set_exception(error)
