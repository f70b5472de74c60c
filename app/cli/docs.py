"""`gnomon docs`: what a collection holds."""

from typing import Annotated, Literal

import typer

from app.cli.context import Cli, CollectionOption, JsonOption
from app.cli.interrupts import interruptibly

app = typer.Typer(name="docs", help="List, show and delete documents.", no_args_is_help=True)

DocumentIds = Annotated[list[str], typer.Argument(metavar="DOC_ID", help="Ids as 'docs list' names them.")]


@app.command("list")
def list_documents(
    context: typer.Context,
    *,
    collection: CollectionOption = "default",
    state: Annotated[
        Literal["ready", "embedding", "failed"] | None, typer.Option(help="Only those in that state.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the documents of a collection."""
    from app.store.collections import Collections
    from app.store.documents import Documents

    cli = Cli.of(context)
    with cli.engine() as engine:
        Collections(engine.database).get(collection)
        rows = [row for row in Documents(engine.database, collection).list() if state is None or row.state == state]
    if as_json:
        cli.screen.json_lines(rows)
        return
    columns = ("document", "state", "published", "passages", "title")
    cli.screen.table(
        columns, [(row.doc_id, row.state, row.published, row.passages, row.error or row.title) for row in rows]
    )


@app.command("show")
def show_document(
    context: typer.Context,
    doc_id: Annotated[str, typer.Argument(help="Id as 'docs list' names it.")],
    *,
    collection: CollectionOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Show one document with its text."""
    from app.core.types import DocId
    from app.store.collections import Collections
    from app.store.documents import Documents

    cli = Cli.of(context)
    with cli.engine() as engine:
        Collections(engine.database).get(collection)
        document = Documents(engine.database, collection).get(DocId(doc_id))
    if as_json:
        cli.screen.json(document)
        return
    for name, value in (
        ("document", document.doc_id),
        ("title", document.title),
        ("published", document.published or "unknown"),
        ("superseded by", document.superseded_by),
        ("file", document.uri),
        ("version", document.version),
        *document.metadata.items(),
    ):
        if value:
            cli.screen.line(f"{name + ':':<15} {value}")
    cli.screen.line("")
    cli.screen.text(document.text)


@app.command("delete")
def delete_documents(
    context: typer.Context,
    doc_ids: DocumentIds,
    *,
    collection: CollectionOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Delete documents: no later search or answer uses them."""
    from app.core.run import Run
    from app.core.types import DocId
    from app.store.collections import Collections

    cli = Cli.of(context)
    wanted = [DocId(doc_id) for doc_id in doc_ids]
    with cli.engine() as engine:
        Collections(engine.database).get(collection)
        pipeline = engine.pipeline(collection)
        interruptibly(lambda cancelled: pipeline.delete(wanted, run=Run(cancelled=cancelled)), patience=30.0)
    if as_json:
        cli.screen.json({"collection": collection, "deleted": wanted})
    else:
        cli.screen.line(f"{collection}: {len(wanted)} deleted")
