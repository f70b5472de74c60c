"""`gnomon ask`: questions, each answer with its sources, and an exit code that tells how the last one ended."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import uuid4

import typer

from app.cli.context import Cli, CollectionOption, JsonOption
from app.cli.interrupts import Cancelled, Interrupted, interruptibly
from app.cli.options import (
    AskedOnOption,
    AsOfOption,
    FromOption,
    NoTimeOption,
    RerankerOption,
    ToOption,
    asked_time,
    day,
    seconds,
)
from app.cli.progress import steps_on

if TYPE_CHECKING:
    from app.core.trace import Outcome
    from app.core.types import Question
    from app.engine import Engine

EXIT_CODES = {"answered": 0, "failed": 1, "abstained": 3, "partial": 4, "cancelled": 130}


def ask(  # noqa: PLR0913  # a command has the options that it has
    context: typer.Context,
    questions: Annotated[list[str], typer.Argument(metavar="QUESTION", help="What you want to know.")],
    *,
    collection: CollectionOption = "default",
    as_of: AsOfOption = None,
    from_: FromOption = None,
    to: ToOption = None,
    no_time: NoTimeOption = False,
    asked_on: AskedOnOption = None,
    budget: Annotated[str | None, typer.Option(help="Time to answer: 60s, 2m, 1m30s.")] = None,
    strategy: Annotated[
        Literal["graph", "fixed"] | None, typer.Option(help="graph may search again; fixed is the baseline.")
    ] = None,
    reranker: RerankerOption = None,
    show_steps: Annotated[bool, typer.Option("--show-steps", help="Tell every step, its time and its tokens.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Answer questions with citations. One that fails stops those after it."""
    from app.questions import make_question

    cli = Cli.of(context)
    last_day = day(as_of) if as_of else None
    today = day(asked_on, "--asked-on") if asked_on else date.today()
    time = asked_time(from_, to, no_time=no_time)
    limit = seconds(budget) if budget else None
    with cli.engine(agent={"strategy": strategy}) as engine:
        asked = [
            make_question(text, asked_on=today, settings=engine.settings, as_of=last_day, time=time)
            for text in questions
        ]
        for question in asked:
            outcome = _answered(cli, engine, question, collection, limit=limit, reranker=reranker)
            _show(cli, outcome, collection, as_json=as_json, show_steps=show_steps)
            if outcome.answer.status == "failed":
                break
    raise typer.Exit(EXIT_CODES[outcome.answer.status])


def _show(cli: Cli, outcome: "Outcome", collection: str, *, as_json: bool, show_steps: bool) -> None:
    if as_json:
        cli.screen.json(outcome.body(answer_id=uuid4().hex, collection=collection))
    elif outcome.answer.status != "failed":
        from app.cli.rendering import answer_view

        cli.screen.show(answer_view(outcome, show_steps=show_steps))
    if outcome.answer.status == "failed":
        cli.screen.error(outcome.answer.detail)


def _answered(
    cli: Cli, engine: "Engine", question: "Question", collection: str, *, limit: float | None, reranker: str | None
) -> "Outcome":
    with steps_on(cli.screen) as emit:

        def work(cancelled: Cancelled) -> "Outcome":
            run = engine.new_run(cancelled=cancelled, seconds=limit)
            return engine.answer(question, collection=collection, emit=emit, run=run, reranker=reranker)

        outcome = interruptibly(work)
    if outcome.answer.status == "cancelled":
        raise Interrupted("interrupted", is_stuck=False)
    return outcome
