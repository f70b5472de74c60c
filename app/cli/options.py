"""What command-line options say: days, spans of time, how long an answer may take, which reranker."""

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from app.core.timespan import TimeSpan

if TYPE_CHECKING:
    from app.questions import AskedTime

RerankerOption = Annotated[
    str | None, typer.Option(help="Reranker, 'none' for none; 'gnomon components list' names them.")
]
EffortOption = Annotated[
    Literal["fast", "balanced", "deep"] | None, typer.Option(help="How far a question is followed; deep takes longest.")
]
AsOfOption = Annotated[
    str | None, typer.Option(help="Use nothing published after that day (2019, 2019-03 or 2019-03-05).")
]
FromOption = Annotated[str | None, typer.Option("--from", help="Time that is asked for: from that day, month or year.")]
ToOption = Annotated[str | None, typer.Option("--to", help="Time that is asked for: up to that day, month or year.")]
NoTimeOption = Annotated[bool, typer.Option("--no-time", help="Read no time from the question.")]
AskedOnOption = Annotated[str | None, typer.Option(help="Day of asking, for 'last month'; today if not given.")]
BudgetOption = Annotated[str | None, typer.Option(help="Time to answer: 60s, 2m, 1m30s.")]
ShowStepsOption = Annotated[bool, typer.Option("--show-steps", help="Tell every step, its time and its tokens.")]
StrategyOption = Annotated[
    Literal["graph", "tree", "tagged", "fixed"] | None,
    typer.Option(help="graph searches on, tree tries several ways, tagged: a model trained to search, fixed: once."),
]
ShowTreeOption = Annotated[bool, typer.Option("--show-tree", help="Show the search tree of --strategy tree.")]
ConversationOption = Annotated[
    str | None, typer.Option(metavar="ID", help="Conversation that it goes on with, 'new' for a new one.")
]

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")


def day(text: str, option: str = "--as-of") -> date:
    """Return the last day of `2019`, `2019-03` or `2019-03-05`.

    Raises:
        typer.BadParameter: it is no such date.
    """
    return cast("date", span(text, option).end)


def span(text: str, option: str) -> TimeSpan:
    """Return the days of `2019`, `2019-03` or `2019-03-05`.

    Raises:
        typer.BadParameter: it is no such date.
    """
    try:
        return TimeSpan.parse(text)
    except ValueError as error:
        raise typer.BadParameter(f"'{text}': {error}", param_hint=f"'{option}'") from error


def asked_time(first: str | None, last: str | None, *, no_time: bool) -> "AskedTime":
    """Return what --from, --to and --no-time say.

    Raises:
        typer.BadParameter: one is no date, they end before they begin, or they are given with --no-time.
    """
    from app.core.errors import InvalidQuestion
    from app.questions import AskedTime

    begins = span(first, "--from") if first else None
    ends = span(last, "--to") if last else None
    try:
        return AskedTime(first=begins, last=ends, is_read=not no_time)
    except InvalidQuestion as error:
        raise typer.BadParameter(str(error), param_hint="'--from', '--to'") from error


def seconds(text: str) -> float:
    """Return the seconds of `90`, `60s`, `2m` or `1m30s`.

    Raises:
        typer.BadParameter: it is none of them, or nothing.
    """
    match = _DURATION.fullmatch(text.strip())
    hours, minutes, rest = (float(part or 0) for part in match.groups()) if match else (0.0, 0.0, 0.0)
    total = hours * 3600 + minutes * 60 + rest
    if total <= 0:
        raise typer.BadParameter(f"'{text}' is no length of time; write 90, 60s, 2m or 1m30s", param_hint="'--budget'")
    return total
