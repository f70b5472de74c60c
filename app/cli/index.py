"""`gnomon index`: how a collection's indexes stand, and making them anew."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from app.cli.context import Cli, CollectionOption, JsonOption
from app.cli.interrupts import interruptibly
from app.cli.progress import meter

if TYPE_CHECKING:
    from app.engine import Engine

PATIENCE_SECONDS = 30.0

app = typer.Typer(name="index", help="Inspect and rebuild indexes.", no_args_is_help=True)


@app.command("info")
def index_info(
    context: typer.Context, *, collection: CollectionOption = "default", as_json: JsonOption = False
) -> None:
    """Tell generation, size and freshness of a collection's indexes; exit 1 when they cannot be used."""
    from app.store.collections import Collections

    cli = Cli.of(context)
    with cli.engine() as engine:
        row = Collections(engine.database).get(collection)
        problem = index_problem(engine, collection)
        folder = engine.collection_folder(collection) / "index" / str(row.generation)
        indexes = engine.settings.indexes
    facts: dict[str, Any] = {
        "collection": collection,
        "generation": row.generation,
        "documents": row.documents,
        "passages": row.passages,
        "digest": row.index_digest,
        **{kind: component.name for kind, component in indexes.by_kind.items()},
        "bytes": _size(folder),
        "problem": problem,
    }
    if as_json:
        cli.screen.json(facts)
    else:
        for name, value in facts.items():
            cli.screen.line(f"{name + ':':<12} {value or '-'}")
    raise typer.Exit(1 if problem else 0)


@app.command("rebuild")
def rebuild_index(
    context: typer.Context, *, collection: CollectionOption = "default", as_json: JsonOption = False
) -> None:
    """Make a collection's indexes anew from its stored passages; the old ones serve until then."""
    from app.core.run import Run
    from app.store.collections import Collections

    cli = Cli.of(context)
    with cli.engine() as engine:
        Collections(engine.database).get(collection)
        with meter(cli.screen, "index") as report:
            interruptibly(
                lambda cancelled: engine.pipeline(collection).rebuild(run=Run(cancelled=cancelled), progress=report),
                message="interrupted; the published indexes stay",
                patience=PATIENCE_SECONDS,
            )
        row = Collections(engine.database).get(collection)
    if as_json:
        cli.screen.json({"collection": collection, "generation": row.generation, "passages": row.passages})
    else:
        cli.screen.line(f"{collection}: {row.passages} passages indexed, generation {row.generation}")


def index_problem(engine: "Engine", collection: str) -> str:
    """Return why a collection's indexes cannot be trusted, with the mending command, or nothing.

    Its indexes are loaded, and hold exactly the ids that the database calls ready.
    """
    from app.core.errors import StaleIndex
    from app.store.passages import Passages

    try:
        resources = engine.collection(collection).resources
    except StaleIndex as error:
        return str(error)
    ready = Passages(engine.database, collection).ids()
    for kind in engine.settings.indexes.by_kind:
        held = resources.index(kind).live_ids()
        if held != ready:
            missing, foreign = len(ready - held), len(held - ready)
            counts = f"{missing} passages missing, {foreign} unknown"
            mend = f"run 'gnomon index rebuild -c {collection}'"
            return f"the {kind} index of '{collection}' is not that of the database: {counts}; {mend}"
    return ""


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
