"""`gnomon rerank`: a TREC run in a better order."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.context import Cli, JsonOption
from app.cli.interrupts import Cancelled, interruptibly
from app.cli.progress import meter

if TYPE_CHECKING:
    from app.experiments.rerank_run import Reranked

PARTIAL = 4
PATIENCE_SECONDS = 15.0


def rerank(
    context: typer.Context,
    trec_run: Annotated[Path, typer.Argument(metavar="RUN", help="A TREC run: qid Q0 docid rank score tag.")],
    *,
    folder: Annotated[Path, typer.Option("--data", "-d", help="The data set with its questions and passages.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The reranked run.")],
    reranker: Annotated[str, typer.Option(help="Reranker, with its defaults.")],
    as_json: JsonOption = False,
) -> None:
    """Rerank the lists of a TREC run; a list that the model could not order keeps its order and is counted."""
    from app.core.run import Run
    from app.evaluation.trec import write_run
    from app.experiments.datasets import read_dataset
    from app.experiments.rerank_run import rerank_run

    cli = Cli.of(context)
    dataset = read_dataset(folder)
    with cli.engine(search={"reranker": {"name": reranker}}) as engine, meter(cli.screen, "rerank") as report:
        made = engine.reranker(None)

        def work(cancelled: Cancelled) -> "Reranked":
            return rerank_run(trec_run, dataset, made, run=Run(cancelled=cancelled), progress=report)

        found = interruptibly(work, message="interrupted; nothing is written", patience=PATIENCE_SECONDS)
    write_run(output, found.rankings, tag=reranker)
    if as_json:
        cli.screen.json({"output": output, "questions": len(found.rankings), "degraded": found.degraded})
    else:
        told = "".join(f", {count} kept as they were: {reason}" for reason, count in found.degraded.items())
        cli.screen.line(f"{output}: {len(found.rankings)} lists{told}")
    if found.degraded:
        raise typer.Exit(PARTIAL)
