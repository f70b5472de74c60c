import json
from pathlib import Path
from typing import Any

import pytest
from served import COLLECTION


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    return tmp_path / "questions.jsonl"


def run(gnomon: Any, questions: Path, texts: list[str], *options: str) -> Any:
    questions.write_text("".join(json.dumps({"question": text}) + "\n" for text in texts))
    return gnomon("batch", "run", questions, "-o", questions.with_name("out.jsonl"), "-c", COLLECTION, *options)


@pytest.mark.parametrize(
    ("texts", "code"), [(["one", "abstain"], 0), (["one", "fail"], 4), (["fail"], 1), (["fail"] * 9, 1)]
)
def test_the_exit_code_tells_how_it_went(gnomon: Any, questions: Path, texts: list[str], code: int) -> None:
    assert run(gnomon, questions, texts).code == code


def test_the_summary_counts_answers_seconds_and_tokens(gnomon: Any, questions: Path) -> None:
    first, second = run(gnomon, questions, ["one", "abstain", "partial"]).out.splitlines()
    assert first.endswith("out.jsonl: 1 answered, 1 partial, 1 abstained, 0 failed of 3; 0 were there before")
    assert second.startswith("3 worked on in ")
    assert second.endswith("0 tokens in (0 cached), 0 out")


def test_the_summary_as_json_is_one_object(gnomon: Any, questions: Path) -> None:
    run(gnomon, questions, ["one"])
    body = json.loads(run(gnomon, questions, ["one", "two"], "--json", "--workers", "2").out)
    assert (body["rows"], body["kept"], body["worked"], body["statuses"]) == (2, 1, 1, {"answered": 2})


def test_questions_that_fail_alike_are_told_in_one_line(gnomon: Any, questions: Path) -> None:
    ran = run(gnomon, questions, ["fail"] * 9)
    assert ran.err.splitlines()[-1].startswith("gnomon: 5 questions in a row failed alike: the index is older")
    assert "run the same command again" in ran.err


def test_a_missing_question_file_is_one_line(gnomon: Any, tmp_path: Path) -> None:
    ran = gnomon("batch", "run", tmp_path / "none.jsonl", "-o", tmp_path / "out.jsonl", "-c", COLLECTION)
    assert (ran.code, ran.err) == (1, f"gnomon: {tmp_path / 'none.jsonl'}: No such file or directory\n")


def test_a_missing_collection_stops_at_once(gnomon: Any, questions: Path) -> None:
    ran = run(gnomon, questions, ["one"], "-c", "nowhere")
    assert (ran.code, ran.err) == (1, "gnomon: no collection 'nowhere'\n")
