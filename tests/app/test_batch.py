import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from served import A_DAY, COLLECTION, FakeEngine, fill, settings_for

from app.batch.answer_file import AnswerFile, Recipe
from app.batch.questions import read_rows
from app.batch.run import ALIKE, Batch, Summary, run_batch
from app.core.errors import ConfigError, InvalidQuestion, NotFound, StorageError

Run = Callable[..., Summary]


class CountingEngine(FakeEngine):
    """Remembers what it was asked; a question about a number waits, the first ones longest."""

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        self.asked: list[str] = []
        self.dates: dict[str, tuple[date, date | None]] = {}

    def answer(self, question: Any, **more: Any) -> Any:
        self.asked.append(question.text)
        self.dates[question.text] = (question.asked_on, question.as_of)
        last = question.text.split()[-1]
        if last.isdigit():
            time.sleep(0.01 * (12 - int(last)))
        return super().answer(question, **more)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[CountingEngine]:
    engine = CountingEngine(settings_for(tmp_path / "data"))
    fill(engine.database)
    yield engine
    engine.gate.set()
    engine.close()


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    return tmp_path / "answers.jsonl"


@pytest.fixture
def run(engine: CountingEngine, tmp_path: Path, answers: Path) -> Run:
    def run(rows: Sequence[Any] | Path, *, cancelled: Callable[[], bool] = lambda: False, **options: Any) -> Summary:
        questions = rows if isinstance(rows, Path) else write(tmp_path / "questions.jsonl", rows)
        settings: dict[str, Any] = {"collection": COLLECTION, "today": A_DAY, **options}
        return run_batch(engine, Batch(questions=questions, output=answers, **settings), cancelled=cancelled)

    return run


def write(path: Path, rows: Sequence[Any]) -> Path:
    """A question file; texts are written as they are."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def ask(*texts: str) -> list[Mapping[str, str]]:
    return [{"id": f"q{number}", "question": text} for number, text in enumerate(texts, start=1)]


TWELVE = ask(*(f"question {number}" for number in range(12)))


def test_every_row_is_answered_in_the_order_of_the_file(run: Run, answers: Path) -> None:
    summary = run(ask("one", "abstain", "partial", "fail"))
    assert [(row["query_id"], row["status"]) for row in read(answers)] == [
        ("q1", "answered"),
        ("q2", "abstained"),
        ("q3", "partial"),
        ("q4", "failed"),
    ]
    assert summary.statuses == {"answered": 1, "abstained": 1, "partial": 1, "failed": 1}
    assert (summary.rows, summary.worked, summary.kept, summary.stopped) == (4, 4, 0, "")


def test_several_workers_change_nothing_but_the_time(run: Run, answers: Path) -> None:
    run(TWELVE, workers=4)
    assert [row["query_id"] for row in read(answers)] == [row["id"] for row in TWELVE]


def test_a_second_run_asks_nothing_again(run: Run, engine: CountingEngine, answers: Path) -> None:
    run(ask("one", "two"))
    before = answers.read_bytes()
    summary = run(ask("one", "two"))
    assert engine.asked == ["one", "two"]
    assert (summary.kept, summary.worked) == (2, 0)
    assert answers.read_bytes() == before


def test_failed_rows_are_tried_again_and_land_in_their_place(run: Run, engine: CountingEngine, answers: Path) -> None:
    run(ask("fail", "two"))
    run(ask("fail", "two", "three"))
    assert engine.asked == ["fail", "two", "three", "fail"]
    assert [row["query_id"] for row in read(answers)] == ["q1", "q2", "q3"]


@pytest.mark.parametrize(
    "changed", [{"id": "q1", "question": "another"}, {"id": "q1", "question": "one", "as_of": "2000"}]
)
def test_a_changed_row_is_asked_again(run: Run, engine: CountingEngine, answers: Path, changed: dict[str, str]) -> None:
    run([{"id": "q1", "question": "one"}])
    run([changed])
    assert engine.asked == ["one", changed["question"]]
    assert len(read(answers)) == 1


def test_other_settings_are_asked_anew(run: Run, engine: CountingEngine) -> None:
    run(ask("one"))
    engine.settings = engine.settings.model_copy(update={"seed": 7})
    run(ask("one"))
    assert engine.asked == ["one", "one"]


def test_without_resume_everything_is_asked_again(run: Run, engine: CountingEngine) -> None:
    run(ask("one"))
    run(ask("one"), resume=False)
    assert engine.asked == ["one", "one"]


def test_a_limit_works_on_the_first_rows_and_keeps_the_others(run: Run, answers: Path) -> None:
    run(ask("one", "two", "three"))
    summary = run(ask("one", "two", "three"), limit=1)
    assert (summary.rows, summary.worked) == (1, 0)
    assert len(read(answers)) == 3
    run(ask("one", "two", "three"), limit=2, resume=False)
    assert [row["query_id"] for row in read(answers)] == ["q1", "q2"]


@pytest.mark.parametrize("kept", [1, 50, -2, -1])
def test_a_torn_last_line_is_mended(run: Run, engine: CountingEngine, answers: Path, kept: int) -> None:
    run(ask("one", "two"))
    whole = answers.read_bytes()
    first, second = whole.splitlines(keepends=True)
    answers.write_bytes(first + second[:kept])
    summary = run(ask("one", "two"))
    assert [row["query_id"] for row in read(answers)] == ["q1", "q2"]
    assert summary.was_torn is (kept != -1)
    assert engine.asked[2:] == (["two"] if kept != -1 else [])


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("{not json", "row 2: is not JSON"),
        ("[1, 2]", "row 2: is not a JSON object"),
        ('{"id": "x"}', "row 2: it has no 'question' or 'text'; add one"),
        ('{"id": "x", "question": 5}', "row 2: it has no 'question' or 'text'; add one"),
        ('{"id": [], "question": "y"}', "row 2: its id is neither text nor a number; mend the row"),
        ('{"id": "x", "question": " "}', "row 2: the question is empty; write one"),
        ('{"id": "x", "question": "' + "y" * 3000 + '"}', "row 2: the question has 3000 characters"),
        ('{"id": "x", "question": "a\\u0000b"}', "row 2: the question holds the control character U+0000"),
        ('{"id": "x", "question": "a\\ud800"}', "row 2: it is not UTF-8"),
        (
            '{"id": "x", "question": "y", "as_of": "soon"}',
            "row 2: the date 'soon' cannot be read: 'soon' is not a date",
        ),
        ('{"id": "q1", "question": "y"}', "row 2: the id 'q1' is that of row 1; give it another"),
        ('{"id": "x", "question": "crash"}', "row 2: internal error: RuntimeError: a bug"),
        ("[" * 100_000, "row 2: is not JSON"),
    ],
)
def test_a_bad_row_fails_alone(run: Run, answers: Path, row: str, problem: str) -> None:
    summary = run([{"id": "q1", "question": "one"}, row, {"id": "q3", "question": "three"}])
    told = read(answers)
    assert [body["status"] for body in told] == ["answered", "failed", "answered"]
    assert told[1]["detail"].startswith(problem)
    assert told[1].keys() >= {"query_id", "question", "text", "citations", "usage", "settings_digest"}
    assert summary.statuses == {"answered": 2, "failed": 1}


def test_a_line_that_is_not_utf8_fails_alone(run: Run, tmp_path: Path, answers: Path) -> None:
    questions = tmp_path / "latin.jsonl"
    questions.write_bytes('{"question": "one"}\n{"question": "caf\xe9"}\n'.encode("latin-1"))
    run(questions)
    assert [body["status"] for body in read(answers)] == ["answered", "failed"]


def test_ids_and_texts_have_several_names_and_a_missing_id_is_the_row(run: Run, answers: Path) -> None:
    run([{"_id": "a", "text": "one"}, {"query_id": 7, "question": "two"}, "", {"question": "three"}])
    assert [row["query_id"] for row in read(answers)] == ["a", "7", "4"]


def test_dates_of_a_row_reach_the_question(run: Run, engine: CountingEngine) -> None:
    run([{"question": "one", "as_of": 2003, "asked_on": "2020-05-01"}, {"question": "two"}])
    assert engine.dates == {"one": (date(2020, 5, 1), date(2003, 12, 31)), "two": (A_DAY, None)}


def test_a_csv_is_read_with_quotes_newlines_and_a_mark_at_its_start(run: Run, tmp_path: Path, answers: Path) -> None:
    questions = tmp_path / "questions.csv"
    questions.write_text('\ufeffid,question,as_of\na,"one, ""two""\nthree",2003\nb,,\n', encoding="utf-8")
    run(questions)
    told = read(answers)
    assert (told[0]["query_id"], told[0]["question"], told[0]["as_of"]) == ("a", 'one, "two"\nthree', "2003-12-31")
    assert told[1]["detail"] == "row 2: it has no 'question' or 'text'; add one"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("q.csv", "id,frage\n1,x\n", "no column 'question' or 'text' among ['id', 'frage']"),
        ("q.jsonl", "", "holds no question"),
        ("q.csv", "", "holds no question"),
        ("q.txt", "x", "questions are read from .jsonl or .csv"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InvalidQuestion) as caught:
        read_rows(tmp_path / name)
    assert message in str(caught.value)


@pytest.mark.parametrize("content", ["precious\n", '{"some": "json"}\n'])
def test_a_file_that_is_no_output_of_ours_is_left_as_it_is(run: Run, answers: Path, content: str) -> None:
    answers.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match="line 1 is no answer of a batch"):
        run(ask("one"))
    assert answers.read_text(encoding="utf-8") == content


def test_a_place_that_cannot_be_written_says_what_to_do(run: Run, tmp_path: Path, answers: Path) -> None:
    questions = write(tmp_path / "q.jsonl", ask("one"))
    answers.mkdir()
    for place in (answers, questions / "sub" / "out.jsonl"):
        with pytest.raises(StorageError, match=f"{place}: cannot be written: .*; mend that and run"):
            AnswerFile(place, read_rows(questions), recipe=Recipe(settings_digest="", collection=""), resume=True)
    assert list(answers.iterdir()) == []


def test_the_questions_are_never_overwritten(run: Run, answers: Path) -> None:
    write(answers, ask("one"))
    with pytest.raises(ConfigError, match="would replace the questions"):
        run(answers)


def test_two_runs_cannot_write_the_same_output(run: Run, answers: Path) -> None:
    rows = read_rows(write(answers.with_name("q.jsonl"), ask("one")))
    other = AnswerFile(answers, rows, recipe=Recipe(settings_digest="", collection=""), resume=True)
    with pytest.raises(StorageError, match="another run writes it"):
        run(ask("one"))
    other.close()
    assert run(ask("one")).worked == 1


def test_questions_that_fail_alike_stop_the_batch_early(run: Run, engine: CountingEngine, answers: Path) -> None:
    summary = run(ask(*(f"fail {number}" for number in range(12))))
    assert len(engine.asked) == ALIKE
    assert summary.stopped.startswith(f"{ALIKE} questions in a row failed alike: the index is older than its settings")
    assert len(read(answers)) == ALIKE


def test_rows_that_always_fail_do_not_keep_the_rest_from_its_turn(run: Run, engine: CountingEngine) -> None:
    rows = ask(*(f"fail {number}" for number in range(ALIKE)), "one", "two")
    run(rows)
    summary = run(rows)
    assert engine.asked[ALIKE : ALIKE + 2] == ["one", "two"]
    assert summary.statuses == {"failed": ALIKE, "answered": 2}


def test_bad_rows_alike_do_not_stop_the_batch(run: Run) -> None:
    assert run(['{"id": 1}'] * 9 + [{"question": "one"}]).statuses == {"failed": 9, "answered": 1}


def test_a_missing_collection_stops_before_anything_is_written(run: Run, answers: Path) -> None:
    with pytest.raises(NotFound):
        run(ask("one", "two"), collection="nowhere")
    assert read(answers) == []


def test_an_interrupted_run_keeps_what_is_done_and_goes_on(run: Run, engine: CountingEngine, answers: Path) -> None:
    summary = run(TWELVE, workers=3, cancelled=lambda: len(engine.asked) > 5)
    done = [row["query_id"] for row in read(answers)]
    assert summary.stopped == "interrupted"
    assert 0 < len(done) < 12
    assert done == sorted(done, key=lambda name: int(name[1:]))
    assert run(TWELVE).kept == len(done)
    assert [row["query_id"] for row in read(answers)] == [row["id"] for row in TWELVE]


def test_an_answer_that_was_cancelled_is_not_written(run: Run, engine: CountingEngine, answers: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    run(ask("one", "slow"), cancelled=stop.is_set)
    assert [row["query_id"] for row in read(answers)] == ["q1"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs resource limits")
def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    import resource
    import signal

    rows = read_rows(write(tmp_path / "q.jsonl", ask("one", "two")))
    file = AnswerFile(tmp_path / "out.jsonl", rows, recipe=Recipe(settings_digest="", collection=""), resume=True)
    body = {"query_id": "q1", "question": "one", "status": "answered", "collection": "", "text": "x" * 500}
    file.append(rows[0], body)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (900, limits[1]))
        with pytest.raises(StorageError, match="cannot be written: File too large"):
            file.append(rows[1], body)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    file.close()
    assert [row["query_id"] for row in read(tmp_path / "out.jsonl")] == ["q1"]
