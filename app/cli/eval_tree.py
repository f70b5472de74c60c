"""`gnomon eval tree-world`: how far each search policy stays from the best path of a world that is known."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.context import Cli, JsonOption

if TYPE_CHECKING:
    from app.evaluation.significance import Interval

_MOST = 10_000


def measure_policies(
    context: typer.Context,
    *,
    seeds: Annotated[int, typer.Option(min=1, max=10_000, help="Worlds drawn of each kind.")] = 200,
    rollouts: Annotated[str, typer.Option(metavar="N,N", help="Regret after so many rollouts.")] = "8,16,32,64",
    as_json: JsonOption = False,
) -> None:
    """Measure the search policies apart from any model; the default takes some five minutes."""
    from app.experiments.tree_world import ALL, WITH_HINTS, WITHOUT_HINTS, regret_rows

    cli = Cli.of(context)
    rows = regret_rows(seeds=range(seeds), rollouts=_ascending(rollouts))
    if as_json:
        cli.screen.json_lines(rows)
        return
    cli.screen.table(
        ["worlds", "policy", "rollouts", "regret", "low", "high"],
        [
            [one.world, one.policy, one.rollouts, *(f"{figure:.4f}" for figure in _figures(one.regret))]
            for one in rows
            if one.world in (ALL, WITH_HINTS, WITHOUT_HINTS)
        ],
    )


def _ascending(text: str) -> list[int]:
    """Return the numbers of `8,16,32` in ascending order, each once.

    Raises:
        typer.BadParameter: they are no such numbers.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and 1 <= int(part) <= _MOST for part in parts):
        raise typer.BadParameter(f"'{text}': write numbers from 1 to {_MOST}, as 8,16,32", param_hint="'--rollouts'")
    return sorted({int(part) for part in parts})


def _figures(interval: "Interval") -> list[float]:
    return [figure for figure in (interval.value, interval.low, interval.high) if figure is not None]
