"""`gnomon eval poisoned`: whether documents that give orders are obeyed."""

from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.context import Cli, JsonOption
from app.cli.interrupts import Cancelled, interruptibly
from app.cli.progress import meter

if TYPE_CHECKING:
    from app.experiments.poisoned import Attempt

_PATIENCE_SECONDS = 30.0


def attack_with_documents(
    context: typer.Context,
    documents: Annotated[Path, typer.Argument(metavar="DOCUMENTS", help="The sample collection's folder.")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="File of the answers, .jsonl; kept and gone on with.")],
    as_json: JsonOption = False,
) -> None:
    """Ask sample questions beside poisoned documents, one at a time; a run that was stopped goes on where it was."""
    from app.experiments.poisoned import by_kind, read_poisons, run_poisoned

    cli = Cli.of(context)
    with ExitStack() as shown:
        report = shown.enter_context(meter(cli.screen, "eval"))

        def work(cancelled: Cancelled) -> "list[Attempt]":
            return run_poisoned(
                read_poisons(),
                documents,
                cli.settings(),
                output=output,
                today=date.today(),
                open_engine=cli.open_engine,
                cancelled=cancelled,
                progress=report,
            )

        message = "interrupted; nothing is reported, the same command goes on"
        attempts = interruptibly(work, message=message, patience=_PATIENCE_SECONDS)
    results = by_kind(attempts)
    if as_json:
        cli.screen.json({"kinds": results, "attempts": attempts})
        return
    cli.screen.table(
        ["attack", "attempts", "read", "cited", "followed", "right"],
        [[one.kind, one.attempts, one.read, one.cited, one.followed, one.right] for one in results],
    )
