"""What passages, samples and searches are worth, from results of several runs."""

from typing import Any

import pytest
from evaluated import a_cost, a_result, a_scored

from app.core.errors import InvalidDataset
from app.evaluation.records import Gold
from app.experiments.fit_budget import Cell, cell_of, cells_of, fit_budget
from app.experiments.logged import LoggedRun

IDS = ("a", "b", "c", "d")
GOLDS = {key: Gold(query_id=key, text=f"What is {key}?", answers=(f"gold {key}",), answerable=True) for key in IDS}
GOLDS["d"] = Gold(query_id="d", text="What is d?", answerable=False)


def a_run(name: str = "run", *, passages: int = 5, **given: Any) -> LoggedRun:
    scored = [
        a_scored("a"),
        a_scored("b", answer="nothing"),
        a_scored("c", status="failed", answer=""),
        a_scored("d", status="abstained", answer=""),
    ]
    result = a_result(scored, **{"settings": {"agent": {"passages": passages}}} | given)
    return LoggedRun(name=name, result=result, raws={}, golds=GOLDS)


def a_cell(passages: float, right: int, tokens: float) -> Cell:
    return Cell(name=f"p{passages}", theta=(passages, 1.0, 1.5), questions=100, right=right, tokens=tokens)


def test_a_run_tells_its_setting_its_right_answers_and_its_tokens() -> None:
    cell = cell_of(a_run(passages=7))

    assert cell.theta == (7.0, 1.0, 1.5)  # 1.5 searches a question
    assert (cell.questions, cell.right, cell.tokens) == (4, 2, 100.0)


def test_a_run_that_searched_nothing_is_refused() -> None:
    cost = dict(a_cost(questions=4))
    cost["per_question"]["retrievals"]["mean"] = None

    with pytest.raises(InvalidDataset, match="run: nothing was searched"):
        cell_of(a_run(cost=cost))


def test_runs_of_other_questions_or_models_are_not_compared() -> None:
    few = LoggedRun(name="few", result=a_run().result, raws={}, golds={"a": GOLDS["a"]})
    with pytest.raises(InvalidDataset, match="few: other questions than in run"):
        cells_of([a_run(), few])
    with pytest.raises(InvalidDataset, match="large: another language model than in run"):
        cells_of([a_run(), a_run("large", digests={"generator": "7b"})])


def test_more_passages_are_taken_only_where_they_pay() -> None:
    paying = fit_budget([a_cell(1, 20, 500), a_cell(5, 40, 1500), a_cell(20, 60, 5000)], budget=8000)
    flat = fit_budget([a_cell(1, 40, 500), a_cell(5, 40, 1500), a_cell(20, 40, 5000)], budget=8000)

    assert paying.worth.coefficients[0] > 0
    assert paying.best == (20.0, 1.0, 1.5)
    assert flat.best == (1.0, 1.0, 1.5)


def test_a_budget_bounds_the_choice() -> None:
    cells = [a_cell(1, 20, 500), a_cell(5, 40, 1500), a_cell(20, 60, 5000)]

    assert fit_budget(cells, budget=2000).best == (5.0, 1.0, 1.5)
    assert fit_budget(cells, budget=100).best is None


def test_too_few_runs_are_refused_with_advice() -> None:
    with pytest.raises(InvalidDataset, match=r"2 runs that differ in 1 .*; add runs with other agent.passages"):
        fit_budget([a_cell(1, 20, 500), a_cell(5, 40, 1500)], budget=8000)
