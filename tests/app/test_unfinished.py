import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import killable
import pytest

from app.core.events import Event, Kept, ignore, untold
from app.core.ledger import Ledger, ModelCall
from app.core.run import Run
from app.core.trace import Outcome
from app.core.types import AnswerId, Usage
from app.engine import Engine
from app.questions import make_question
from app.unfinished import Unfinished
from fakes import ASKED_ON

A1 = AnswerId("a1")
KEPT = Kept(answer_id=A1)


def events(*names: str) -> list[Event]:
    return [
        Event(answer_id=A1, seq=seq, name="step.started", data={"ts": str(seq), "node": node, "seconds": 1.0})
        for seq, node in enumerate(names, start=1)
    ]


def heard(told: list[Event], *nodes: str) -> list[str]:
    """Return the nodes that are told when these are, after `told`."""
    passed: list[str] = []

    def emit(_name: str, data: Mapping[str, Any]) -> None:
        passed.append(data["node"])

    again = untold(emit, told)
    for node in nodes:
        again("step.started", {"node": node, "seconds": 2.0})
    return passed


def test_what_was_told_is_passed_over_as_long_as_it_comes_again() -> None:
    assert heard(events("plan", "search"), "plan", "search", "note") == ["note"]
    assert heard(events("plan", "search"), "plan", "note", "search") == ["note", "search"]
    assert heard([], "plan") == ["plan"]


def test_books_go_on_from_what_was_spent() -> None:
    before = Ledger()
    call = ModelCall(model="m", purpose="p", prompt_digest="d", usage=Usage(calls=1, prompt_tokens=3))
    before.record(call)
    before.part("rerank").record(call)

    after = Ledger.of(before.spent())
    after.record(call)
    after.part("rerank").record(call)

    assert len(after.calls()) == 4
    assert after.own() == Usage(calls=2, prompt_tokens=6)
    assert after.part("rerank").own() == Usage(calls=2, prompt_tokens=6)
    assert before.own().calls == 1


def ask(folder: Path, *, kept: Kept | None = KEPT, calls: int | None = None) -> Outcome:
    """Ask in a process of its own, as it were: a new engine on the folder."""
    settings = killable.settings_of(folder)
    if calls is not None:
        settings = settings.model_copy(update={"limits": settings.limits.model_copy(update={"max_calls": calls})})
    engine = Engine.open(settings, generator=killable.KillableModel(folder))
    try:
        question = make_question(killable.QUESTION, asked_on=ASKED_ON, settings=settings)
        return engine.answer(question, collection="space", emit=ignore, run=engine.new_run(), kept=kept)
    finally:
        engine.close()


def prompts(folder: Path) -> int:
    return len((folder / "calls").read_text().splitlines())


def test_an_answer_that_is_not_kept_leaves_no_file(tmp_path: Path) -> None:
    killable.fill(tmp_path)

    assert ask(tmp_path, kept=None).answer.short == "9 November 1967"
    assert not (tmp_path / "data" / "checkpoints.db").exists()


def test_an_answer_is_the_same_from_its_last_checkpoint(tmp_path: Path) -> None:
    killable.fill(tmp_path)
    first = ask(tmp_path)
    asked = prompts(tmp_path)
    second = ask(tmp_path)

    assert prompts(tmp_path) == asked
    assert second.trace.steps == first.trace.steps
    assert (second.answer.text, second.answer.usage) == (first.answer.text, first.answer.usage)


def test_a_checkpoint_of_other_settings_is_refused_and_the_question_asked_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    killable.fill(tmp_path)
    ask(tmp_path)
    asked = prompts(tmp_path)

    with caplog.at_level(logging.WARNING):
        second = ask(tmp_path, calls=9)

    assert second.answer.short == "9 November 1967"
    assert prompts(tmp_path) == 2 * asked
    assert "answer a1 begins again: the checkpoint was written by another version" in caplog.text


def test_nothing_is_opened_to_forget_what_was_never_kept(tmp_path: Path) -> None:
    unfinished = Unfinished(tmp_path / "checkpoints.db", settings_digest="")

    unfinished.forget(A1)
    assert unfinished.answers() == ()
    unfinished.close()
    assert not (tmp_path / "checkpoints.db").exists()
    assert unfinished.begin(None, run=Run(), emit=ignore).thread is None
