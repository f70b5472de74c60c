"""`gnomon batch`: a file of questions becomes a file of answers."""

import dataclasses
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.context import Cli, CollectionOption, JsonOption
from app.cli.interrupts import Cancelled, interruptibly
from app.cli.progress import duration, meter

if TYPE_CHECKING:
    from app.batch.run import Summary

app = typer.Typer(name="batch", help="Answer files of questions.", no_args_is_help=True)

FAILED, PARTIAL = 1, 4
PATIENCE_SECONDS = 15.0
_STATUSES = ("answered", "partial", "abstained", "failed")


@app.callback()
def _group() -> None:
    """Keep `run` a command of its own."""


@app.command("run")
def run_questions(
    context: typer.Context,
    questions: Annotated[Path, typer.Argument(metavar="QUESTIONS", help="A .jsonl or .csv file, one question a row.")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Answers, one JSON object a line.")],
    collection: CollectionOption = "default",
    resume: Annotated[bool, typer.Option(help="Keep the answers that are there already.")] = True,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Questions worked on at once.")] = 1,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after that many rows of the file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Answer every question of a file; a run that was stopped goes on where it was."""
    from app.batch.run import Batch, run_batch

    cli = Cli.of(context)
    batch = Batch(
        questions=questions,
        output=output,
        collection=collection,
        today=date.today(),
        workers=workers,
        limit=limit,
        resume=resume,
    )
    with cli.engine() as engine, meter(cli.screen, "batch") as report:

        def work(cancelled: Cancelled) -> "Summary":
            return run_batch(engine, batch, cancelled=cancelled, progress=report)

        message = f"interrupted; the answers so far are in {output}, the same command goes on"
        summary = interruptibly(work, message=message, patience=PATIENCE_SECONDS)
    _tell(cli, summary, output, as_json=as_json)
    if summary.stopped or not summary.statuses.keys() - {"failed"}:
        raise typer.Exit(FAILED)
    if summary.statuses.get("failed"):
        raise typer.Exit(PARTIAL)


def _tell(cli: Cli, summary: "Summary", output: Path, *, as_json: bool) -> None:
    usage = summary.usage
    if as_json:
        mean = {"seconds_per_question": round(summary.seconds_per_question, 3)}
        cli.screen.json({**dataclasses.asdict(summary), **mean, "output": output})
    else:
        counts = ", ".join(f"{summary.statuses.get(status, 0)} {status}" for status in _STATUSES)
        cli.screen.line(f"{output}: {counts} of {summary.rows}; {summary.kept} were there before")
        cli.screen.line(
            f"{summary.worked} worked on in {duration(summary.seconds)}, {summary.seconds_per_question:.1f} s each; "
            f"{usage.prompt_tokens} tokens in ({usage.cached_tokens} cached), {usage.completion_tokens} out"
        )
    if summary.was_torn:
        cli.screen.note("the last line of an earlier run was cut off; its question was asked again")
    if summary.stopped:
        cli.screen.error(f"{summary.stopped}; mend that and run the same command again")
