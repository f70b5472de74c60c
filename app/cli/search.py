"""`gnomon search`: the passages nearest to a query; no language model has a part unless a reranker asks one."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from app.cli.context import Cli, CollectionOption, JsonOption
from app.cli.interrupts import interruptibly
from app.cli.options import (
    AskedOnOption,
    AsOfOption,
    FromOption,
    NoTimeOption,
    RerankerOption,
    ToOption,
    asked_time,
    day,
)

if TYPE_CHECKING:
    from app.core.timespan import TimeConstraint
    from app.core.types import Filter, Hit, Question, Reranking


def search(  # noqa: PLR0913  # a command has the options that it has
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="Words to look for.")],
    *,
    collection: CollectionOption = "default",
    top_k: Annotated[int | None, typer.Option("--top-k", "-k", min=1, max=1000, help="Passages to return.")] = None,
    mode: Annotated[Literal["hybrid", "lexical", "dense"] | None, typer.Option(help="How to search.")] = None,
    reranker: RerankerOption = None,
    as_of: AsOfOption = None,
    from_: FromOption = None,
    to: ToOption = None,
    no_time: NoTimeOption = False,
    asked_on: AskedOnOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Tell each hit's rank and score by stage.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Search a collection and list the best passages."""
    from app.questions import make_question

    cli = Cli.of(context)
    allowed = _published_until(day(as_of)) if as_of else None
    today = day(asked_on, "--asked-on") if asked_on else date.today()
    time = asked_time(from_, to, no_time=no_time)
    with cli.engine() as engine:
        asked = make_question(query, asked_on=today, settings=engine.settings, time=time)
        found = interruptibly(
            lambda cancelled: engine.search(
                asked.text,
                collection=collection,
                run=engine.new_run(cancelled=cancelled),
                top_k=top_k,
                mode=mode,
                allowed=allowed,
                reranker=reranker,
                time=asked.time,
            )
        )
    if as_json:
        cli.screen.json(_body(found, asked, collection))
    else:
        _show(cli, found, asked.time, explain=explain)


def _published_until(last: date) -> "Filter":
    from app.core.timespan import TimeSpan
    from app.core.types import Filter

    return Filter(published=TimeSpan(start=None, end=last))


def _show(cli: Cli, found: "Reranking", time: "TimeConstraint | None", *, explain: bool) -> None:
    from app.cli.rendering import hits_view, time_line

    if time is not None:
        cli.screen.note(time_line(time))
    if found.degraded:
        cli.screen.note(f"reranking degraded ({found.degraded.reason}); see 'gnomon components explain'")
    if found.hits:
        cli.screen.show(hits_view(found.hits, explain=explain))
    else:
        cli.screen.note("no passage matches; 'gnomon docs list' tells what the collection holds")


def _body(found: "Reranking", asked: "Question", collection: str) -> dict[str, Any]:
    """Return what the REST search gives."""
    from app.core.asked_time import time_json

    return {
        "query": asked.text,
        "collection": collection,
        "time": time_json(asked.time),
        "hits": [_hit(hit) for hit in found.hits],
        "degraded": found.degraded,
    }


def _hit(hit: "Hit") -> dict[str, Any]:
    return {"rank": hit.rank, "score": hit.score, "source": hit.source, "passage": hit.passage, "stages": hit.stages}
