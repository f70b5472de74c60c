import pytest

from app.cli.progress import PlainMeter, duration, meter, step_words
from app.cli.screen import Screen


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_pipe_gets_a_line_every_two_seconds_and_the_last(capfd: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    report = PlainMeter(Screen(), "batch", unit="items", clock=clock).report
    for done in range(1, 101):
        clock.now += 0.125
        report(done, 100)
    lines = capfd.readouterr().err.splitlines()
    told = ["16/100, 10 s left", "32/100, 8 s left", "48/100, 6 s left", "64/100, 4 s left", "80/100, 2 s left"]
    assert lines == [f"batch {words}" for words in [*told, "96/100, 0 s left", "100/100"]]


def test_the_end_is_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    report = PlainMeter(Screen(), "ingest", unit="items", clock=clock).report
    for done in (50, 100, 100, 100):
        clock.now += 1.5
        report(done, 100)
    assert capfd.readouterr().err.splitlines() == ["ingest 100/100", "ingest 100/100"]


def test_work_of_less_than_two_seconds_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    report = PlainMeter(Screen(), "batch", unit="items", clock=clock).report
    clock.now = 1.9
    report(100, 100)
    assert capfd.readouterr().err == ""


def test_bytes_are_told_as_megabytes(capfd: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    report = PlainMeter(Screen(), "model", unit="bytes", clock=clock).report
    clock.now = 10.0
    report(250_000_000, 1_000_000_000, "part 3")
    assert capfd.readouterr().err == "model 250 MB/1000 MB, 30 s left: part 3\n"


def test_a_quiet_meter_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with meter(Screen(quiet=True), "batch") as report:
        report(1, 1)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59, "59 s"), (65, "1 min 05 s"), (3600, "1 h 00 min"), (7830, "2 h 10 min")]
)
def test_durations_are_told_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_current_step_is_told_without_control_characters() -> None:
    assert step_words("search.results", {"query": "a\x1b[2J", "hits": [1, 2]}) == "searched 'a\\x1b[2J': 2 passages"
    assert step_words("answer.delta", {"text": "x"}) == ""
