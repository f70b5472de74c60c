"""A data set of facts that change with time → variants of its questions that ask of another time, with their gold.

Questions of one `page` and `relation` ask for one fact at several times (TimeQA: Chen et al., arXiv 2108.06314), so
together they tell what is right at a time that none of them names. A variant is made only where they leave one answer,
or none at all; the idea is TempRAGEval's (arXiv 2412.15540). What is written is a data set like any other.
"""

import json
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

from app.core.errors import InvalidDataset
from app.core.months import MONTH_NAMES
from app.core.timespan import TimeSpan
from app.evaluation.trec import read_qrels
from app.experiments.files import Row, rows_of

Variant = Literal["original", "inner_year", "inner_month", "last_before", "first_after", "moved", "vanished"]

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels.tsv"
_LONG_BEFORE = 30  # years before the first known time of a fact, when there was none
_MONTHS = [name.title() for name in MONTH_NAMES]
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A question with the days that it asks of, and where its text names them: characters, half-open."""

    row: Row
    query_id: str
    answers: frozenset[str]
    span: TimeSpan
    start: int
    end: int

    @property
    def years(self) -> tuple[int, int]:
        """The first and the last year."""
        return _day(self.span.start).year, _day(self.span.end).year

    def asking(self, words: str) -> str:
        """Return the question with other words for its time; they begin with a capital where the question does."""
        text = str(self.row["text"])
        words = words[:1].upper() + words[1:] if self.start == 0 else words
        return f"{text[: self.start]}{words}{text[self.end :]}"


def write_perturbed(folder: Path, output: Path) -> dict[str, int]:
    """Write the originals that have variants, and these, beside a copy of the corpus; return how many of each kind.

    Each row names the question that it is a `variant_of` and its kind as `variant` and as `type`, so that figures
    come by kind. The same folder gives the same files.

    Raises:
        InvalidDataset: the folder is no BEIR set, no question of it can be varied, or `output` is there already.
    """
    for name in (CORPUS, QUERIES, QRELS):
        if not (folder / name).is_file():
            raise InvalidDataset(f"{folder}: has no {name}; only sets in BEIR's form can be varied")
    if output.exists():
        raise InvalidDataset(f"{output}: is there already; name a new folder")
    rows = [row for _, row in rows_of(folder / QUERIES)]
    varied = list(variants_of(rows, read_qrels(folder / QRELS)))
    if not varied:
        raise InvalidDataset(f"{folder}: no question has siblings of one page and relation that leave one right answer")
    output.mkdir(parents=True)
    shutil.copyfile(folder / CORPUS, output / CORPUS)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row, _ in varied)
    (output / QUERIES).write_text("".join(lines), encoding="utf-8")
    judged = (f"{row['_id']}\t{doc_id}\t{grade}\n" for row, grades in varied for doc_id, grade in grades.items())
    (output / QRELS).write_text("query-id\tcorpus-id\tscore\n" + "".join(judged), encoding="utf-8")
    kinds = [str(row["variant"]) for row, _ in varied]
    return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}


def variants_of(
    rows: Sequence[Row], relevant: Mapping[str, Mapping[str, int]]
) -> Iterator[tuple[dict[str, Any], Mapping[str, int]]]:
    """Yield the rows of each answerable question that has variants, the original first, with the judged documents."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row.get("page") and row.get("relation"):
            groups[str(row["page"]), str(row["relation"])].append(row)
    for group in groups.values():
        facts = [fact_of(row) for row in group]
        known = [fact for fact in facts if fact is not None]
        if len(known) < len(facts):
            continue  # a sibling whose days are not known may be right at any time
        for fact in known:
            if fact.answers and (varied := list(_variants(fact, known))):
                yield _row(fact, "original", str(fact.row["text"]), fact.span, fact), relevant.get(fact.query_id, {})
                for kind, words, asked, right in varied:
                    judged = relevant.get(right.query_id, {}) if right else {}
                    yield _row(fact, kind, fact.asking(words), asked, right), judged


def fact_of(row: Row) -> Fact | None:
    """Return a question with its days, None where the row names none or its text does not tell them in plain words."""
    time = row.get("time") or {}
    try:
        first, last = TimeSpan.parse(str(time.get("start"))), TimeSpan.parse(str(time.get("end")))
        span = TimeSpan(start=first.start, end=last.end, granularity=first.granularity)
    except ValueError:
        return None
    named = list(_surface(first, last).finditer(str(row["text"])))
    if len(named) != 1:
        return None
    answers = row.get("answers") or []
    told = frozenset(str(answer) for answer in answers) if row.get("type") != "unanswerable" else frozenset()
    return Fact(
        row=row,
        query_id=str(row["_id"]),
        answers=told - {"[unanswerable]"},
        span=span,
        start=named[0].start(),
        end=named[0].end(),
    )


def _variants(fact: Fact, siblings: Sequence[Fact]) -> Iterator[tuple[Variant, str, TimeSpan, Fact | None]]:
    """Yield kind, words for the time, the days asked of, and the question that is right there, None for no answer."""
    first, last = fact.years
    if last - first > 2:  # noqa: PLR2004  # an inner year has a year on each side
        inner = (first + last) // 2
        yield from _same("inner_year", f"in {inner}", TimeSpan.year(inner), fact, siblings)
        month = TimeSpan.month(inner, 1 + inner % 12)
        yield from _same("inner_month", f"in {_MONTHS[inner % 12]} {inner}", month, fact, siblings)
    if last > first:
        before, after = date(last, 1, 1) - _ONE_DAY, date(first, 12, 31) + _ONE_DAY
        yield from _same("last_before", f"last before {last}", _only(before), fact, siblings)
        yield from _same("first_after", f"first after {first}", _only(after), fact, siblings)
    moved = next((one for one in _inner_years(siblings) if one[1].answers.isdisjoint(fact.answers)), None)
    if moved is not None:
        yield "moved", f"in {moved[0]}", TimeSpan.year(moved[0]), moved[1]
    never = min(one.years[0] for one in siblings) - _LONG_BEFORE
    if never > 0:
        yield "vanished", f"in {never}", TimeSpan.year(never), None


def _same(
    kind: Variant, words: str, asked: TimeSpan, fact: Fact, siblings: Sequence[Fact]
) -> Iterator[tuple[Variant, str, TimeSpan, Fact]]:
    if _right_at(asked, siblings) is not None and fact.span.contains(asked):
        yield kind, words, asked, fact


def _inner_years(siblings: Sequence[Fact]) -> Iterator[tuple[int, Fact]]:
    """Yield a year within each fact at which no other is right."""
    for one in siblings:
        first, last = one.years
        inner = (first + last) // 2
        if first < inner < last and one.answers and _right_at(TimeSpan.year(inner), siblings) is not None:
            yield inner, one


def _right_at(asked: TimeSpan, siblings: Sequence[Fact]) -> Fact | None:
    """Return the fact of those days if there is one alone, or all of them have the same answers."""
    there = [one for one in siblings if one.span.overlaps(asked)]
    return there[0] if len({one.answers for one in there}) == 1 and there[0].answers else None


def _row(fact: Fact, kind: Variant, text: str, asked: TimeSpan, right: Fact | None) -> dict[str, Any]:
    return {
        "_id": fact.query_id if kind == "original" else f"{fact.query_id}~{kind}",
        "text": text,
        "answers": list(right.row["answers"]) if right else ["[unanswerable]"],
        "answerable": right is not None,
        "type": kind,
        "time": {"start": str(asked.start), "end": str(asked.end)},
        "page": fact.row["page"],
        "relation": fact.row["relation"],
        "variant_of": fact.query_id,
        "variant": kind,
    }


def _surface(first: TimeSpan, last: TimeSpan) -> re.Pattern[str]:
    start, end = _date(first), _date(last)
    either = rf"(?:from|between|during) {start} (?:to|and|until|till|through|[-–]) {end}"
    bare = rf"(?:in |(?<!\w)){start} ?(?:to|until|till|through|[-–]) ?{end}"
    alone = rf"|(?:in|during) {start}(?! (?:to|and|until|till|through)\b)" if first == last else ""
    return re.compile(rf"(?<!\w)(?:{either}|{bare}{alone})(?!\w)", re.IGNORECASE)


def _date(span: TimeSpan) -> str:
    """Return a pattern of a year, a month or a day as questions name it."""
    day = _day(span.start)
    if span.granularity == "year":
        return f"{day.year}"
    month = _MONTHS[day.month - 1]
    named = rf"(?:{month}|{month[:3]}\.?|Sept\.?)" if day.month == 9 else rf"(?:{month}|{month[:3]}\.?)"  # noqa: PLR2004  # September
    return (
        rf"{named},? {day.year}"
        if span.granularity == "month"
        else rf"(?:{named} {day.day},?|{day.day} {named}) {day.year}"
    )


def _only(day: date) -> TimeSpan:
    return TimeSpan(start=day, end=day)


def _day(day: date | None) -> date:
    """Return a day that is there: spans are read from dates, none of which is open."""
    if day is None:
        raise ValueError("the span is open")
    return day
