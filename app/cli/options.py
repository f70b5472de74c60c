"""What command-line options say: days, spans of time, how long an answer may take."""

import re
from datetime import date
from typing import cast

import typer

from app.core.timespan import TimeSpan

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")


def day(text: str) -> date:
    """Return the last day of `2019`, `2019-03` or `2019-03-05`.

    Raises:
        typer.BadParameter: it is no such date.
    """
    try:
        found = TimeSpan.parse(text).end
    except ValueError as error:
        raise typer.BadParameter(f"'{text}': {error}", param_hint="'--as-of'") from error
    return cast("date", found)


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
