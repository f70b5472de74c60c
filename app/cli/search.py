"""`gnomon search`: the passages nearest to a query, without a language model."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from app.cli.context import Cli, CollectionOption, JsonOption
from app.cli.interrupts import interruptibly
from app.cli.options import day

if TYPE_CHECKING:
    from app.core.types import Hit


def search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="Words to look for.")],
    *,
    collection: CollectionOption = "default",
    top_k: Annotated[int | None, typer.Option("--top-k", "-k", min=1, max=1000, help="Passages to return.")] = None,
    mode: Annotated[Literal["hybrid", "lexical", "dense"] | None, typer.Option(help="How to search.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Leave out what was published after that day.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Tell each hit's rank and score by stage.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Search a collection and list the best passages."""
    from app.core.timespan import TimeSpan
    from app.core.types import Filter
    from app.engine import make_question

    cli = Cli.of(context)
    allowed = Filter(published=TimeSpan(start=None, end=day(as_of))) if as_of else None
    with cli.engine() as engine:
        checked = make_question(query, asked_on=date.today(), settings=engine.settings).text
        hits = interruptibly(
            lambda cancelled: engine.search(
                checked,
                collection=collection,
                run=engine.new_run(cancelled=cancelled),
                top_k=top_k,
                mode=mode,
                allowed=allowed,
            )
        )
    if as_json:
        cli.screen.json({"query": checked, "collection": collection, "hits": [_body(hit) for hit in hits]})
        return
    from app.cli.rendering import hits_view

    if hits:
        cli.screen.show(hits_view(hits, explain=explain))
    else:
        cli.screen.note("no passage matches; 'gnomon docs list' tells what the collection holds")


def _body(hit: "Hit") -> dict[str, Any]:
    """Return a hit as the REST search gives it."""
    return {"rank": hit.rank, "score": hit.score, "source": hit.source, "passage": hit.passage, "stages": hit.stages}
