"""`gnomon time`: the times that are read in a text, and what a question demands of time."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.context import Cli, JsonOption
from app.cli.options import AskedOnOption, day, span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.timespan import TimeConstraint, TimeSpan

app = typer.Typer(name="time", help="Show how times are read.", no_args_is_help=True)


@app.command("parse")
def parse(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="A sentence or more, as in a document.")],
    *,
    published: Annotated[str | None, typer.Option(help="Day of the document, for 'last month'.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the times of a text: their days, where they stand, what each is for."""
    from retrieval.temporal.expressions import read_expressions

    cli = Cli.of(context)
    found = read_expressions(text, published=None if published is None else span(published, "--published"))
    rows = [
        {
            "surface": text[mention.start : mention.end],
            "start": mention.start,
            "end": mention.end,
            **_days(mention.span),
            "role": mention.role,
        }
        for mention in found.mentions
    ]
    if as_json:
        cli.screen.json({"mentions": rows, "impossible": found.impossible})
        return
    shown = [
        (row["surface"], str(mention.span), row["role"]) for row, mention in zip(rows, found.mentions, strict=True)
    ]
    cli.screen.table(("text", "days", "role"), shown)
    if found.impossible:
        cli.screen.note(f"times that no calendar of the years 1 to 9999 holds: {found.impossible}")


@app.command("constraint")
def constraint(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="The question.")],
    *,
    asked_on: AskedOnOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what a question demands of time, as the rules read it."""
    from app.questions import read_time

    cli = Cli.of(context)
    today = day(asked_on, "--asked-on") if asked_on else date.today()
    read = read_time(question, asked_on=today)
    about = None if read is None else _demanded(read)
    if as_json:
        cli.screen.json(about)
    elif about is None:
        cli.screen.line("no constraint")
    else:
        cli.screen.table(("what", "value"), [(name, str(value)) for name, value in about.items() if value is not None])


def _demanded(read: "TimeConstraint") -> "Mapping[str, Any]":
    return {
        "relation": read.relation,
        **(_days(read.span) if read.span is not None else {}),
        "anchor": read.anchor,
        "ordinal": read.ordinal,
        "surface": read.surface,
        "rest": read.rest,
    }


def _days(span: "TimeSpan") -> dict[str, Any]:
    return {
        "from": span.start and span.start.isoformat(),
        "to": span.end and span.end.isoformat(),
        "granularity": span.granularity,
        "approximate": span.approximate,
    }
