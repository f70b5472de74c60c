"""The tables of a report: a row for each system, figures with their intervals."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.evaluation.lost import LOSSES
from app.experiments.legend import FAMILIES, HEADLINES
from app.experiments.results import Estimate, Result
from app.experiments.scoring import FIRST_STAGE

NONE = "–"  # nothing to say: no question has a gold for it
TEXTS = ("system", "meaning")  # columns of words
GROUPS = {"hops": "hops a question needs, each a fact to be joined with the others", "type": "kind of question"}
_GROUPED = (*HEADLINES, "abstained_answerable", "answered_unanswerable")  # what a group of unanswerable ones has
_FORMS = ((100, ",.0f"), (1, ".1f"), (0, ".3f"))

Systems = Mapping[str, Result]  # results on one data set by the names of their systems, in the order given


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell; `interval` is empty where the figure has none."""

    text: str
    interval: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table whose first cell names its row; `about` is a sentence on how to read it."""

    title: str
    about: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def tables(systems: Systems) -> list[Table]:
    """Return the tables in which the results have figures."""
    made = [_overview(systems), *_families(systems), *_groups(systems), _losses(systems), *_costs(systems)]
    return [table for table in [*made, _excluded(systems)] if table.rows]


def amount(value: float | None) -> str:
    """Return seconds or a mean count with three digits or so."""
    if not value:
        return NONE if value is None else "0"
    return next(format(value, form) for least, form in _FORMS if value >= least)


def tokens_of(result: Result) -> float | None:
    """Return the mean of a question, prompt and completion together, or None without questions."""
    counts = [_mean(result, name) for name in ("prompt_tokens", "completion_tokens")]
    return sum(count for count in counts if count is not None) if None not in counts else None


def seconds_of(result: Result) -> float | None:
    """Return the mean of a question, or None without questions."""
    return _mean(result, "seconds")


def _overview(systems: Systems) -> Table:
    metrics = [metric for metric in HEADLINES if _any(systems.values(), metric)]
    rows = [
        (
            Cell(text=name),
            Cell(text=f"{result.questions:,}"),
            *(figure(result.metrics.get(metric)) for metric in metrics),
            Cell(text=amount(seconds_of(result))),
            Cell(text=amount(tokens_of(result))),
        )
        for name, result in systems.items()
    ]
    about = "The headline figures; in brackets the 95 % interval. Seconds and tokens are means."
    columns = ("system", "questions", *metrics, "seconds a question", "tokens a question")
    return Table(title="At a glance", about=about, columns=columns, rows=tuple(rows))


def _families(systems: Systems) -> Iterator[Table]:
    for family in FAMILIES:
        metrics = [metric for metric in family.metrics if _any(systems.values(), metric)]
        rows = [row for name, result in systems.items() for row in _stages(name, result, metrics)]
        columns = ("system", "n", *metrics)
        yield Table(title=family.title, about=family.about, columns=columns, rows=tuple(rows) if metrics else ())


def _stages(name: str, result: Result, metrics: Sequence[str]) -> Iterator[tuple[Cell, ...]]:
    """Yield a system's row and, if it reranks, one of the order before that; none if it has no figure here."""
    for label, suffix in ((name, ""), (f"{name}, before reranking", FIRST_STAGE)):
        found = [result.metrics.get(metric + suffix) for metric in metrics]
        if any(_has_value(estimate) for estimate in found):
            yield Cell(text=label), _counts(found), *(figure(estimate) for estimate in found)


def _groups(systems: Systems) -> Iterator[Table]:
    for group, words in GROUPS.items():
        values = dict.fromkeys(value for result in systems.values() for value in result.groups.get(group, {}))
        found = {
            (value, name): result.groups[group][value]
            for value in sorted(values, key=in_order)
            for name, result in systems.items()
            if value in result.groups.get(group, {})
        }
        metrics = [m for m in _GROUPED if any(_has_value(figures.get(m)) for figures in found.values())]
        rows = [
            (Cell(text=value), Cell(text=name), _counts(row := [figures.get(m) for m in metrics]), *map(figure, row))
            for (value, name), figures in found.items()
        ]
        about = f"By the {words}. A small group says little: of one question even the interval has no width."
        columns = (group, "system", "n", *metrics)
        yield Table(title=f"By {group}", about=about, columns=columns, rows=tuple(rows) if metrics else ())


def _losses(systems: Systems) -> Table:
    """Return a row for each stage, for the stages need words."""
    counts = {name: result.lost for name, result in systems.items() if any(result.lost.values())}
    rows = [
        (
            Cell(text=words_of(loss)),
            Cell(text=meaning),
            *(Cell(text=str(lost.get(loss, 0))) for lost in counts.values()),
        )
        for loss, meaning in LOSSES.items()
        if any(lost.get(loss) for lost in counts.values())
    ]
    return Table(
        title="Where answers were lost",
        about="Wrong answers by the first stage that let go of the evidence, or of the answer.",
        columns=("lost", "meaning", *counts),
        rows=tuple(rows),
    )


def words_of(loss: str) -> str:
    """Return the name of a stage as a reader sees it."""
    return loss.replace("_", " ")


def _costs(systems: Systems) -> Iterator[Table]:
    spent = {name: result.cost for name, result in systems.items() if result.cost.get("questions")}
    columns = {
        "seconds": ("per_question", "seconds", "mean"),
        "median": ("per_question", "seconds", "median"),
        "95 % under": ("per_question", "seconds", "p95"),
        "searches": ("per_question", "retrievals", "mean"),
        "model calls": ("per_question", "calls", "mean"),
        "tokens in": ("per_question", "prompt_tokens", "mean"),
        "of these cached": ("per_question", "cached_tokens", "mean"),
        "tokens out": ("per_question", "completion_tokens", "mean"),
        "seconds a right answer": ("per_correct_answer", "seconds"),
        "tokens a right answer": ("per_correct_answer", "tokens"),
    }
    about = "Means a question, but for the median and the time under which 95 % of questions stay, both in seconds."
    yield Table(
        title="Cost",
        about=f"{about} A right answer bears the cost of the wrong ones.",
        columns=("system", *columns),
        rows=tuple((Cell(text=name), *_looked_up(cost, columns.values())) for name, cost in spent.items()),
    )
    stages = {stage: ("by_stage", stage, "mean") for cost in spent.values() for stage in cost.get("by_stage", {})}
    yield Table(
        title="Seconds by stage",
        about="Means over the questions that went through the stage.",
        columns=("system", *map(words_of, stages)),
        rows=tuple((Cell(text=name), *_looked_up(cost, stages.values())) for name, cost in spent.items() if stages),
    )


def _excluded(systems: Systems) -> Table:
    """Return a row for each reason, for the reasons are sentences."""
    counts = {name: result.excluded for name, result in systems.items() if result.excluded}
    reasons = dict.fromkeys(reason for excluded in counts.values() for reason in excluded)
    return Table(
        title="Left out of figures",
        about="Questions that do not enter some figure, for there is nothing to judge them by; they never count as 0.",
        columns=("questions with", *counts),
        rows=tuple(
            (Cell(text=reason), *(Cell(text=str(one.get(reason, 0))) for one in counts.values())) for reason in reasons
        ),
    )


def figure(estimate: Estimate | None) -> Cell:
    """Return an estimate with its interval as a cell."""
    if estimate is None or estimate.value is None:
        return Cell(text=NONE)
    known = estimate.low is not None and estimate.high is not None
    return Cell(text=f"{estimate.value:.3f}", interval=f"[{estimate.low:.3f}, {estimate.high:.3f}]" if known else "")


def in_order(value: str) -> tuple[bool, float, str]:
    """Return a key that sorts numbers by size, before words."""
    return (False, float(value), value) if value.isdecimal() else (True, 0.0, value)


def _counts(estimates: Sequence[Estimate | None]) -> Cell:
    """Return how many questions the figures are made of: one number, or the least and the most."""
    counts = sorted({estimate.n for estimate in estimates if estimate is not None and estimate.n})
    return Cell(text="–".join(f"{count:,}" for count in dict.fromkeys(counts[:1] + counts[-1:])) or "0")


def _any(results: Iterable[Result], metric: str) -> bool:
    return any(_has_value(result.metrics.get(metric)) for result in results)


def _has_value(estimate: Estimate | None) -> bool:
    return estimate is not None and estimate.value is not None


def _mean(result: Result, name: str) -> float | None:
    value: float | None = result.cost.get("per_question", {}).get(name, {}).get("mean")
    return value


def _looked_up(cost: Mapping[str, Any], paths: Iterable[tuple[str, ...]]) -> list[Cell]:
    cells = []
    for path in paths:
        value: Any = cost
        for key in path:
            value = value.get(key, {})
        cells.append(Cell(text=amount(value if isinstance(value, int | float) else None)))
    return cells
