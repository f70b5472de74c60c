"""`gnomon eval report`: one or several results as a page and as Markdown."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.context import Cli, JsonOption


def write_report(
    context: typer.Context,
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs, or their result.json.")],
    *,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="A .html page, with a .md of the same name beside it; or a .md alone."),
    ],
    as_json: JsonOption = False,
) -> None:
    """Write a report of one or several results; what is there is written over."""
    if output.suffix not in (".html", ".md"):
        raise typer.BadParameter("must end in .html or .md", param_hint="--output")
    from app.experiments.report import html, markdown
    from app.experiments.results import read_result

    cli = Cli.of(context)
    results = [read_result(run) for run in runs]
    texts = {output.with_suffix(".md"): markdown(results)}
    if output.suffix == ".html":
        texts[output] = html(results)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    if as_json:
        cli.screen.json({"written": list(texts)})
        return
    for path in texts:
        cli.screen.line(str(path))
