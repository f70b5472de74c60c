"""Finished runs with several settings → what passages, samples and searches are worth, and the cheapest setting."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.core.errors import InvalidDataset
from app.evaluation.allocation import Allocation, Theta, cheapest, fit_allocation, grid, logit
from app.experiments.logged import LoggedRun, is_right
from app.experiments.results import Scored


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One run: its setting, its questions, how many of them it got right, and the mean of a question's tokens."""

    name: str
    theta: Theta
    questions: int
    right: int
    tokens: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedBudget:
    """The two models, and the cheapest setting within a point of the best under the budget, None for none."""

    cells: tuple[Cell, ...]
    worth: Allocation
    tokens: Allocation
    best: Theta | None


def cells_of(runs: Sequence[LoggedRun]) -> list[Cell]:
    """Return what each run says.

    Raises:
        InvalidDataset: they are not of the same questions and the same language model, or as `cell_of`.
    """
    for run in runs[1:]:
        if run.golds.keys() != runs[0].golds.keys():
            raise InvalidDataset(f"{run.name}: other questions than in {runs[0].name}; give all the same sample")
        if run.result.digests.get("generator") != runs[0].result.digests.get("generator"):
            raise InvalidDataset(f"{run.name}: another language model than in {runs[0].name}")
    return [cell_of(run) for run in runs]


def cell_of(run: LoggedRun) -> Cell:
    """Return what a run says: a right answer, or silence where there is none, is right; a failure is wrong.

    Passages and samples are those of its settings, searches the mean of its questions.

    Raises:
        InvalidDataset: no question of it is judged, or nothing was searched or spent.
    """
    judged = [(one, right) for one in run.result.scored if (right := _right(run, one)) is not None]
    agent = run.result.settings["agent"]
    searches = float(run.result.cost["per_question"]["retrievals"]["mean"] or 0.0)
    tokens = float(np.mean([one.tokens for one, _ in judged])) if judged else 0.0
    if not searches or not tokens:
        raise InvalidDataset(f"{run.name}: nothing was searched, spent and judged in it")
    return Cell(
        name=run.name,
        theta=(float(agent["passages"]), float(agent.get("samples", 1)), searches),
        questions=len(judged),
        right=sum(right for _, right in judged),
        tokens=tokens,
    )


def fit_budget(cells: Sequence[Cell], *, budget: float) -> FittedBudget:
    """Return the models fitted to the runs; the settings to choose from are those that the runs span.

    Raises:
        InvalidDataset: the runs are too few, or too much alike.
    """
    thetas = [cell.theta for cell in cells]
    try:
        worth = fit_allocation(thetas, [logit(cell.right, cell.questions) for cell in cells])
        tokens = fit_allocation(thetas, [float(np.log(cell.tokens)) for cell in cells])
    except ValueError as error:
        raise InvalidDataset(f"nothing can be fitted: {error}; add runs with other agent.passages") from error
    best = cheapest(grid(thetas), worth=worth, tokens=tokens, budget=budget)
    return FittedBudget(cells=tuple(cells), worth=worth, tokens=tokens, best=best)


def _right(run: LoggedRun, one: Scored) -> bool | None:
    gold = run.golds[one.query_id]
    if gold.answerable is False:
        return one.status == "abstained"
    return is_right(gold, one.answer)
