import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served import A_DAY, COLLECTION, FakeEngine, fill, settings_for

from app.core.errors import Busy, NotFound
from app.core.types import AnswerId, QueryId, Question
from app.runner import STOPPED, UNEXPECTED, Runner
from app.store.answers import Answers

DEADLINE = 10


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FakeEngine]:
    engine = FakeEngine(settings_for(tmp_path, workers=1, queue=1))
    fill(engine.database)
    yield engine
    engine.gate.set()
    engine.close()


@pytest.fixture
def runner(engine: FakeEngine) -> Iterator[Runner]:
    runner = Runner(engine)
    yield runner
    engine.gate.set()
    runner.close()


def a_question(text: str) -> Question:
    return Question(query_id=QueryId("q1"), text=text, asked_on=A_DAY)


def status(engine: FakeEngine, answer_id: AnswerId) -> tuple[str, str]:
    answers = Answers(engine.database)
    completed = next(event for event in answers.read(answer_id) if event.name == "answer.completed")
    assert answers.get(answer_id).state == "finished"
    return completed.data["status"], completed.data["detail"]


def test_an_answer_is_worked_on_in_a_thread_and_finished(runner: Runner, engine: FakeEngine) -> None:
    answer_id, future = runner.submit(a_question("who?"), collection=COLLECTION)

    future.result(timeout=DEADLINE)

    assert status(engine, answer_id) == ("answered", "")
    assert not runner.is_working_on(answer_id)


def test_the_last_events_are_completed_and_done(runner: Runner, engine: FakeEngine) -> None:
    answer_id, future = runner.submit(a_question("who?"), collection=COLLECTION)
    future.result(timeout=DEADLINE)

    names = [event.name for event in Answers(engine.database).read(answer_id)]

    assert names[0] == "answer.started"
    assert names[-2:] == ["answer.completed", "done"]


def test_a_failed_answer_has_an_error_before_done(runner: Runner, engine: FakeEngine) -> None:
    answer_id, future = runner.submit(a_question("fail"), collection=COLLECTION)
    future.result(timeout=DEADLINE)

    names = [event.name for event in Answers(engine.database).read(answer_id)]

    assert names[-3:] == ["answer.completed", "error", "done"]


def test_an_unexpected_exception_is_logged_and_fails_one_answer_only(
    runner: Runner, engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    crashed, first = runner.submit(a_question("crash"), collection=COLLECTION)
    first.result(timeout=DEADLINE)
    answered, second = runner.submit(a_question("who?"), collection=COLLECTION)
    second.result(timeout=DEADLINE)

    assert status(engine, crashed) == ("failed", UNEXPECTED)
    assert status(engine, answered)[0] == "answered"
    assert caplog.records[-1].levelno == logging.ERROR
    assert "a bug" in caplog.text


def test_a_collection_that_went_away_fails_the_answer(runner: Runner, engine: FakeEngine) -> None:
    answer_id, future = runner.submit(a_question("who?"), collection="gone")
    future.result(timeout=DEADLINE)

    assert status(engine, answer_id) == ("failed", "no collection 'gone'")
    error = next(event for event in Answers(engine.database).read(answer_id) if event.name == "error")
    assert error.data["code"] == "not_found"


def test_no_more_than_workers_and_queue_are_taken(runner: Runner, engine: FakeEngine) -> None:
    taken = [runner.submit(a_question("slow"), collection=COLLECTION) for _ in range(2)]
    with pytest.raises(Busy, match="ask again"):
        runner.submit(a_question("slow"), collection=COLLECTION)

    engine.gate.set()
    for _, future in taken:
        future.result(timeout=DEADLINE)

    runner.submit(a_question("who?"), collection=COLLECTION)[1].result(timeout=DEADLINE)


def test_a_cancelled_queued_answer_gives_its_place_back(runner: Runner, engine: FakeEngine) -> None:
    runner.submit(a_question("slow"), collection=COLLECTION)
    queued, _ = runner.submit(a_question("slow"), collection=COLLECTION)

    runner.cancel(queued)

    assert status(engine, queued)[0] == "cancelled"
    runner.submit(a_question("slow"), collection=COLLECTION)


def test_a_running_answer_stops_soon_after_it_is_cancelled(runner: Runner, engine: FakeEngine) -> None:
    answer_id, future = runner.submit(a_question("slow"), collection=COLLECTION)
    time.sleep(0.1)

    started = time.monotonic()
    runner.cancel(answer_id)
    future.result(timeout=DEADLINE)

    assert status(engine, answer_id)[0] == "cancelled"
    assert time.monotonic() - started < 3


def test_cancelling_an_unknown_answer_is_not_found(runner: Runner) -> None:
    with pytest.raises(NotFound):
        runner.cancel(AnswerId("none"))


def test_answers_of_an_earlier_process_are_finished_as_failed(engine: FakeEngine) -> None:
    answers = Answers(engine.database)
    question = '{"query_id": "q1", "text": "who?", "asked_on": "2024-06-01"}'
    for answer_id in ("queued", "running"):
        answers.create(AnswerId(answer_id), COLLECTION, question)
    answers.start(AnswerId("running"))
    answers.append(AnswerId("running"), "answer.started", {})
    runner = Runner(engine)

    assert runner.recover() == 2
    assert runner.recover() == 0

    runner.close()
    for answer_id in ("queued", "running"):
        assert status(engine, AnswerId(answer_id)) == ("failed", STOPPED)
        assert answers.read(AnswerId(answer_id))[-1].name == "done"


def a_row(engine: FakeEngine, answer_id: str, *, starts: int = 1, text: str = "who?") -> AnswerId:
    """Return an answer that an earlier process was asked and did not finish."""
    answers = Answers(engine.database)
    question = json.dumps({"query_id": "q1", "text": text, "asked_on": "2024-06-01"})
    answers.create(AnswerId(answer_id), COLLECTION, question, options='{"seconds": 9.0, "reranker": "fused"}')
    for _ in range(starts):
        answers.start(AnswerId(answer_id))
    return AnswerId(answer_id)


def names(engine: FakeEngine, answer_id: AnswerId) -> list[str]:
    return [event.name for event in Answers(engine.database).read(answer_id)]


def until_finished(engine: FakeEngine, runner: Runner, answer_id: AnswerId) -> None:
    deadline = time.monotonic() + DEADLINE
    while runner.is_working_on(answer_id) and time.monotonic() < deadline:
        time.sleep(0.01)


def test_an_answer_of_an_earlier_process_is_gone_on_with(runner: Runner, engine: FakeEngine) -> None:
    answer_id = a_row(engine, "a1")

    assert runner.recover() == 1
    until_finished(engine, runner, answer_id)

    assert status(engine, answer_id) == ("answered", "")
    assert engine.rerankers[0] == "fused"
    assert Answers(engine.database).get(answer_id).starts == 2


def test_an_answer_that_was_begun_three_times_ends_as_failed(runner: Runner, engine: FakeEngine) -> None:
    twice, thrice = a_row(engine, "a1", starts=2), a_row(engine, "a2", starts=3)

    runner.recover()
    until_finished(engine, runner, twice)

    assert status(engine, twice)[0] == "answered"
    assert status(engine, thrice) == ("failed", STOPPED)


def test_answers_that_there_is_no_place_for_end_as_failed(runner: Runner, engine: FakeEngine) -> None:
    left = [a_row(engine, f"a{n}", text="slow") for n in range(3)]

    runner.recover()

    assert [runner.is_working_on(answer_id) for answer_id in left] == [True, True, False]
    assert status(engine, left[2]) == ("failed", STOPPED)


@pytest.mark.parametrize("last", ["answer.completed", "error"])
def test_an_answer_that_was_completed_is_finished_as_it_was(runner: Runner, engine: FakeEngine, last: str) -> None:
    answer_id, answers = a_row(engine, "a1"), Answers(engine.database)
    answers.append(answer_id, "answer.completed", {"ts": "now", "status": "failed", "detail": "no model"})
    if last == "error":
        answers.append(answer_id, "error", {"ts": "now", "code": "model_error"})

    assert runner.recover() == 1

    assert status(engine, answer_id) == ("failed", "no model")
    assert names(engine, answer_id) == ["answer.completed", "error", "done"]
    assert json.loads(answers.get(answer_id).result or "") == {"status": "failed", "detail": "no model"}


def test_checkpoints_of_finished_answers_are_deleted(runner: Runner, engine: FakeEngine) -> None:
    checkpoints = engine.unfinished._checkpoints()
    for name in ("gone", "cancelled"):
        config: Any = {"configurable": {"thread_id": name, "checkpoint_ns": ""}}
        checkpoint: Any = {"v": 4, "id": "1", "ts": "", "channel_values": {}}
        checkpoints.put(config, checkpoint, {}, {})
    runner.submit(a_question("slow"), collection=COLLECTION)
    a_row(engine, "cancelled", text="slow")

    runner.recover()
    assert list(engine.unfinished.answers()) == ["cancelled"]
    runner.cancel(AnswerId("cancelled"))

    assert list(engine.unfinished.answers()) == []


def test_closing_ends_queued_and_running_answers_with_advice(engine: FakeEngine) -> None:
    runner = Runner(engine)
    ids = [runner.submit(a_question("slow"), collection=COLLECTION)[0] for _ in range(2)]

    runner.close()

    assert [status(engine, answer_id) for answer_id in ids] == [("failed", STOPPED)] * 2
    with pytest.raises(Busy):
        runner.submit(a_question("who?"), collection=COLLECTION)
