"""`gnomon collections`: named sets of documents."""

import shutil
import sys
from typing import Annotated

import typer

from app.cli.context import Cli, JsonOption
from app.core.errors import Cancelled, StorageError

app = typer.Typer(name="collections", help="List, create and delete collections.", no_args_is_help=True)

CollectionName = Annotated[str, typer.Argument(metavar="NAME", help="1 to 64 of a-z, 0-9, - and _.")]


@app.command("list")
def list_collections(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """List the collections and what they hold."""
    from app.store.collections import Collections

    cli = Cli.of(context)
    with cli.engine() as engine:
        rows = Collections(engine.database).list()
    if as_json:
        cli.screen.json_lines(rows)
        return
    columns = ("collection", "documents", "passages", "created")
    cli.screen.table(
        columns, [(row.collection_id, row.documents, row.passages, f"{row.created_at:%Y-%m-%d}") for row in rows]
    )


@app.command("create")
def create_collection(context: typer.Context, name: CollectionName, *, as_json: JsonOption = False) -> None:
    """Create an empty collection."""
    from app.store.collections import Collections

    cli = Cli.of(context)
    with cli.engine() as engine:
        row = Collections(engine.database).create(name)
    if as_json:
        cli.screen.json(row)
    else:
        cli.screen.line(f"{row.collection_id}: created; fill it with 'gnomon ingest PATH -c {row.collection_id}'")


@app.command("delete")
def delete_collection(
    context: typer.Context,
    name: CollectionName,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete a collection with its documents and indexes."""
    from filelock import FileLock, Timeout

    from app.store.collections import Collections

    cli = Cli.of(context)
    with cli.engine() as engine:
        row = Collections(engine.database).get(name)
        if not yes:
            _confirm(name, row.documents)
        folder = engine.collection_folder(name)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(folder / "write.lock", timeout=0):
                Collections(engine.database).delete(name)
                shutil.rmtree(folder)
        except Timeout as error:
            raise StorageError(f"collection '{name}' is being written by another process; try again later") from error
    if as_json:
        cli.screen.json({"deleted": name, "documents": row.documents})
    else:
        cli.screen.line(f"{name}: deleted with {row.documents} documents")


def _confirm(name: str, documents: int) -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"deleting '{name}' cannot be undone; say --yes")
    sys.stderr.write(f"Delete '{name}' with its {documents} documents? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Cancelled("nothing was deleted")
