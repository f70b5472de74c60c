import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from evaluated import a_result, a_scored

from app.cli.eval_compare import compare_results
from app.cli.eval_report import write_report
from app.core.errors import InvalidDataset

Evaluate = Callable[..., tuple[str, str]]


@pytest.fixture
def evaluate(capfd: pytest.CaptureFixture[str]) -> Evaluate:
    """Run one of the two commands and return what it wrote to stdout and stderr."""
    app = typer.Typer()
    app.command("compare")(compare_results)
    app.command("report")(write_report)

    def run(*arguments: object) -> tuple[str, str]:
        app([str(argument) for argument in arguments], standalone_mode=False)
        out, err = capfd.readouterr()
        return out, err

    return run


def a_run(folder: Path, *right: float, **given: Any) -> Path:
    """Write the result of a run of questions q0, q1, … right (1) or wrong (0), and return its folder."""
    folder.mkdir()
    scored = [
        a_scored(f"q{at}", values={"EM": value}, trace=f"records.jsonl:{at + 1}", lost="" if value else "not_used")
        for at, value in enumerate(right)
    ]
    a_result(scored, **given).write(folder / "result.json")
    return folder


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    a = a_run(tmp_path / "a", 1, 1, 0, 1)
    return a, a_run(tmp_path / "b", 0, 1, 1, 0, reranker="pairs", settings={"search": {"mode": "dense", "top_k": 10}})


def test_a_comparison_is_tables_of_metrics_flips_settings_and_cost(evaluate: Evaluate, two: tuple[Path, Path]) -> None:
    a, b = two
    out, err = evaluate("compare", a, b)

    rows = [line.split("\t") for line in out.splitlines()]
    assert rows[0] == [f"lakes: A is agent ({a}), B is agent + pairs ({b})"]
    assert rows[1] == ["questions asked in both: 4"]
    assert ["metric", "n", "A", "B", "B - A", "p", "detectable"] in rows
    assert next(row for row in rows if row[0] == "EM")[:5] == ["EM", "4", "0.750", "0.500", "-0.250"]
    # two of the three discordant pairs for A: 2 · (1 + 3) / 8, at most 1
    assert ["flipped by EM: right in A only 2, in B only 1; McNemar's exact p 1.0000"] in rows
    assert ["q0", "gold", "gold q0", "", ""] in rows
    assert ["q0", "A", "gold q0", "", f"{a}/records.jsonl:1"] in rows
    assert ["q0", "B", "gold q0", "not_used", f"{b}/records.jsonl:1"] in rows
    assert ["search.mode", "hybrid", "dense"] in rows
    assert ["seconds a question", "2.000", "2.000", "1.000"] in rows
    assert "not corrected" in err


def test_no_more_flipped_questions_are_shown_than_wanted(evaluate: Evaluate, two: tuple[Path, Path]) -> None:
    out, err = evaluate("compare", *two, "--flips", 1)
    assert [line.split("\t")[0] for line in out.splitlines() if "\tgold\t" in line] == ["q0"]
    assert "2 more: --flips 3 shows all" in err

    out, err = evaluate("compare", *two, "--flips", 0)
    assert "\tgold\t" not in out
    assert "3 more" in err


def test_json_has_everything_on_one_line(evaluate: Evaluate, two: tuple[Path, Path]) -> None:
    a, b = two
    out, err = evaluate("compare", a / "result.json", b, "--json", "--flips", 0)

    body = json.loads(out)
    assert body["differences"][0]["difference"] == -0.25
    assert [flip["query_id"] for flip in body["flips"]["questions"]] == ["q0", "q2", "q3"]
    assert body["flips"]["questions"][0]["a"]["trace"] == f"{a}/records.jsonl:1"
    assert {"name": "search.mode", "a": "hybrid", "b": "dense"} in body["changed"]
    assert err == ""


def test_questions_that_only_one_was_asked_are_told(evaluate: Evaluate, tmp_path: Path) -> None:
    out, _ = evaluate("compare", a_run(tmp_path / "a", 1, 1, 1), a_run(tmp_path / "b", 1))

    assert "questions asked in both: 1; left out: 2 only in A, 0 only in B" in out


def test_a_question_without_an_answer_tells_why(evaluate: Evaluate, tmp_path: Path) -> None:
    for folder, full, status in (("found", 1.0, ""), ("missed", 0.0, ""), ("silent", 0.0, "abstained")):
        (tmp_path / folder).mkdir()
        one = a_scored("q", values={"full@10": full}, answer="", status=status)
        a_result([one]).write(tmp_path / folder / "result.json")

    out, _ = evaluate("compare", tmp_path / "found", tmp_path / "missed")
    assert "q\tA\t(all found)\t" in out
    assert "q\tB\t(not all found)\t" in out

    out, _ = evaluate("compare", tmp_path / "found", tmp_path / "silent")
    assert "q\tB\t(abstained)\t" in out


def test_other_data_is_refused(evaluate: Evaluate, tmp_path: Path) -> None:
    other = a_run(tmp_path / "b", 1, digests={"dataset": "another", "metrics": "1"})

    with pytest.raises(InvalidDataset, match="other data"):
        evaluate("compare", a_run(tmp_path / "a", 1), other)


def test_an_unfinished_run_is_refused(evaluate: Evaluate, tmp_path: Path) -> None:
    with pytest.raises(InvalidDataset, match="not finished"):
        evaluate("report", tmp_path, "-o", tmp_path / "report.html")
    assert not list(tmp_path.iterdir())


def test_a_report_is_a_page_with_markdown_beside_it(evaluate: Evaluate, two: tuple[Path, Path], tmp_path: Path) -> None:
    page = tmp_path / "report.html"

    out, _ = evaluate("report", *two, "-o", page)

    assert out.splitlines() == [str(tmp_path / "report.md"), str(page)]
    assert "agent + pairs" in page.read_text(encoding="utf-8")
    assert (tmp_path / "report.md").read_text(encoding="utf-8").startswith("# Evaluation")


def test_a_report_may_be_markdown_alone(evaluate: Evaluate, two: tuple[Path, Path], tmp_path: Path) -> None:
    out, _ = evaluate("report", *two, "-o", tmp_path / "report.md", "--json")

    assert json.loads(out) == {"written": [str(tmp_path / "report.md")]}
    assert not (tmp_path / "report.html").exists()


def test_a_report_of_another_form_is_wrong_usage(evaluate: Evaluate, two: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match=r"must end in \.html or \.md"):
        evaluate("report", *two, "-o", tmp_path / "report.pdf")


def test_drawing_and_page_libraries_wait_until_a_report_is_written() -> None:
    names = "matplotlib", "jinja2", "numpy"
    program = f"import sys, app.cli.eval_compare, app.cli.eval_report; print([n for n in {names} if n in sys.modules])"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
