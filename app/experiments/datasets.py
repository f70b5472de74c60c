"""A folder or a question file → what is asked (Asked), what is right (Gold), and what is searched.

Three forms: BEIR's folder (`corpus.jsonl`, `queries.jsonl`, `qrels.tsv`, perhaps `candidates.trec`; Thakur et al.,
arXiv 2104.08663), a folder of `documents/` with `questions.jsonl` or `.csv`, and such a question file alone, asked of a
collection that is there already. A question names its gold by `answers` and `documents`.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from app.core.errors import InvalidDataset
from app.core.timespan import TimeSpan
from app.evaluation.records import Gold
from app.evaluation.trec import read_qrels
from app.experiments.files import Row, digest_of, joint_digest, rows_of

CORPUS, CANDIDATES = "corpus.jsonl", "candidates.trec"
_QUESTION_FILES = ("queries.jsonl", "questions.jsonl", "questions.csv")
_QRELS = ("qrels.tsv", "qrels/test.tsv", "qrels.txt")
_IDS, _TEXTS = ("query_id", "_id", "id"), ("question", "text")
_REFUSALS = frozenset({"[unanswerable]", "insufficient information", "unanswerable"})
_NIST_HIGHEST_GRADE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """All of a question that a system may see."""

    query_id: str
    text: str
    as_of: date | None = None
    asked_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Questions in the order of their file, and the files that are searched.

    `corpus` is a file or folder to be ingested, None for a question file alone. `digest` names all files,
    `corpus_digest` those that are ingested. `relevant_from` is the lowest grade that counts as relevant.
    """

    name: str
    digest: str
    corpus_digest: str
    asked: tuple[Asked, ...]
    golds: tuple[Gold, ...]
    relevant_from: int
    corpus: Path | None = None
    candidates: Path | None = None
    warnings: tuple[str, ...] = ()


def read_dataset(path: Path, *, qrels: Path | None = None, relevant_from: int | None = None) -> Dataset:
    """Return the data set at a path; `qrels` replaces the judgements that lie there.

    Without `relevant_from`, grades count from 2 where the highest is 3 (NIST's scale for passages, on which 1 is no
    answer yet), else from 1.

    Raises:
        InvalidDataset: a file is missing or malformed, an id is there twice, or the judgements are of another corpus.
    """
    questions = path if path.is_file() else _question_file(path)
    judged = qrels or next((path / name for name in _QRELS if (path / name).is_file()), None)
    corpus = _corpus(path) if path.is_dir() else None
    rows = _with_ids(questions)
    asked = tuple(_asked(number, query_id, row, questions) for number, query_id, row in rows)
    relevant = read_qrels(judged) if judged else {query_id: _documents(row) for _, query_id, row in rows}
    others = _answers_at_other_times([row for _, _, row in rows])
    golds = tuple(
        _gold(one, row, relevant.get(one.query_id, {}), siblings)
        for one, (_, _, row), siblings in zip(asked, rows, others, strict=True)
    )
    candidates = path / CANDIDATES if (path / CANDIDATES).is_file() else None
    files = [file for file in (questions, judged, candidates) if file is not None]
    corpus_digest = digest_of(corpus) if corpus else ""
    return Dataset(
        name=path.resolve().stem if path.is_file() else path.resolve().name,
        digest=joint_digest([corpus_digest, *(digest_of(file) for file in files)]),
        corpus_digest=corpus_digest,
        asked=asked,
        golds=golds,
        relevant_from=relevant_from or _relevant_from(golds),
        corpus=corpus,
        candidates=candidates,
        warnings=tuple(_warnings(golds, relevant, corpus, judged)),
    )


def _question_file(folder: Path) -> Path:
    found = next((folder / name for name in _QUESTION_FILES if (folder / name).is_file()), None)
    if found is None:
        advice = f"put one of {', '.join(_QUESTION_FILES)} there, or name a question file"
        raise InvalidDataset(f"{folder}: no questions; {advice}")
    return found


def _corpus(folder: Path) -> Path:
    for found in (folder / CORPUS, folder / "documents"):
        if found.exists():
            return found
    raise InvalidDataset(f"{folder}: nothing to search; put {CORPUS} or a folder 'documents' there")


def _with_ids(path: Path) -> list[tuple[int, str, Row]]:
    """Return the rows with their ids, the row's number where it names none."""
    first: dict[str, int] = {}
    found = []
    for number, row in rows_of(path):
        query_id = str(next((row[key] for key in _IDS if row.get(key) not in (None, "")), number))
        if (seen := first.setdefault(query_id, number)) != number:
            raise InvalidDataset(f"{path}: row {number} has the id '{query_id}' of row {seen}; give it another")
        found.append((number, query_id, row))
    if not found:
        raise InvalidDataset(f"{path}: holds no question; write one a line")
    return found


def _asked(number: int, query_id: str, row: Row, path: Path) -> Asked:
    text = next((row[key] for key in _TEXTS if row.get(key)), None)
    if not isinstance(text, str) or not text.strip():
        raise InvalidDataset(f"{path}: row {number} has no 'question' or 'text'; add one")
    try:
        return Asked(
            query_id=query_id,
            text=text.strip(),
            as_of=_day(row.get("as_of")),
            asked_on=_day(row.get("asked_on")),
        )
    except ValueError as error:
        raise InvalidDataset(f"{path}: row {number}: {error}; write a date as 2019-03-05") from error


def _day(value: object) -> date | None:
    return None if value in (None, "") else TimeSpan.parse(str(value)).end


def _listed(value: object) -> list[str]:
    """Return a JSON list's texts, or a cell's parts between `|`."""
    if isinstance(value, str):
        return [part.strip() for part in value.split("|") if part.strip()]
    return [str(part) for part in value if str(part).strip()] if isinstance(value, list) else []


def _documents(row: Row) -> dict[str, int]:
    return dict.fromkeys(_listed(row.get("documents")), 1)


def _gold(asked: Asked, row: Row, relevant: Mapping[str, int], at_other_times: Sequence[str]) -> Gold:
    answers = _listed(row.get("answers", row.get("answer")))
    refused = [answer for answer in answers if answer.strip().lower() in _REFUSALS]
    hops = str(row.get("hops") or "")
    return Gold(
        query_id=asked.query_id,
        text=asked.text,
        answers=() if refused else tuple(answers),
        answerable=_answerable(row, answers, refused, relevant),
        relevant=dict(relevant),
        kind=str(row.get("type") or "other"),
        hops=int(hops) if hops.isdigit() else None,
        has_time=bool(row.get("time")),
        answers_at_other_times=tuple(at_other_times),
    )


def _answerable(row: Row, answers: Sequence[str], refused: Sequence[str], relevant: Mapping[str, int]) -> bool | None:
    """Return whether the corpus tells: as the row says; an empty list of answers without evidence is a no."""
    if isinstance(told := row.get("answerable"), bool):
        return told
    if answers:
        return not refused
    return False if "answers" in row and not relevant else None


def _answers_at_other_times(rows: Sequence[Row]) -> list[list[str]]:
    """Return, for each row, the answers to the questions of the same `page` and `relation` that are not its own."""
    siblings: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        if key := _fact(row):
            siblings[key] += [a for a in _listed(row.get("answers")) if a.strip().lower() not in _REFUSALS]
    own = [_listed(row.get("answers")) for row in rows]
    return [
        [answer for answer in dict.fromkeys(siblings.get(_fact(row) or ("", ""), [])) if answer not in mine]
        for row, mine in zip(rows, own, strict=True)
    ]


def _fact(row: Row) -> tuple[str, str] | None:
    return (str(row["page"]), str(row["relation"])) if row.get("page") and row.get("relation") else None


def _relevant_from(golds: Sequence[Gold]) -> int:
    highest = max((grade for gold in golds for grade in gold.relevant.values()), default=0)
    return 2 if highest == _NIST_HIGHEST_GRADE else 1


def _warnings(
    golds: Sequence[Gold], relevant: Mapping[str, Mapping[str, int]], corpus: Path | None, judged: Path | None
) -> Iterator[str]:
    """Yield what is odd; raises InvalidDataset for what cannot be right."""
    ids = {gold.query_id for gold in golds}
    if relevant and not ids & relevant.keys():
        raise InvalidDataset(
            f"{judged}: no question of the data set is judged; these are judgements of other questions"
        )
    if strangers := relevant.keys() - ids:
        yield f"{len(strangers)} judged questions are not asked, first {min(strangers)}; they are left out"
    if corpus is None or corpus.is_dir():
        return
    known = _corpus_ids(corpus)
    wanted = {doc_id for gold in golds for doc_id, grade in gold.relevant.items() if grade > 0}
    unknown = wanted - known
    if wanted and unknown == wanted:
        raise InvalidDataset(f"{judged}: no relevant passage is in {corpus}; these are judgements of another corpus")
    if unknown:
        yield f"{len(unknown)} relevant passages are not in the corpus, first {min(unknown)}; they count as not found"


def _corpus_ids(corpus: Path) -> set[str]:
    first: dict[str, int] = {}
    for number, row in rows_of(corpus):
        doc_id = str(row.get("_id", ""))
        if (seen := first.setdefault(doc_id, number)) != number:
            raise InvalidDataset(f"{corpus}: line {number} has the id '{doc_id}' of line {seen}; give it another")
    return set(first)


def chosen(dataset: Dataset, *, limit: int | None, sample: int | None, seed: int) -> Dataset:
    """Return the data set with a seeded sample of its questions, in their order, and of those the first `limit`."""
    places = list(range(len(dataset.asked)))
    if sample is not None and sample < len(places):
        places = sorted(random.Random(seed).sample(places, sample))  # noqa: S311  # no secret: a sample that can be drawn again
    places = places[:limit]
    return replace(
        dataset,
        asked=tuple(dataset.asked[place] for place in places),
        golds=tuple(dataset.golds[place] for place in places),
    )


def describe(dataset: Dataset) -> dict[str, Any]:
    """Return a data set's figures by name, ready for JSON."""
    return {
        "name": dataset.name,
        "questions": len(dataset.golds),
        "judged": sum(any(grade > 0 for grade in gold.relevant.values()) for gold in dataset.golds),
        "answerable": sum(gold.answerable is True for gold in dataset.golds),
        "unanswerable": sum(gold.answerable is False for gold in dataset.golds),
        "candidates": dataset.candidates is not None,
        "relevant_from": dataset.relevant_from,
        "digest": dataset.digest,
        "corpus": dataset.corpus_digest,
    }
