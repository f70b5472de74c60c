"""A folder or a question file → what is asked (Asked), what is right (Gold), and what is searched.

Three forms: BEIR's folder (`corpus.jsonl`, `queries.jsonl`, `qrels.tsv`, perhaps `candidates.trec`; Thakur et al.,
arXiv 2104.08663), a folder of `documents/` with `questions.jsonl` or `.csv`, and such a question file alone, asked of a
collection that is there already. Without a file of judgements, a question names its gold `documents` itself.
"""

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from app.core.errors import InvalidDataset
from app.core.timespan import TimeSpan
from app.evaluation.records import Gold
from app.evaluation.trec import read_qrels
from app.experiments.files import Row, digest_of, joint_digest, rows_of
from app.experiments.gold import gold_of, with_other_times

CORPUS, DOCUMENTS, CANDIDATES = "corpus.jsonl", "documents", "candidates.trec"
_QUESTION_FILES = ("queries.jsonl", "questions.jsonl", "questions.csv")
_QRELS = ("qrels.tsv", "qrels/test.tsv", "qrels.txt")
_IDS, _TEXTS = ("query_id", "_id", "id"), ("question", "text")
_DOCUMENT_IDS = ("_id", "id", "doc_id")  # as app.ingest.readers.table reads them
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
    `corpus_digest` those that are ingested. `relevant_from` is the lowest grade that counts as relevant, `relevant`
    the documents that are relevant to any question, `unjudged` the questions that neither the judgements nor an answer
    speaks of.
    """

    name: str
    digest: str
    corpus_digest: str
    asked: tuple[Asked, ...]
    golds: tuple[Gold, ...]
    relevant_from: int
    relevant: frozenset[str] = frozenset()
    unjudged: frozenset[str] = frozenset()
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
    relevant = read_qrels(judged) if judged else None
    corpus = None if path.is_file() else _corpus(path)
    asked, golds = _asked_and_golds(questions, relevant)
    warnings = list(_strangers(judged, relevant, asked)) if judged and relevant else []
    candidates = path / CANDIDATES if (path / CANDIDATES).is_file() else None
    corpus_digest = digest_of(corpus) if corpus else ""
    files = [digest_of(file) for file in (questions, judged, candidates) if file is not None]
    dataset = Dataset(
        name=path.resolve().stem if path.is_file() else path.resolve().name,
        digest=joint_digest([corpus_digest, *files]),
        corpus_digest=corpus_digest,
        asked=tuple(asked),
        golds=tuple(golds),
        relevant_from=relevant_from or _relevant_from(golds),
        relevant=frozenset(doc_id for gold in golds for doc_id, grade in gold.relevant.items() if grade > 0),
        unjudged=frozenset(gold.query_id for gold in golds if judged and not gold.relevant and gold.answerable is None),
        corpus=corpus,
        candidates=candidates,
    )
    if corpus and corpus.is_file():
        warnings += missing_documents(dataset, {doc_id for _, doc_id, _ in corpus_rows(corpus)}, where=str(corpus))
    return replace(dataset, warnings=tuple(warnings))


def missing_documents(dataset: Dataset, known: Collection[str], *, where: str) -> list[str]:
    """Return a warning of relevant documents that are not among the known ones, which are searched.

    Raises:
        InvalidDataset: none of them is there, so the judgements are of another corpus.
    """
    unknown = dataset.relevant - set(known)
    if not unknown:
        return []
    if unknown == dataset.relevant:
        raise InvalidDataset(
            f"{dataset.name}: no relevant document, '{min(unknown)}' first, is in {where}; "
            "these are judgements of another corpus"
        )
    return [f"{len(unknown)} relevant documents are not in {where}, first '{min(unknown)}'; they count as not found"]


def corpus_rows(corpus: Path) -> Iterator[tuple[int, str, Row]]:
    """Yield the rows of a corpus.jsonl with their lines, from 1, and ids.

    Raises:
        InvalidDataset: a row is malformed or has no id, or an id is there twice.
    """
    first: dict[str, int] = {}
    for number, row in rows_of(corpus):
        doc_id = next((str(row[key]) for key in _DOCUMENT_IDS if row.get(key) not in (None, "")), None)
        if doc_id is None:
            raise InvalidDataset(f"{corpus}: row {number} has no '_id'; add one")
        if (seen := first.setdefault(doc_id, number)) != number:
            raise InvalidDataset(f"{corpus}: row {number} has the id '{doc_id}' of row {seen}; give it another")
        yield number, doc_id, row
    if not first:
        raise InvalidDataset(f"{corpus}: holds no passage; write one a line")


def chosen(dataset: Dataset, *, limit: int | None, sample: int | None, seed: int) -> Dataset:
    """Return the data set with a seeded sample of its questions, in their order, and of those the first `limit`.

    Beside judgements the unjudged ones are left out: BEIR's question files hold those of all its splits.
    """
    places = [place for place, one in enumerate(dataset.asked) if one.query_id not in dataset.unjudged]
    warnings = dataset.warnings
    if dataset.unjudged:
        warnings += (f"{len(dataset.unjudged)} questions are judged by nothing; they are not asked",)
    if sample is not None and sample < len(places):
        places = sorted(random.Random(seed).sample(places, sample))  # noqa: S311  # no secret: a sample that can be drawn again
    places = places[:limit]
    return replace(
        dataset,
        asked=tuple(dataset.asked[place] for place in places),
        golds=tuple(dataset.golds[place] for place in places),
        warnings=warnings,
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


def _question_file(folder: Path) -> Path:
    found = next((folder / name for name in _QUESTION_FILES if (folder / name).is_file()), None)
    if found is None:
        problem = "no questions" if folder.is_dir() else "no such file or folder"
        advice = f"put one of {', '.join(_QUESTION_FILES)} there, or name a question file"
        raise InvalidDataset(f"{folder}: {problem}; {advice}")
    return found


def _corpus(folder: Path) -> Path:
    if (folder / CORPUS).is_file():
        return folder / CORPUS
    if (folder / DOCUMENTS).is_dir():
        return folder / DOCUMENTS
    raise InvalidDataset(f"{folder}: nothing to search; put {CORPUS} or a folder '{DOCUMENTS}' there")


def _asked_and_golds(path: Path, relevant: Mapping[str, Mapping[str, int]] | None) -> tuple[list[Asked], list[Gold]]:
    """Return the questions of a file with what is right for each; a row's number is its id where it names none."""
    first: dict[str, int] = {}
    asked, golds, rows = [], [], []
    for number, row in rows_of(path):
        query_id = str(next((row[key] for key in _IDS if row.get(key) not in (None, "")), number))
        if (seen := first.setdefault(query_id, number)) != number:
            raise InvalidDataset(f"{path}: row {number} has the id '{query_id}' of row {seen}; give it another")
        judged = None if relevant is None else relevant.get(query_id, {})
        try:
            one = _asked(query_id, row)
            golds.append(gold_of(row, query_id=query_id, text=one.text, relevant=judged))
        except ValueError as error:
            raise InvalidDataset(f"{path}: row {number}: {error}") from error
        asked.append(one)
        rows.append(row)
    if not asked:
        raise InvalidDataset(f"{path}: holds no question; write one a line")
    return asked, with_other_times(golds, rows)


def _asked(query_id: str, row: Row) -> Asked:
    text = next((row[key] for key in _TEXTS if row.get(key)), None)
    if not isinstance(text, str) or not text.strip():
        raise ValueError("it has no 'question' or 'text'; add one")
    return Asked(query_id=query_id, text=text.strip(), as_of=_day(row.get("as_of")), asked_on=_day(row.get("asked_on")))


def _day(value: object) -> date | None:
    if value in (None, ""):
        return None
    try:
        return TimeSpan.parse(str(value)).end
    except ValueError as error:
        raise ValueError(f"the date '{value}' cannot be read ({error}); write it as 2019-03-05") from error


def _strangers(judged: Path, relevant: Mapping[str, Mapping[str, int]], asked: Sequence[Asked]) -> Iterator[str]:
    """Yield a warning of judged questions that are not in the question file."""
    ids = {one.query_id for one in asked}
    if not ids & relevant.keys():
        raise InvalidDataset(
            f"{judged}: no question of the data set is judged; these are judgements of other questions"
        )
    if strangers := relevant.keys() - ids:
        yield f"{len(strangers)} judged questions are not asked, first '{min(strangers)}'; they are left out"


def _relevant_from(golds: Sequence[Gold]) -> int:
    highest = max((grade for gold in golds for grade in gold.relevant.values()), default=0)
    return 2 if highest == _NIST_HIGHEST_GRADE else 1
