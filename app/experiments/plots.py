"""The plots of a report as SVG: labelled where the eye is, in colours that colour-blind readers tell apart."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.experiments.drawing import FAINT, HEIGHT, Point, above, cut, label_ends, label_points, look_of, mark, to_svg
from app.experiments.results import Estimate
from app.experiments.scoring import FIRST_STAGE
from app.experiments.tables import Systems, in_order, seconds_of, tokens_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ENOUGH = 2  # fewer systems, or groups, have nothing to be compared with


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A picture: `caption` says how to read it, `svg` is an element to put into a page."""

    title: str
    caption: str
    svg: str


def plots(systems: Systems, *, prefix: str) -> list[Plot]:
    """Return the plots for which the results have figures; `prefix` keeps the ids of one page's pictures apart."""
    drawn = [plot for plot in (_by_stage(systems), _risk(systems), _cost(systems), _by_hops(systems)) if plot]
    return [
        Plot(title=plot.title, caption=plot.caption, svg=_own_ids(plot.svg, f"{prefix}-{number}"))
        for number, plot in enumerate(drawn, start=1)
    ]


def _by_stage(systems: Systems) -> Plot | None:
    """Return a row for each system, or None if there is nothing to compare."""
    rows = [
        (name, _known(result.metrics, f"nDCG@10{FIRST_STAGE}"), final)
        for name, result in systems.items()
        if (final := _known(result.metrics, "nDCG@10"))
    ]
    if len(rows) < _ENOUGH and not any(first for _, first, _ in rows):
        return None

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        for row, (name, first, final) in enumerate(rows):
            look = look_of(systems, name)
            values = [f"{estimate.value:.3f}" for estimate in (first, final) if estimate]
            axes.text(0, row - 0.2, cut(name, 36))
            axes.text(1, row - 0.2, " → ".join(values), ha="right")
            if first:
                mark(axes, (first.value or 0.0, row), first, look | {"markerfacecolor": "white"}, is_across=True)
            mark(axes, (final.value or 0.0, row + 0.2), final, look, is_across=True)
            axes.axhline(row + 0.45, color=FAINT, linewidth=0.6)
        axes.set(xlim=(0, 1), ylim=(len(rows) - 0.5, -0.6), yticks=[], xlabel="nDCG@10")
        axes.spines["left"].set_visible(False)

    caption = "Filled: the final order of documents. Hollow: the order before reranking. Bars are 95 % intervals."
    return Plot(title="Order by stage", caption=caption, svg=to_svg(0.7 + 0.5 * len(rows), draw))


def _risk(systems: Systems) -> Plot | None:
    curves = {name: result.curve for name, result in systems.items() if result.curve}
    if not curves:
        return None

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        highest = max(risk for curve in curves.values() for _, risk in curve)
        axes.set(xlim=(0, 1), ylim=(0, above(highest)), xlabel="share of questions answered", ylabel="share wrong")
        for name, curve in curves.items():
            axes.plot(*zip(*curve, strict=True), color=look_of(systems, name)["color"])
        label_ends(axes, {name: curve[-1] for name, curve in curves.items()}, systems)

    caption = (
        "From left to right a system answers first what it is surest of, then more. Lower is better, and a good "
        "curve rises to the right: doubt comes where errors are."
    )
    return Plot(title="Errors by confidence", caption=caption, svg=to_svg(_height(systems), draw))


def _cost(systems: Systems) -> Plot | None:
    """Return F1 over tokens, or over seconds where no tokens were spent; None for fewer than two systems with F1."""
    answers = {name: result for name, result in systems.items() if _known(result.metrics, "F1")}
    has_tokens = any(tokens_of(result) for result in answers.values())
    spent = {name: tokens_of(result) if has_tokens else seconds_of(result) for name, result in answers.items()}
    points = {name: (cost, answers[name].metrics["F1"]) for name, cost in spent.items() if cost is not None}
    if len(points) < _ENOUGH:
        return None
    unit = "tokens" if has_tokens else "seconds"

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        widest = max(cost for cost, _ in points.values())
        highest = max(estimate.high or estimate.value or 0.0 for _, estimate in points.values())
        axes.set(xlim=(0, widest * 1.15 or 1), ylim=(0, above(highest)), xlabel=f"{unit} a question", ylabel="F1")
        axes.xaxis.set_major_formatter("{x:,.0f}" if has_tokens else "{x:g}")
        for name, (cost, estimate) in points.items():
            mark(axes, (cost, estimate.value or 0.0), estimate, look_of(systems, name))
        label_points(axes, {name: (cost, estimate.value or 0.0) for name, (cost, estimate) in points.items()}, systems)

    caption = f"Higher is better, further left is cheaper: mean {unit} a question. Bars are 95 % intervals."
    return Plot(title="What an answer costs", caption=caption, svg=to_svg(HEIGHT, draw))


def _by_hops(systems: Systems) -> Plot | None:
    """Return a panel for each of the two metrics; None for fewer than two numbers of hops."""
    groups = {name: result.groups.get("hops", {}) for name, result in systems.items()}
    hops = sorted({value for group in groups.values() for value in group}, key=in_order)
    figures = [group[value] for group in groups.values() for value in group]
    metrics = [metric for metric in ("R@10", "full@10") if any(_known(one, metric) for one in figures)]
    if len(hops) < _ENOUGH or not metrics:
        return None

    def draw(figure: "Figure") -> None:
        panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
        for metric, axes in zip(metrics, panels, strict=True):
            axes.set(xlim=(-0.4, len(hops) - 0.6), ylim=(0, 1.02), xticks=range(len(hops)), xticklabels=hops)
            axes.set_xlabel("hops")
            axes.set_title(metric, loc="left", fontsize=10)
            ends = dict(_draw_hops(axes, metric, hops, systems))
        label_ends(axes, ends, systems)

    counts = {value: max(_most_asked(group.get(value, {})) for group in groups.values()) for value in hops}
    asked = ", ".join(f"{count:,} need {value}" for value, count in counts.items())
    caption = (
        f"Questions by the hops they need, each a fact to be joined with the others: {asked}. Bars are 95 % intervals."
    )
    return Plot(title="Finding by hops", caption=caption, svg=to_svg(_height(systems), draw))


def _draw_hops(axes: "Axes", metric: str, hops: Sequence[str], systems: Systems) -> Iterator[tuple[str, Point]]:
    """Draw a line for each system and yield its name and last point; the lines stand a little apart."""
    for position, (name, result) in enumerate(systems.items()):
        aside = 0.08 * (position - (len(systems) - 1) / 2)
        figures = [_known(result.groups.get("hops", {}).get(value, {}), metric) for value in hops]
        marks = [(at + aside, one.value or 0.0, one) for at, one in enumerate(figures) if one]
        look = look_of(systems, name)
        axes.plot([x for x, _, _ in marks], [y for _, y, _ in marks], color=look["color"], linewidth=1)
        for x, y, estimate in marks:
            mark(axes, (x, y), estimate, look)
        if marks:
            yield name, marks[-1][:2]


def _own_ids(svg: str, prefix: str) -> str:
    return re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{prefix}-", svg)


def _known(figures: Mapping[str, Estimate], metric: str) -> Estimate | None:
    estimate = figures.get(metric)
    return estimate if estimate is not None and estimate.value is not None else None


def _most_asked(figures: Mapping[str, Estimate]) -> int:
    return max((estimate.n for estimate in figures.values()), default=0)


def _height(systems: Systems) -> float:
    return max(HEIGHT, 0.45 * len(systems) + 0.6)
