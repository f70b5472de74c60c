"""`gnomon rerankers`: what rerankers learn from labelled questions."""

import shlex
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.cli.context import Cli, JsonOption
from app.cli.interrupts import Cancelled, interruptibly
from app.cli.progress import meter

if TYPE_CHECKING:
    from app.experiments.datasets import Dataset
    from app.experiments.detect_heads import Detected
    from rerankers.head_detection import Method

PATIENCE_SECONDS = 30.0

app = typer.Typer(name="rerankers", help="Fit rerankers to a model and to your questions.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `detect-heads` a command of its own."""


@app.command("detect-heads")
def detect(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A data set with judged questions.")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file of heads, for attention's option heads.")],
    method: Annotated[Literal["qrhead", "core"], typer.Option(help="How heads are scored.")] = "qrhead",
    top: Annotated[int, typer.Option(min=1, help="Heads that are kept.")] = 16,
    depth: Annotated[int, typer.Option(min=2, max=1000, help="Candidates of a question.")] = 20,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after that many questions.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Find the attention heads of a model that point at what a question needs, and store them with its name."""
    from app.experiments.datasets import chosen, read_dataset
    from rerankers.head_detection import HeadFile

    cli = Cli.of(context)
    dataset = chosen(read_dataset(folder), limit=limit, sample=None, seed=0)
    found = _detected(cli, dataset, method=method, top=top, depth=depth)
    file = HeadFile(
        model_id=found.model_id,
        heads=found.heads,
        made_from=f"{dataset.name} {dataset.digest}, {found.questions} questions",
        command=shlex.join(["gnomon", *sys.argv[1:]]),
        made_on=date.today().isoformat(),
    )
    file.write(output)
    if as_json:
        cli.screen.json(file)
    else:
        cli.screen.line(f"{output}: {len(file.heads)} heads of {file.model_id} from {found.questions} questions")


def _detected(cli: Cli, dataset: "Dataset", *, method: "Method", top: int, depth: int) -> "Detected":
    from app.experiments.detect_heads import detect_heads

    with meter(cli.screen, "indexing", unit="bytes") as report:

        def work(cancelled: Cancelled) -> "Detected":
            return detect_heads(
                dataset,
                cli.settings(),
                method=method,
                top=top,
                depth=depth,
                open_engine=cli.open_engine,
                cancelled=cancelled,
                indexing=report,
            )

        return interruptibly(work, message="interrupted; nothing is written", patience=PATIENCE_SECONDS)
