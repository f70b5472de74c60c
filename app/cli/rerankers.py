"""`gnomon rerankers`: what rerankers learn from labelled questions."""

import shlex
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from app.cli.context import Cli, JsonOption
from app.cli.interrupts import Cancelled, interruptibly
from app.cli.progress import meter, one_at_a_time

if TYPE_CHECKING:
    from app.experiments.datasets import Dataset
    from rerankers.fused import WeightFile

PATIENCE_SECONDS = 30.0

T = TypeVar("T")

app = typer.Typer(name="rerankers", help="Fit rerankers to a model and to your questions.", no_args_is_help=True)


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
    from app.experiments.detect_heads import detect_heads
    from rerankers.head_detection import HeadFile

    cli = Cli.of(context)
    dataset = _dataset(folder, limit)
    found = _worked_on(cli, partial(detect_heads, dataset, method=method, top=top, depth=depth))
    made = _made(dataset, found.questions, depth)
    file = HeadFile(model_id=found.model_id, model_digest=found.model_digest, heads=found.heads, **made)
    file.write(output)
    if as_json:
        cli.screen.json(file)
    else:
        cli.screen.line(f"{output}: {len(file.heads)} heads of {file.model_id} from {found.questions} questions")


@app.command("fit-weights")
def fit(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A data set with judged questions.")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file of weights, for fused's option weights.")],
    signals: Annotated[
        str, typer.Option(help="Rerankers, as in attention,likelihood; without it those of fused.")
    ] = "",
    depth: Annotated[int, typer.Option(min=2, max=1000, help="Candidates of a question.")] = 20,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after that many questions.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Find the weights with which rerankers and the first stage are best added up, and store them."""
    from app.experiments.fit_weights import fit_weights
    from rerankers.fused import WeightFile

    cli = Cli.of(context)
    dataset = _dataset(folder, limit)
    names = [name.strip() for name in signals.split(",") if name.strip()]
    found = _worked_on(cli, partial(fit_weights, dataset, signals=names, depth=depth))
    file = WeightFile(
        method=found.method,
        weights=found.weights,
        first_stage=found.first_stage,
        figures=found.figures,
        models=found.models,
        **_made(dataset, found.questions, depth),
    )
    file.write(output)
    if found.left_out:
        cli.screen.note(f"gnomon: warning: {found.left_out} questions have no part, for a signal failed")
    if as_json:
        cli.screen.json(file)
    else:
        _show(cli, file, output, found.questions)


def _show(cli: Cli, file: "WeightFile", output: Path, questions: int) -> None:
    """Write the weights beside what each alone is worth, then what they are worth together."""
    given = {"first_stage": file.first_stage, **file.weights}
    rows = [[name, f"{weight:.2f}", f"{file.figures[name]:.4f}"] for name, weight in given.items()]
    rows += [[name, "", f"{file.figures[name]:.4f}"] for name in ("fitted", "cross_validated")]
    cli.screen.table(["", "weight", "nDCG@10"], rows)
    cli.screen.line(f"{output}: {questions} questions")


def _dataset(folder: Path, limit: int | None) -> "Dataset":
    from app.experiments.datasets import chosen, read_dataset

    return chosen(read_dataset(folder), limit=limit, sample=None, seed=0)


def _made(dataset: "Dataset", questions: int, depth: int) -> dict[str, str]:
    """Return what a file of fitted values tells of its making."""
    return {
        "made_from": f"{dataset.name} {dataset.digest}, {questions} questions, first {depth} candidates",
        "command": shlex.join(["gnomon", *sys.argv[1:]]),
        "made_on": date.today().isoformat(),
    }


def _worked_on(cli: Cli, make: Callable[..., T]) -> T:
    """Return what `make` makes with the settings and an engine; Ctrl-C ends it, and nothing is written."""
    with ExitStack() as shown:

        def work(cancelled: Cancelled) -> T:
            return make(
                settings=cli.settings(),
                open_engine=cli.open_engine,
                cancelled=cancelled,
                indexing=one_at_a_time(shown, lambda: meter(cli.screen, "index", unit="bytes")),
                progress=one_at_a_time(shown, lambda: meter(cli.screen, "fit")),
            )

        return interruptibly(work, message="interrupted; nothing is written", patience=PATIENCE_SECONDS)
