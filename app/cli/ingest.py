"""`gnomon ingest`: files and folders become documents that can be searched."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.context import Cli, CollectionOption, JsonOption
from app.cli.interrupts import Cancelled, interruptibly
from app.cli.progress import duration, meter

if TYPE_CHECKING:
    from app.ingest.records import IngestReport, Progress

PATIENCE_SECONDS = 30.0
_STOPPED = "interrupted; what was indexed before stays, the same command goes on with the rest"
FAILED, PARTIAL = 1, 4
ROWS_TOLD = 5


def ingest(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files and folders to read.", readable=False)],
    *,
    collection: CollectionOption = "default",
    force: Annotated[bool, typer.Option("--force", help="Read unchanged files again too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Read files and folders into a collection. Unchanged files are skipped, changed ones replaced."""
    cli = Cli.of(context)
    with cli.engine() as engine, meter(cli.screen, "ingest", unit="bytes") as report_on:

        def tell(progress: "Progress") -> None:
            report_on(progress.done, progress.total, f"{progress.documents} documents, {progress.current}")

        def work(cancelled: Cancelled) -> "IngestReport":
            from app.core.run import Run

            pipeline = engine.pipeline(collection)
            return pipeline.run(paths, run=Run(cancelled=cancelled), progress=tell, force=force)

        report = interruptibly(work, message=_STOPPED, patience=PATIENCE_SECONDS)
    _tell(cli, report, collection, as_json=as_json)
    if report.failed:
        raise typer.Exit(PARTIAL if report.added + report.replaced + report.unchanged else FAILED)


def _tell(cli: Cli, report: "IngestReport", collection: str, *, as_json: bool) -> None:
    if as_json:
        import dataclasses

        cli.screen.json({"collection": collection, **dataclasses.asdict(report)})
    else:
        counts = ("added", "replaced", "unchanged", "removed", "skipped")
        told = [f"{getattr(report, name)} {name}" for name in counts if getattr(report, name)]
        documents = ", ".join([*told, f"{len(report.failed)} failed"] if report.failed else told) or "nothing to read"
        seconds = duration(report.seconds)
        cli.screen.line(f"{collection}: {documents} · {report.passages} passages · {seconds}")
        if not any((report.added, report.replaced, report.unchanged, report.failed)):
            from app.ingest.readers import READERS

            cli.screen.note(f"next: name files, or folders with files, of these types: {' '.join(READERS)}")
    for warning in report.warnings:
        cli.screen.note(f"gnomon: warning: {warning}")
    for line in _failures(report):
        cli.screen.error(line)


def _failures(report: "IngestReport") -> Iterator[str]:
    """Yield a line per failure; of the rows of one file the first few, and how many more there are."""
    rows: Counter[str] = Counter()
    for failure in report.failed:
        file = failure.where.rpartition(" row ")[0]
        rows[file] += bool(file)
        if rows[file] <= ROWS_TOLD:
            yield str(failure)
    for file, count in rows.items():
        if count > ROWS_TOLD:
            yield f"{file}: {count - ROWS_TOLD} more rows could not be read; --json lists them all"
