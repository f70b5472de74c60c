"""`gnomon eval`: how good a system is on questions with gold."""

import shlex
import sys
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.context import Cli, JsonOption
from app.cli.eval_compare import compare_results
from app.cli.eval_fit import fit_budget_of_runs, fit_confidence_of_run
from app.cli.eval_perturb import perturb_questions
from app.cli.eval_poisoned import attack_with_documents
from app.cli.eval_report import write_report
from app.cli.eval_tree import measure_policies
from app.cli.interrupts import Cancelled, interruptibly
from app.cli.progress import duration, meter, one_at_a_time

if TYPE_CHECKING:
    from app.experiments.results import Estimate, Result
    from app.experiments.run import Evaluation, Finished

PATIENCE_SECONDS = 30.0
DATA_VARIABLE = "GNOMON_EVAL_DATA"

app = typer.Typer(name="eval", help="Measure systems on questions with gold answers.", no_args_is_help=True)
app.command("compare")(compare_results)
app.command("fit-budget")(fit_budget_of_runs)
app.command("fit-confidence")(fit_confidence_of_run)
app.command("perturb")(perturb_questions)
app.command("report")(write_report)
app.command("poisoned")(attack_with_documents)
app.command("tree-world")(measure_policies)


@app.command("run")
def run_system(  # noqa: PLR0913  # a command has the options that it has
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A data set, or a .jsonl or .csv of questions.")],
    *,
    system: Annotated[
        str,
        typer.Option(help="Finds: candidates, lexical, dense, hybrid, temporal; answers: fixed, agent, tree, tagged."),
    ] = "agent",
    reranker: Annotated[str | None, typer.Option(help="Reranker, with its defaults.")] = None,
    collection: Annotated[
        str | None, typer.Option("--collection", "-c", help="What a question file alone is asked of.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after that many questions.")] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="A random sample of that many questions.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the sample, the intervals and the prompts' nonces.")] = 0,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Questions worked on at once.")] = 1,
    qrels: Annotated[Path | None, typer.Option(help="Judgements in place of the folder's own.")] = None,
    relevant_from: Annotated[
        int | None, typer.Option(min=1, help="Lowest grade that counts as relevant; 2 where the highest is 3, else 1.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run one system over a data set and score it; a run that was stopped goes on where it was."""
    from app.experiments.datasets import chosen, read_dataset
    from app.experiments.run import Evaluation

    cli = Cli.of(context)
    dataset = read_dataset(folder, qrels=qrels, relevant_from=relevant_from)
    evaluation = Evaluation(
        dataset=chosen(dataset, limit=limit, sample=sample, seed=seed),
        system=system,
        reranker=reranker,
        collection=collection,
        sample=sample,
        limit=limit,
        seed=seed,
        workers=workers,
        today=date.today(),
        command=shlex.join(["gnomon", *sys.argv[1:]]),
    )
    _tell(cli, _measured(cli, evaluation), as_json=as_json)


def _measured(cli: Cli, evaluation: "Evaluation") -> "Finished":
    """Return the finished run; Ctrl-C keeps what was done."""
    from app.experiments.run import run_evaluation

    with ExitStack() as shown:

        def work(cancelled: Cancelled) -> "Finished":
            return run_evaluation(
                evaluation,
                cli.settings(),
                open_engine=cli.open_engine,
                cancelled=cancelled,
                indexing=one_at_a_time(shown, lambda: meter(cli.screen, "index", unit="bytes")),
                progress=one_at_a_time(shown, lambda: meter(cli.screen, "eval")),
            )

        message = "interrupted; nothing is reported, the same command goes on"
        return interruptibly(work, message=message, patience=PATIENCE_SECONDS)


@app.command("datasets")
def list_datasets(
    context: typer.Context,
    root: Annotated[
        Path, typer.Argument(envvar=DATA_VARIABLE, metavar="FOLDER", help=f"Folder of data sets; ${DATA_VARIABLE}.")
    ],
    *,
    as_json: JsonOption = False,
) -> None:
    """List the data sets of a folder: questions, how many of them are judged and answerable, and digests."""
    from app.core.errors import InvalidDataset
    from app.experiments.datasets import describe, read_dataset

    cli = Cli.of(context)
    found = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        try:
            found.append(describe(read_dataset(folder)))
        except InvalidDataset as error:
            cli.screen.note(str(error))
    if not found:
        raise InvalidDataset(f"{root}: no data set in it; see docs/evaluation.md for their form")
    if as_json:
        cli.screen.json(found)
        return
    shown = [{**row, "digest": row["digest"][:12], "corpus": row["corpus"][:12]} for row in found]
    cli.screen.table(list(shown[0]), [list(row.values()) for row in shown])


def _summary(finished: "Finished") -> dict[str, Any]:
    """Return what programs read: one object, the last line on standard output."""
    result = finished.result
    told = result.model_dump(exclude={"scored", "curve", "settings", "groups"}, mode="json")
    path = str(finished.folder / "result.json")
    return {**told, "complete": True, "warnings": finished.warnings, "result": path}


def _tell(cli: Cli, finished: "Finished", *, as_json: bool) -> None:
    for warning in finished.warnings:
        cli.screen.note(f"gnomon: warning: {warning}")
    if as_json:
        cli.screen.json(_summary(finished))
        return
    result = finished.result
    cli.screen.table(
        ["metric", "value", "low", "high", "n"],
        [[name, *_cells(estimate)] for name, estimate in result.metrics.items()],
    )
    for reason, count in result.excluded.items():
        cli.screen.line(f"left out: {count} questions with {reason}")
    if result.lost:
        stages = ", ".join(f"{count} {stage.replace('_', ' ')}" for stage, count in result.lost.items())
        cli.screen.line(f"lost: {stages}")
    cli.screen.line(f"{result.questions} questions, {_spent(result)}; {finished.folder / 'result.json'}")


def _cells(estimate: "Estimate") -> list[str]:
    figures = (estimate.value, estimate.low, estimate.high)
    return [*("-" if figure is None else f"{figure:.4f}" for figure in figures), str(estimate.n)]


def _spent(result: "Result") -> str:
    total = result.cost["total"]
    told = duration(total["seconds"]) if total["seconds"] >= 1 else f"{total['seconds']:.2f} s"
    return f"{told}, {total['calls']} model calls, {total['prompt_tokens']} tokens in"
