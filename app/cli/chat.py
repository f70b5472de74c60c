"""`gnomon chat`: questions line by line, each read in the light of those before it."""

import contextlib
import sys
from collections.abc import Iterator
from datetime import date

import typer

from app.cli.answering import NEW, Answering, conversation_of
from app.cli.context import Cli, CollectionOption, JsonOption
from app.cli.options import (
    AsOfOption,
    BudgetOption,
    ConversationOption,
    EffortOption,
    RerankerOption,
    ShowStepsOption,
    day,
    seconds,
)

PROMPT = "> "


def chat(  # noqa: PLR0913  # a command has the options that it has
    context: typer.Context,
    *,
    collection: CollectionOption = "default",
    conversation: ConversationOption = None,
    as_of: AsOfOption = None,
    budget: BudgetOption = None,
    effort: EffortOption = None,
    reranker: RerankerOption = None,
    show_steps: ShowStepsOption = False,
    as_json: JsonOption = False,
) -> None:
    """Answer one question a line; a follow-up such as 'and in 2019?' goes on from the last one. Ctrl-D ends."""
    from app.core.errors import InvalidQuestion
    from app.questions import make_question
    from app.store.collections import Collections, check_filled

    cli = Cli.of(context)
    last_day = day(as_of) if as_of else None
    limit = seconds(budget) if budget else None
    with cli.engine(agent={"effort": effort}) as engine:
        check_filled(Collections(engine.database).get(collection))
        answering = Answering(
            cli=cli,
            engine=engine,
            collection=collection,
            limit=limit,
            reranker=reranker,
            conversation_id=conversation_of(cli, engine, conversation or NEW),
            as_json=as_json,
            show_steps=show_steps,
        )
        for line in _lines():
            try:
                question = make_question(line, asked_on=date.today(), settings=engine.settings, as_of=last_day)
            except InvalidQuestion as error:
                cli.screen.error(str(error))
                continue
            answering.answer(question)
            if not as_json:
                cli.screen.line("")


def _lines() -> Iterator[str]:
    """Yield the lines of stdin that say something, with a prompt where somebody types them."""
    is_typed = sys.stdin.isatty() and sys.stdout.isatty()
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  # lines can then be edited and called back
    with contextlib.suppress(AttributeError):  # a test's stream may not have it
        sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
    with contextlib.suppress(EOFError):
        while True:
            if line := input(PROMPT if is_typed else "").strip():
                yield line
