"""The brush of the plots: marks with intervals, labels that do not overlap, one style, SVG."""

import io
import textwrap
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

from app.experiments.results import Estimate
from app.experiments.tables import Systems

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Point = tuple[float, float]

# Okabe & Ito, Color Universal Design (2008), without the two that are too light on white
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#000000")
_MARKERS = "os^Dvph"  # one more than there are colours, so that no two systems share both
_INK, FAINT = "#222222", "#dddddd"
_WIDTH, HEIGHT = 5.0, 3.3  # inches; 480 px wide, so that text is still 9 px high on a telephone
_LABEL = 16  # characters on a line of a label
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: small, and can be selected; the page chooses the font
    "svg.hashsalt": "gnomon",  # the same figures give the same file
    "text.parse_math": False,  # a name with two dollars is a name
    "font.family": "DejaVu Sans",  # comes with the library, and is wider than what a page shows in its place
    "font.size": 10,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
}


def to_svg(height: float, draw: Callable[["Figure"], None]) -> str:
    """Return a drawing of `height` inches as an SVG element, without the parts that hold a date or a version."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        draw(figure)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    drawn = text.getvalue()
    return drawn[drawn.index("<svg") :]


def look_of(systems: Systems, name: str) -> dict[str, Any]:
    """Return the colour and marker of a system, the same in all plots of a section."""
    place = list(systems).index(name)
    return {"color": _COLOURS[place % len(_COLOURS)], "marker": _MARKERS[place % len(_MARKERS)]}


def mark(axes: "Axes", at: Point, estimate: Estimate, look: Mapping[str, Any], *, is_across: bool = False) -> None:
    """Draw an estimate with its interval; `is_across` for one that is read on the axis below."""
    value = estimate.value or 0.0
    low, high = (value if end is None else end for end in (estimate.low, estimate.high))
    reach = [[max(0.0, value - low)], [max(0.0, high - value)]]  # a percentile interval need not hold the figure
    x, y = at
    across, up = (reach, None) if is_across else (None, reach)
    axes.errorbar(x, y, xerr=across, yerr=up, elinewidth=1, linestyle="none", **look)


def label_ends(axes: "Axes", ends: Mapping[str, Point], systems: Systems) -> None:
    """Write each name to the right of the axes, as near as others let it to where its line ends."""
    bottom, top = axes.get_ylim()
    names = sorted(ends, key=lambda name: ends[name][1])
    heights = spread([(ends[name][1] - bottom) / (top - bottom) for name in names], gap=0.13)
    for name, height in zip(names, heights, strict=True):
        line = {"arrowstyle": "-", "color": look_of(systems, name)["color"], "linewidth": 0.8, "relpos": (0, 0.5)}
        label = "\n".join(cut(part, _LABEL) for part in textwrap.wrap(cut(name, 2 * _LABEL), _LABEL)[:2])
        axes.annotate(
            label, ends[name], (1.06, height), textcoords="axes fraction", va="center", fontsize=9, arrowprops=line
        )


def label_points(axes: "Axes", points: Mapping[str, Point], systems: Systems) -> None:
    """Write each name beside its point, on the side where no other point is near and the axes have room."""
    (_, right), (_, top) = axes.get_xlim(), axes.get_ylim()
    places = {name: (x / right, y / top) for name, (x, y) in points.items()}
    lefts = {name for name in places if _goes_left(places, name)}
    for side in (lefts, places.keys() - lefts):
        names = sorted(side, key=lambda name: places[name][1])
        for name, height in zip(names, spread([places[name][1] for name in names], gap=0.08), strict=True):
            line = {"arrowstyle": "-", "color": look_of(systems, name)["color"], "linewidth": 0.8, "shrinkA": 0}
            axes.annotate(
                cut(name, 2 * _LABEL),
                points[name],
                (places[name][0] + (-0.04 if name in lefts else 0.04), height),
                textcoords="axes fraction",
                ha="right" if name in lefts else "left",
                va="center",
                fontsize=9,
                arrowprops=line,
            )


def _goes_left(places: Mapping[str, Point], name: str) -> bool:
    x = places[name][0]
    before = max((other for other, _ in places.values() if other < x), default=0.0)
    after = min((other for other, _ in places.values() if other > x), default=1.0)
    return x - before > after - x and x > 0.05 + 0.02 * min(len(name), 2 * _LABEL)


def spread(wanted: Sequence[float], *, gap: float) -> list[float]:
    """Return rising positions at least `gap` apart, near those wanted, and within 0 to 1 where there is room."""
    up, down = list(wanted), list(wanted)
    for index in range(1, len(wanted)):
        up[index] = max(up[index], up[index - 1] + gap)
        down[-1 - index] = min(down[-1 - index], down[-index] - gap)
    last = len(wanted) - 1
    below_top = [
        min((low + high) / 2, 1 - (last - index) * gap) for index, (low, high) in enumerate(zip(down, up, strict=True))
    ]
    return [max(position, index * gap) for index, position in enumerate(below_top)]


def above(value: float) -> float:
    """Return the next tenth above, at most 1."""
    return min(1.0, ceil(value * 10 + 0.5) / 10)


def cut(name: str, length: int) -> str:
    """Return the name, its end left out if it is longer than `length` characters."""
    return name if len(name) <= length else f"{name[: length - 1]}…"
