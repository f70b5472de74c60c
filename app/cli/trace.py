"""`gnomon trace`: how an answer that was kept came about."""

import json
from typing import Annotated, Any

import typer

from app.cli.context import Cli, JsonOption

app = typer.Typer(name="trace", help="See how a kept answer came about.", no_args_is_help=True)


@app.command("show")
def show_trace(
    context: typer.Context,
    answer_id: Annotated[str, typer.Argument(metavar="ID", help="Answer of a conversation, the page or the REST API.")],
    *,
    tree: Annotated[bool, typer.Option("--tree", help="The search tree, where there is one.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the steps of a kept answer, or its search tree."""
    from pydantic import TypeAdapter

    from app.cli.rendering import steps_table
    from app.cli.tree_view import tree_rows, tree_view
    from app.core.errors import NotFound
    from app.core.trace import Trace
    from app.core.types import Usage

    cli = Cli.of(context)
    body = _body(cli, answer_id)
    trace = TypeAdapter(Trace).validate_python(body["trace"])
    rows = tree_rows(trace.steps)
    if tree and not rows:
        raise NotFound(f"answer '{answer_id}' has no search tree; ask with --strategy tree")
    if as_json:
        cli.screen.json(rows if tree else body["trace"])
    elif tree:
        cli.screen.show(tree_view(rows))
    else:
        cli.screen.show(steps_table(trace, TypeAdapter(Usage).validate_python(body["usage"])))


def _body(cli: Cli, answer_id: str) -> Any:
    """Return the JSON of a finished answer.

    Raises:
        NotFound: there is no such answer, or it is not finished.
    """
    from app.core.errors import NotFound
    from app.core.types import AnswerId
    from app.store.answers import Answers
    from app.store.database import Database

    database = Database.open(cli.settings().data_dir / "gnomon.db")
    try:
        row = Answers(database).get(AnswerId(answer_id))
    finally:
        database.close()
    if row.result is None:
        raise NotFound(f"answer '{answer_id}' is not finished; try again in a moment")
    return json.loads(row.result)
