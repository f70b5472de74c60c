"""How far the work is: a bar with the time left on a terminal, now and then a line in a pipe."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol

from app.cli.screen import Screen, one_line

if TYPE_CHECKING:
    from app.core.events import Emit

LINE_SECONDS = 2.0
TEN_MEGABYTES = 10_000_000


class Report(Protocol):
    """Is told how much is done, of how much, and what is worked on."""

    def __call__(self, done: int, total: int | None, current: str = "", /) -> None:
        """Show it."""
        ...


Unit = Literal["items", "bytes"]


class PlainMeter:
    """Writes a line at most every two seconds, and the last one of a work that took longer."""

    def __init__(self, screen: Screen, what: str, *, unit: Unit, clock: Callable[[], float] = time.monotonic) -> None:
        self._screen = screen
        self._what = what
        self._unit = unit
        self._clock = clock
        self._started = self._last = clock()
        self._is_complete = False

    def report(self, done: int, total: int | None, current: str = "", /) -> None:
        """Tell how much of it is done; `current` names what is worked on."""
        now = self._clock()
        is_last_of_several = done == total and self._last > self._started and not self._is_complete
        self._is_complete = done == total
        if now - self._last < LINE_SECONDS and not is_last_of_several:
            return
        self._last = now
        of_all = f"/{self._amount(total)}" if total else ""
        left = remaining(done, total, now - self._started)
        self._screen.note(f"{self._what} {self._amount(done)}{of_all}{left}{': ' if current else ''}{current}")

    def _amount(self, count: int) -> str:
        if self._unit == "items":
            return str(count)
        return f"{count / 1e6:.1f} MB" if count < TEN_MEGABYTES else f"{count / 1e6:.0f} MB"


def remaining(done: int, total: int | None, elapsed: float) -> str:
    """Return `, 12 s left` when that can be known, else nothing."""
    if not total or not done or done >= total:
        return ""
    return f", {duration(elapsed / done * (total - done))} left"


def duration(seconds: float) -> str:
    """Return seconds as `4 s`, `3 min 05 s` or `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


@contextmanager
def meter(screen: Screen, what: str, *, unit: Unit = "items") -> Iterator[Report]:
    """Yield a function that is told what is done, what there is in all, and what is worked on."""
    if screen.quiet:
        yield _unseen
    elif not screen.is_live:
        yield PlainMeter(screen, what, unit=unit).report
    else:
        with _bar(screen, what, unit) as report:
            yield report


def _unseen(done: int, total: int | None, current: str = "", /) -> None:
    """Show nothing."""


@contextmanager
def _bar(screen: Screen, what: str, unit: Unit) -> Iterator[Report]:
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    amount = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    current = TextColumn("{task.fields[current]}", markup=False)
    name = TextColumn("{task.description}", markup=False)
    with Progress(
        name, BarColumn(), amount, TimeRemainingColumn(), current, console=screen.err, transient=True
    ) as bars:
        task = bars.add_task(what, total=None, current="")

        def report(done: int, total: int | None, text: str = "", /) -> None:
            bars.update(task, completed=done, total=total, current=one_line(text)[-40:])

        yield report


@contextmanager
def steps_on(screen: Screen) -> Iterator["Emit"]:
    """Yield where an answer's events go: a spinner with the current step on a terminal, lines with --verbose."""
    if screen.verbose or not screen.is_live:
        yield lambda name, data: _tell_step(screen, name, data)
        return
    from rich.text import Text

    with screen.err.status(Text("thinking"), spinner="dots") as status:

        def show(name: str, data: Mapping[str, Any]) -> None:
            if words := step_words(name, data):
                status.update(Text(words, overflow="ellipsis", no_wrap=True))

        yield show


def _tell_step(screen: Screen, name: str, data: Mapping[str, Any]) -> None:
    if name == "step.finished":
        screen.detail(f"{data['node']}: {data['summary']} ({data['seconds']:.1f} s)")


def step_words(name: str, data: Mapping[str, Any]) -> str:
    """Return what an event tells about the work at this moment, or nothing."""
    if name == "step.started":
        return one_line(f"{data['node']} …")
    if name == "search.results":
        return one_line(f"searched '{data['query']}': {len(data['hits'])} passages")
    if name == "note.added":
        return one_line(f"noted: {data['quote']}")
    if name == "step.finished":
        return one_line(f"{data['node']}: {data['summary']}")
    if name == "tree.node":
        return one_line(f"tried {data['action'].replace('_', ' ')}: {data['value']:.2f}")
    return ""


def one_at_a_time(shown: ExitStack, begin: Callable[[], AbstractContextManager[Report]]) -> Report:
    """Return a meter that begins when it is first told something, and ends the one that was shown before."""
    begun: list[Report] = []

    def report(done: int, total: int | None, current: str = "", /) -> None:
        if not begun:
            shown.close()
            begun.append(shown.enter_context(begin()))
        begun[0](done, total, current)

    return report
