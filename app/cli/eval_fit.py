"""`gnomon eval fit-confidence` and `fit-budget`: what finished runs teach the agent."""

import dataclasses
import shlex
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.context import Cli, JsonOption
from app.cli.screen import Screen

if TYPE_CHECKING:
    from agents.confidence_files import ConfidenceFile
    from app.evaluation.allocation import Theta
    from app.experiments.datasets import Dataset
    from app.experiments.fit_budget import FittedBudget
    from app.experiments.logged import LoggedRun

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The data set, or question file, of the runs.")]


def fit_confidence_of_run(
    context: typer.Context,
    folder: Folder,
    *,
    run: Annotated[str, typer.Option(metavar="RUN", help="A finished run that answers: its name, or its folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file of weights, for agent.confidence.")],
    as_json: JsonOption = False,
) -> None:
    """Fit the weights with which signs of an answer tell how probably it is right, and store them."""
    from agents.confidence import SIGNS_VERSION
    from agents.confidence_files import ConfidenceFile
    from app.experiments.datasets import read_dataset
    from app.experiments.fit_confidence import drafts_of, fit_confidence

    cli = Cli.of(context)
    dataset = read_dataset(folder)
    logged = _runs(cli, dataset, [run])[0]
    found = fit_confidence(drafts_of(logged))
    digests = logged.result.digests
    file = ConfidenceFile(
        signs_version=SIGNS_VERSION,
        bias=found.confidence.bias,
        weights=found.confidence.weights,
        figures=found.figures,
        models={role: digests[role] for role in ("generator", "embedder", "scorer") if role in digests},
        made_from=f"{dataset.name} {dataset.digest}, {found.drafts} drafts of {logged.name}, {found.right} right",
        command=shlex.join(["gnomon", *sys.argv[1:]]),
        made_on=date.today().isoformat(),
    )
    file.write(output)
    if as_json:
        cli.screen.json(file)
        return
    _show_confidence(cli.screen, file)
    cli.screen.line(f"{output}: {found.drafts} drafts, {found.right} right")


def fit_budget_of_runs(
    context: typer.Context,
    folder: Folder,
    *,
    runs: Annotated[
        str, typer.Option(metavar="RUN,RUN", help="Finished runs of the same questions with several settings.")
    ],
    tokens: Annotated[
        int | None, typer.Option(min=1, help="Tokens a question may cost; limits.max_tokens without it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what passages, samples and searches are worth, and the cheapest setting within a point of the best."""
    from app.experiments.datasets import read_dataset
    from app.experiments.fit_budget import cells_of, fit_budget

    cli = Cli.of(context)
    budget = tokens or cli.settings().limits.max_tokens
    names = [name.strip() for name in runs.split(",") if name.strip()]
    found = fit_budget(cells_of(_runs(cli, read_dataset(folder), names)), budget=budget)
    if as_json:
        cli.screen.json({**dataclasses.asdict(found), "budget": budget, "cheapest": _setting(found, found.best)})
        return
    _show_budget(cli.screen, found, budget)


def _runs(cli: Cli, dataset: "Dataset", names: list[str]) -> "list[LoggedRun]":
    from app.experiments.logged import read_run

    folder = cli.settings().data_dir / "eval" / "runs"
    return [read_run(name, dataset, runs=folder) for name in names]


def _show_confidence(screen: Screen, file: "ConfidenceFile") -> None:
    """Write the weights beside the shipped ones, then what each way of ranking is worth."""
    from agents.confidence import SIGNS

    rows = [[name, f"{sign.weight:.2f}", f"{file.weights[name]:.2f}"] for name, sign in SIGNS.items()]
    screen.table(["sign", "shipped", "fitted"], [*rows, ["bias", "0.00", f"{file.bias:.2f}"]])
    screen.line("")
    names = ["AURC", "Brier"]
    screen.table(["", *names], [[by, *(f"{one[name]:.4f}" for name in names)] for by, one in file.figures.items()])


def _show_budget(screen: Screen, found: "FittedBudget", budget: int) -> None:
    """Write the runs, the coefficients of both models, and the cheapest setting."""
    from app.evaluation.allocation import NAMES

    screen.table(
        ["run", *NAMES, "questions", "right", "predicted", "tokens"],
        [
            [
                cell.name,
                *(f"{value:g}" for value in cell.theta),
                cell.questions,
                f"{cell.right / cell.questions:.3f}",
                f"{found.worth.probability(cell.theta):.3f}",
                f"{cell.tokens:.0f}",
            ]
            for cell in found.cells
        ],
    )
    screen.line("")
    models = [("logit of right", found.worth), ("log of tokens", found.tokens)]
    screen.table(
        ["", *(f"ln {name}" for name in NAMES), "constant", "R2"],
        [
            [name, *(f"{one:.3f}" for one in (*model.coefficients, model.constant)), _figure(model.r2)]
            for name, model in models
        ],
    )
    chosen = _setting(found, found.best)
    if chosen is None:
        screen.line(f"no setting costs at most {budget} tokens")
        return
    told = ", ".join(f"{chosen[name]:g} {name}" for name in NAMES)
    screen.line(
        f"cheapest within a point of the best of at most {budget} tokens: {told}; "
        f"right {chosen['right']:.3f}, {chosen['tokens']:.0f} tokens"
    )


def _setting(found: "FittedBudget", theta: "Theta | None") -> dict[str, float] | None:
    """Return a setting by name, with how often it is right and what it costs by the models."""
    import math

    from app.evaluation.allocation import NAMES

    if theta is None:
        return None
    foretold = {"right": found.worth.probability(theta), "tokens": math.exp(found.tokens.value(theta))}
    return {**dict(zip(NAMES, theta, strict=True)), **foretold}


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
