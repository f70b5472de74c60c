"""What a person sees: the same command line behind a pseudo-terminal of 80 columns."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from served import COLLECTION

pty = pytest.importorskip("pty", reason="needs pseudo-terminals")

SCRIPT = Path(__file__).with_name("scripted_gnomon.py")
ROOT = Path(__file__).parents[3]


def on_terminal(*arguments: object) -> tuple[int, str]:
    """Exit code, and everything written to the terminal."""
    ours, theirs = pty.openpty()
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    env = {**os.environ, "PYTHONPATH": paths, "TERM": "xterm-256color", "COLUMNS": "80"}
    command = [sys.executable, str(SCRIPT), *(str(argument) for argument in arguments)]
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, env=env)
    os.close(theirs)
    written = b""
    while piece := _read(ours):
        written += piece
    os.close(ours)
    return process.wait(timeout=30), written.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # how Linux says that the other end is closed
        return b""


def without_styles(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_the_current_step_is_shown_while_an_answer_is_worked_on(tmp_path: Path) -> None:
    code, text = on_terminal("--data-dir", tmp_path, "ask", "calmly", "-c", COLLECTION, "--show-steps")
    assert code == 0
    before, _, answer = without_styles(text).partition("Apollo 11 was commanded by")
    assert "understand …" in before
    assert "answer …" in before
    assert "[1] Apollo 11 · Overview · 1969-07-24" in answer
    assert "\x1b[1mSources" in text


def test_quiet_shows_no_steps(tmp_path: Path) -> None:
    _, text = on_terminal("-q", "--data-dir", tmp_path, "ask", "Who?", "-c", COLLECTION)
    assert text.startswith("\x1b[1mWho?")


def test_a_batch_has_a_bar_with_the_time_left(tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text("".join(json.dumps({"question": f"question {n}"}) + "\n" for n in range(40)))
    code, text = on_terminal(
        "--data-dir", tmp_path, "batch", "run", questions, "-o", tmp_path / "out.jsonl", "-c", COLLECTION
    )
    assert code == 0
    assert re.search(r"batch ━+.*/40", without_styles(text))
    assert "40 answered, 0 partial, 0 abstained, 0 failed of 40" in without_styles(text)


def test_a_table_is_aligned_and_hostile_titles_are_text(tmp_path: Path) -> None:
    code, text = on_terminal("--data-dir", tmp_path, "docs", "list", "-c", COLLECTION)
    lines = without_styles(text).splitlines()
    assert code == 0
    assert len({line.index("ready") for line in lines if "ready" in line}) == 1
    assert "<script>alert(1)</script>" in without_styles(text)


def test_deleting_a_collection_asks_first(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    command = [sys.executable, str(SCRIPT), "--data-dir", str(tmp_path), "collections", "delete", COLLECTION]
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    os.write(ours, b"n\n")
    out, err = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert (process.returncode, out) == (1, "")
    assert err == f"Delete '{COLLECTION}' with its 3 documents? [y/N] gnomon: nothing was deleted\n"
