"""`gnomon eval perturb`: variants of a data set's questions that ask of another time."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.context import Cli, JsonOption


def perturb_questions(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A data set in BEIR's form, with times.")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="New folder for the data set of variants.")],
    as_json: JsonOption = False,
) -> None:
    """Write a data set of questions asked of other times; their gold stays, moves or vanishes."""
    from app.experiments.perturbed import write_perturbed

    cli = Cli.of(context)
    counts = write_perturbed(folder, output)
    if as_json:
        cli.screen.json({"written": str(output), "questions": counts})
        return
    cli.screen.table(["variant", "questions"], [[kind, count] for kind, count in counts.items()])
