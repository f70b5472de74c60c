"""`gnomon ask`: questions, each answer with its sources, and an exit code that tells how the last one ended."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.answering import Answering, conversation_of
from app.cli.context import Cli, CollectionOption, JsonOption
from app.cli.options import (
    AskedOnOption,
    AsOfOption,
    BudgetOption,
    ConversationOption,
    EffortOption,
    FromOption,
    NoTimeOption,
    RerankerOption,
    ShowStepsOption,
    ShowTreeOption,
    StrategyOption,
    ToOption,
    asked_time,
    day,
    seconds,
)

if TYPE_CHECKING:
    from app.core.types import AnswerStatus, Question

EXIT_CODES = {"answered": 0, "failed": 1, "abstained": 3, "partial": 4, "cancelled": 130}


def ask(  # noqa: PLR0913  # a command has the options that it has
    context: typer.Context,
    questions: Annotated[list[str], typer.Argument(metavar="QUESTION", help="What you want to know.")],
    *,
    collection: CollectionOption = "default",
    conversation: ConversationOption = None,
    as_of: AsOfOption = None,
    from_: FromOption = None,
    to: ToOption = None,
    no_time: NoTimeOption = False,
    asked_on: AskedOnOption = None,
    budget: BudgetOption = None,
    strategy: StrategyOption = None,
    effort: EffortOption = None,
    reranker: RerankerOption = None,
    show_steps: ShowStepsOption = False,
    show_tree: ShowTreeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Answer questions with citations. One that fails stops those after it."""
    from app.questions import make_question

    cli = Cli.of(context)
    last_day = day(as_of) if as_of else None
    today = day(asked_on, "--asked-on") if asked_on else date.today()
    time = asked_time(from_, to, no_time=no_time)
    with cli.engine(agent={"strategy": strategy, "effort": effort}) as engine:
        make = partial(make_question, asked_on=today, settings=engine.settings, as_of=last_day, time=time)
        asked = [make(text) for text in questions]
        answering = Answering(
            cli=cli,
            engine=engine,
            collection=collection,
            limit=seconds(budget) if budget else None,
            reranker=reranker,
            conversation_id=conversation_of(cli, engine, conversation),
            as_json=as_json,
            show_steps=show_steps,
            show_tree=show_tree,
        )
        raise typer.Exit(EXIT_CODES[_last_status(answering, asked)])


def _last_status(answering: Answering, questions: "Sequence[Question]") -> "AnswerStatus":
    for question in questions:
        status = answering.answer(question).answer.status
        if status == "failed":
            break
    return status
