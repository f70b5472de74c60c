import json
from pathlib import Path
from typing import Any

import pytest
from served import ANSWER, COLLECTION, QUOTES


def ask(gnomon: Any, question: str, *options: str) -> Any:
    return gnomon("ask", question, "-c", COLLECTION, *options)


def test_an_answer_is_shown_with_its_sources_and_ends_with_0(gnomon: Any) -> None:
    ran = ask(gnomon, "Who commanded Apollo 11?")
    assert (ran.code, ran.err) == (0, "")
    assert ANSWER in ran.out
    for quote in QUOTES.values():
        assert f"“{quote}”" in ran.out
    assert "[1] Apollo 11 · Overview · 1969-07-24" in ran.out


def test_json_is_one_object_with_the_whole_answer(gnomon: Any) -> None:
    ran = ask(gnomon, "Who commanded Apollo 11?", "--json")
    body = json.loads(ran.out)
    assert (body["status"], body["text"], body["collection"]) == ("answered", ANSWER, COLLECTION)
    assert [citation["quote"] for citation in body["citations"]] == list(QUOTES.values())
    assert [step["node"] for step in body["trace"]["steps"]] == ["understand", "search", "note", "answer"]


@pytest.mark.parametrize(
    ("question", "code"), [("answer it", 0), ("fail it", 1), ("abstain from it", 3), ("partial it", 4)]
)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_the_exit_code_tells_the_status(gnomon: Any, question: str, code: int, options: tuple[str, ...]) -> None:
    assert ask(gnomon, question, *options).code == code


def test_an_abstention_gives_its_reason_in_words_and_what_was_looked_for(gnomon: Any) -> None:
    ran = ask(gnomon, "abstain from it")
    assert "No answer: the passages found do not say it." in ran.out
    assert "Looked for\n    10 passages found" in ran.out


def test_a_partial_answer_says_what_ran_out(gnomon: Any) -> None:
    assert "the budget ran out (the budget of 12 model calls is spent)" in ask(gnomon, "partial it").out


def test_a_failure_is_one_line_on_stderr_and_nothing_on_stdout(gnomon: Any) -> None:
    ran = ask(gnomon, "fail it")
    assert ran.out == ""
    assert ran.err == "gnomon: the index is older than its settings; run 'gnomon index rebuild'\n"


def test_steps_are_shown_when_asked_for(gnomon: Any) -> None:
    lines = ask(gnomon, "Who?", "--show-steps").out.splitlines()
    steps = lines[next(i for i, line in enumerate(lines) if line.startswith("step")) :]
    assert [line.split()[0] for line in steps if line.split()][2:] == [
        "understand",
        "search",
        "note",
        "answer",
        "total",
    ]


def test_in_a_pipe_the_steps_are_told_with_verbose_only(gnomon: Any) -> None:
    assert ask(gnomon, "Who?").err == ""
    verbose = gnomon("-v", "ask", "Who?", "-c", COLLECTION).err
    assert "search: 10 passages found" in verbose


def test_as_of_is_shown_and_means_the_last_day_of_a_year(gnomon: Any) -> None:
    assert "(as of 2003-12-31)" in ask(gnomon, "Who?", "--as-of", "2003").out


def test_the_strategy_reaches_the_settings(gnomon: Any, engines: Any) -> None:
    ask(gnomon, "Who?", "--strategy", "fixed")
    assert engines.opened[-1].settings.agent.strategy == "fixed"


def test_a_spent_budget_cannot_be_asked_for(gnomon: Any) -> None:
    ran = ask(gnomon, "Who?", "--budget", "0s")
    assert ran.code == 2
    assert "'0s' is no length of time; write 90, 60s, 2m or 1m30s" in ran.err


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("  ", "the question is empty; write one"),
        ("x" * 100_000, "the question has 100000 characters, at most 2000 are read; shorten it"),
        ("who\x1b[2J", "the question holds the control character U+001B; remove it"),
    ],
)
def test_a_question_that_cannot_be_asked_is_one_line(gnomon: Any, question: str, message: str) -> None:
    ran = ask(gnomon, question)
    assert (ran.code, ran.out, ran.err) == (1, "", f"gnomon: {message}\n")


def test_a_missing_collection_is_one_line(gnomon: Any) -> None:
    ran = gnomon("ask", "Who?", "-c", "nowhere")
    assert (ran.code, ran.out, ran.err) == (1, "", "gnomon: no collection 'nowhere'\n")


@pytest.mark.parametrize("columns", ["80", "120"])
def test_no_line_is_longer_than_the_terminal(gnomon: Any, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    ran = ask(
        gnomon, "Who commanded Apollo 11, and who led the agency when it flew to the Moon and back?", "--show-steps"
    )
    lines = ran.out.splitlines()
    assert max(len(line) for line in lines) <= int(columns)
    assert not [line for line in lines if line != line.rstrip()]


def test_the_reranker_reaches_the_engine(gnomon: Any, engines: Any) -> None:
    assert ask(gnomon, "Who?", "--reranker", "likelihood").code == 0
    assert engines.opened[-1].rerankers[0] == "likelihood"


@pytest.mark.parametrize("command", ["ask", "search"])
def test_an_unknown_reranker_is_one_line_with_those_that_there_are(real: Any, tmp_path: Path, command: str) -> None:
    (tmp_path / "a.txt").write_text("Luna 9 landed on the Moon.")
    real("ingest", tmp_path / "a.txt")
    ran = real(command, "Luna 9?", "--reranker", "magic")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("gnomon: no 'magic' in rerankers/; choose from ['attention', ")


def test_the_time_that_was_read_is_shown_and_is_in_the_json(gnomon: Any) -> None:
    question = "Who led NASA between 2004 and 2006?"
    assert "time: between 2004–2006, read from 'between 2004 and 2006'" in ask(gnomon, question).out
    time = json.loads(ask(gnomon, question, "--json").out)["time"]
    assert (time["relation"], time["span"]["start"], time["source"]) == ("between", "2004-01-01", "question")


def test_a_period_replaces_what_was_read_and_no_time_leaves_it_out(gnomon: Any) -> None:
    question = "Who led NASA in 1969?"
    assert "time: since 2004, as you set it" in ask(gnomon, question, "--from", "2004").out
    assert "time:" not in ask(gnomon, question, "--no-time").out


def test_relative_times_count_from_the_day_of_asking(gnomon: Any) -> None:
    body = json.loads(ask(gnomon, "Who led NASA last year?", "--asked-on", "2001-05-06", "--json").out)
    assert (body["asked_on"], body["time"]["span"]["start"]) == ("2001-05-06", "2000-01-01")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--from", "soon"), "'soon' is not a date"),
        (("--from", "2006", "--to", "2004"), "the time ends (2004) before it begins (2006)"),
        (("--from", "2006", "--no-time"), "leave one of them out"),
        (("--asked-on", "2001-13"), "Invalid value for '--asked-on'"),
    ],
)
@pytest.mark.parametrize("command", ["ask", "search"])
def test_a_time_that_cannot_be_meant_is_wrong_usage(
    gnomon: Any, command: str, options: tuple[str, ...], message: str
) -> None:
    ran = gnomon(command, "Who?", "-c", COLLECTION, *options)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_bounds_that_no_day_satisfies_are_one_line(gnomon: Any) -> None:
    ran = ask(gnomon, "Who led NASA before 1962 and after 1975?")
    told = "gnomon: no day is both 'before 1962' and 'after 1975'; leave one of them out\n"
    assert (ran.code, ran.out, ran.err) == (1, "", told)
