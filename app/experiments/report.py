"""The report of one or several results: a Markdown text, and a page that stands alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from app.experiments.compare import name
from app.experiments.legend import FAMILIES
from app.experiments.plots import Plot, plots
from app.experiments.results import Result, Scored
from app.experiments.summary import INTERVALS, summary
from app.experiments.tables import NONE, TEXTS, Cell, Systems, Table, tables, words_of

_DIGEST = re.compile(r"([0-9a-f]{12})[0-9a-f]{52}")  # its first 12 characters tell it apart for a reader
_MARKUP = re.compile(r"([\\`*|<]|\](?=\())")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """How one result came about: `facts` by what they are."""

    system: str
    command: str
    facts: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The results on one data set; `caution` says why rows may not be compared, empty if they may."""

    title: str
    summary: str
    caution: str
    systems: Systems
    tables: list[Table]
    made: list[Made]

    @property
    def wrong(self) -> dict[str, list[Scored]]:
        """The wrong answers of each system that has any."""
        found = {name: [one for one in result.scored if one.lost] for name, result in self.systems.items()}
        return {name: scored for name, scored in found.items() if scored}


def html(results: Sequence[Result]) -> str:
    """Return a page that needs neither network nor script; the same results give the same page."""
    environment = Environment(
        loader=PackageLoader("app.experiments", ""), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["words"] = words_of
    sections = _sections(results)
    drawn: list[list[Plot]] = [plots(one.systems, prefix=f"s{number}") for number, one in enumerate(sections, start=1)]
    return environment.get_template("report.html.j2").render(
        sections=list(zip(sections, drawn, strict=True)),
        intervals=INTERVALS,
        legend=_legend(results),
        texts=TEXTS,
        nothing=NONE,
    )


def markdown(results: Sequence[Result]) -> str:
    """Return the same without plots and without the list of wrong answers."""
    sections = _sections(results)
    parts = ["# Evaluation", *(_escaped(f"{one.title}: {one.summary}") for one in sections), INTERVALS]
    for section in sections:
        parts += [f"## {_escaped(section.title)}", *([f"**{_escaped(section.caution)}**"] if section.caution else [])]
        for table in section.tables:
            parts += [f"### {_escaped(table.title)}", _escaped(table.about), _markdown_table(table)]
        parts += ["### How it was made", "\n".join(_markdown_made(made) for made in section.made)]
    parts += [
        "## What each figure means",
        "\n".join(f"- `{name}`: {words}" for name, words in _legend(results).items()),
    ]
    return "\n\n".join(parts) + "\n"


def _sections(results: Sequence[Result]) -> list[Section]:
    """Return a section for each data set; figures of other data or other metrics never share one."""
    groups: dict[tuple[str, str, str, int], list[Result]] = {}
    for result in results:
        key = (
            result.dataset,
            result.digests.get("dataset", ""),
            result.digests.get("metrics", ""),
            result.relevant_from,
        )
        groups.setdefault(key, []).append(result)
    names = [dataset for dataset, *_ in groups]
    return [
        _section(
            dataset if names.count(dataset) == 1 else f"{dataset} ({digest[:8]}, metrics {version}, grade {grade})",
            group,
        )
        for (dataset, digest, version, grade), group in groups.items()
    ]


def _section(title: str, results: Sequence[Result]) -> Section:
    systems = _named(results)
    asked = {frozenset(scored.query_id for scored in result.scored) for result in results}
    return Section(
        title=title,
        summary=summary(systems),
        caution=""
        if len(asked) == 1
        else "The systems were not all asked the same questions: do not compare the rows.",
        systems=systems,
        tables=tables(systems),
        made=[_made(label, result) for label, result in systems.items()],
    )


def _named(results: Sequence[Result]) -> dict[str, Result]:
    """Return the results by name, those of one name numbered from 2 on."""
    named: dict[str, Result] = {}
    for result in results:
        plain = label = name(result)
        number = 1
        while label in named:
            number += 1
            label = f"{plain} #{number}"
        named[label] = result
    return named


def _made(label: str, result: Result) -> Made:
    facts: dict[str, object] = {
        "made": result.created,
        "questions": result.questions,
        "documents": result.documents,
        "relevant from grade": result.relevant_from,
        "seed": result.seed,
        "sample": result.sample,
        "limit": result.limit,
        "metrics version": result.digests.get("metrics"),
    }
    digests = {f"{key} digest": _DIGEST.sub(r"\1", value) for key, value in result.digests.items() if key != "metrics"}
    told = {key: str(value) for key, value in facts.items() if value is not None}
    return Made(system=label, command=result.command, facts=told | digests)


def _legend(results: Sequence[Result]) -> dict[str, str]:
    """Return the sentence of each figure that a result has."""
    known = {metric for result in results for metric, one in result.metrics.items() if one.value is not None}
    return {metric: words for family in FAMILIES for metric, words in family.metrics.items() if metric in known}


def _markdown_table(table: Table) -> str:
    rows = [[_escaped(column) for column in table.columns], ["---"] + ["---:"] * (len(table.columns) - 1)]
    rows += [[_markdown_cell(cell) for cell in row] for row in table.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _markdown_cell(cell: Cell) -> str:
    return f"{_escaped(cell.text)} {cell.interval}".rstrip()


def _markdown_made(made: Made) -> str:
    facts = "; ".join(f"{key} {value}" for key, value in made.facts.items())
    return f"- {_escaped(made.system)}: {_escaped(made.command)} ({_escaped(facts)})"


def _escaped(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
