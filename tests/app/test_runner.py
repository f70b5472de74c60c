import logging
import time
from collections.abc import Iterator
from pathlib import Path

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
    answers.set_state(AnswerId("running"), "running")
    answers.append(AnswerId("running"), "answer.started", {})
    runner = Runner(engine)

    assert runner.recover() == 2
    assert runner.recover() == 0

    runner.close()
    for answer_id in ("queued", "running"):
        assert status(engine, AnswerId(answer_id)) == ("failed", STOPPED)
        assert answers.read(AnswerId(answer_id))[-1].name == "done"


def test_closing_ends_queued_and_running_answers_with_advice(engine: FakeEngine) -> None:
    runner = Runner(engine)
    ids = [runner.submit(a_question("slow"), collection=COLLECTION)[0] for _ in range(2)]

    runner.close()

    assert [status(engine, answer_id) for answer_id in ids] == [("failed", STOPPED)] * 2
    with pytest.raises(Busy):
        runner.submit(a_question("who?"), collection=COLLECTION)
