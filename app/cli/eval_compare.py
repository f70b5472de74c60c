"""`gnomon eval compare`: what differs between two results on one data set."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.context import Cli, JsonOption
from app.cli.screen import Screen, to_json

if TYPE_CHECKING:
    from app.experiments.compare import Changed, Comparison, Flip, Side
    from app.experiments.results import Result

NONE = "-"


def compare_results(
    context: typer.Context,
    a: Annotated[Path, typer.Argument(metavar="A", help="Folder of a run, or its result.json.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another on the same data set; differences are B - A.")],
    *,
    flips: Annotated[int, typer.Option(min=0, help="Flipped questions to show at most; --json has all.")] = 10,
    seed: Annotated[int, typer.Option(help="Of the randomisation test.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Compare two results question by question: metrics, flipped questions, settings and cost."""
    from app.experiments.compare import compare

    cli = Cli.of(context)
    comparison = compare(_read(a), _read(b), seed=seed)
    if as_json:
        cli.screen.json(dataclasses.asdict(comparison))
        return
    cli.screen.line(f"{comparison.dataset}: A is {comparison.a} ({a}), B is {comparison.b} ({b})")
    left_out = f"; left out: {comparison.only_a} only in A, {comparison.only_b} only in B"
    has_others = comparison.only_a or comparison.only_b
    cli.screen.line(f"questions asked in both: {comparison.asked}{left_out if has_others else ''}")
    _show_differences(cli.screen, comparison)
    _show_flips(cli.screen, comparison, most=flips)
    _show_changed(cli.screen, "setting", comparison.changed)
    _show_changed(cli.screen, "model", comparison.models)
    _show_cost(cli.screen, comparison)


def _read(path: Path) -> "Result":
    """Return a result whose questions name their records from where the command runs."""
    from app.experiments.results import read_result

    result = read_result(path)
    folder = path if path.is_dir() else path.parent
    scored = [one.model_copy(update={"trace": str(folder / one.trace)}) for one in result.scored]
    return result.model_copy(update={"scored": scored})


def _show_differences(screen: Screen, comparison: "Comparison") -> None:
    rows = [
        [
            one.metric,
            one.n,
            f"{one.a:.3f}",
            f"{one.b:.3f}",
            f"{one.difference:+.3f}",
            _p(one.p),
            _figure(one.detectable),
        ]
        for one in comparison.differences
    ]
    screen.line("")
    screen.table(["metric", "n", "A", "B", "B - A", "p", "detectable"], rows)
    screen.note("p: paired randomisation test, not corrected for the number of metrics")
    screen.note("detectable: a smaller true difference may well go unseen with so many questions (power 0.8)")


def _show_flips(screen: Screen, comparison: "Comparison", *, most: int) -> None:
    flips = comparison.flips
    if flips is None:
        return
    counts = f"right in A only {flips.only_a}, in B only {flips.only_b}; McNemar's exact p {_p(flips.p)}"
    screen.line("")
    screen.line(f"flipped by {flips.metric}: {counts}")
    if shown := flips.questions[:most]:
        screen.table(["question", "of", "text", "lost", "record"], [row for flip in shown for row in _flip_rows(flip)])
    if len(shown) < len(flips.questions):
        screen.note(f"{len(flips.questions) - len(shown)} more: --flips {len(flips.questions)} shows all")


def _flip_rows(flip: "Flip") -> list[list[str]]:
    sides = [("A", flip.a), ("B", flip.b)]
    return [
        [flip.query_id, "question", flip.text, "", ""],
        [flip.query_id, "gold", " / ".join(flip.golds), "", ""],
        *([flip.query_id, of, _given(side), side.lost, side.trace] for of, side in sides),
    ]


def _given(side: "Side") -> str:
    """Return the answer; in its place the status, or for a system that only retrieves whether it found everything."""
    return side.answer or f"({side.status or ('all found' if side.is_right else 'not all found')})"


def _show_changed(screen: Screen, what: str, changed: "tuple[Changed, ...]") -> None:
    if changed:
        screen.line("")
        screen.table([what, "A", "B"], [[one.name, _setting(one.a), _setting(one.b)] for one in changed])


def _show_cost(screen: Screen, comparison: "Comparison") -> None:
    rows = [[f"{one.name} a question", f"{one.a:.3f}", f"{one.b:.3f}", _figure(one.ratio)] for one in comparison.cost]
    screen.line("")
    screen.table(["cost", "A", "B", "B / A"], rows)


def _setting(value: Any) -> str:
    return NONE if value is None else value if isinstance(value, str) else to_json(value)


def _figure(value: float | None) -> str:
    return NONE if value is None else f"{value:.3f}"


def _p(value: float) -> str:
    return f"{value:.4f}"
