"""Ctrl-C, sent to a real process."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from served import COLLECTION

from app.cli.interrupts import interruptibly

SCRIPT = Path(__file__).with_name("scripted_gnomon.py")
ROOT = Path(__file__).parents[3]


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, *(str(argument) for argument in arguments)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def wait_until(condition: Callable[[], bool], *, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def stopped(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Press Ctrl-C once, and return exit code, stdout and stderr."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


@pytest.mark.parametrize("question", ["slow and obedient", "stuck in a library"])
def test_an_answer_is_stopped_with_one_line_and_130(tmp_path: Path, question: str) -> None:
    process = start(SCRIPT, "-v", "--data-dir", tmp_path, "ask", question, "-c", COLLECTION)
    assert process.stderr is not None
    assert process.stderr.readline()
    time.sleep(0.3)
    began = time.monotonic()
    code, out, err = stopped(process)
    assert (code, out, err.splitlines()[-1]) == (130, "", "gnomon: interrupted")
    assert "Traceback" not in err
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("last", ["slow", "stuck"])
def test_a_batch_keeps_what_is_done_and_goes_on(tmp_path: Path, last: str) -> None:
    questions, answers = tmp_path / "questions.jsonl", tmp_path / "answers.jsonl"
    questions.write_text("".join(json.dumps({"question": text}) + "\n" for text in ("one", "two", last)))
    command = (SCRIPT, "-q", "--data-dir", tmp_path, "batch", "run", questions, "-o", answers, "-c", COLLECTION)
    process = start(*command)
    wait_until(lambda: answers.exists() and answers.read_text().count("\n") == 2)
    time.sleep(0.2)
    code, out, err = stopped(process)
    assert (code, out) == (130, "")
    assert err == f"gnomon: interrupted; the answers so far are in {answers}, the same command goes on\n"
    questions.write_text(questions.read_text().replace(last, "three"))
    out, _ = start(*command).communicate(timeout=60)
    assert "3 answered, 0 partial, 0 abstained, 0 failed of 3; 2 were there before" in out


def test_work_that_ends_gives_its_result() -> None:
    assert interruptibly(lambda cancelled: cancelled()) is False


def test_work_that_fails_raises_its_error_here() -> None:
    with pytest.raises(ZeroDivisionError):
        interruptibly(lambda cancelled: 1 // 0)
