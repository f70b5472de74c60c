"""The given lists of a data set as hits: a first stage that somebody else has run (`candidates.trec`)."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app.core.errors import InvalidDataset
from app.core.run import Run
from app.core.types import DocId, Hit, Passage, PassageId, Query, StageScore
from app.evaluation.records import Ranking
from app.evaluation.trec import read_run
from app.experiments.datasets import Dataset
from app.experiments.files import rows_of


def given_lists(dataset: Dataset) -> Callable[[Sequence[Query], Run], list[list[Hit]]]:
    """Return what looks the given lists up.

    Raises:
        InvalidDataset: there are none, or they name passages of another corpus.
    """
    if dataset.candidates is None or dataset.corpus is None:
        raise InvalidDataset(f"{dataset.name} has no candidates.trec; choose another system")
    lists = read_run(dataset.candidates)
    passages = {passage.doc_id: passage for passage in _passages(dataset.corpus)}
    unknown = sorted({doc_id for ranking in lists.values() for doc_id, _ in ranking} - passages.keys())
    if unknown:
        raise InvalidDataset(
            f"{dataset.candidates}: '{unknown[0]}' is not in the corpus; this is a run over another one"
        )
    if not lists.keys() & {one.query_id for one in dataset.asked}:
        raise InvalidDataset(f"{dataset.candidates}: has none of the questions; this is a run of other ones")

    def find(queries: Sequence[Query], run: Run) -> list[list[Hit]]:
        run.check()
        return [_hits(lists.get(query.query_id, ()), passages) for query in queries]

    return find


def _hits(ranking: Ranking, passages: Mapping[DocId, Passage]) -> list[Hit]:
    return [
        Hit(passage=passages[DocId(doc_id)], stages=(StageScore(name="candidates", rank=rank, score=score),))
        for rank, (doc_id, score) in enumerate(ranking, start=1)
    ]


def _passages(corpus: Path) -> list[Passage]:
    """Return the corpus' rows, each a passage."""
    found = []
    for _, row in rows_of(corpus):
        doc_id, text = DocId(str(row["_id"])), str(row["text"])
        version = hashlib.sha256(text.encode()).hexdigest()
        found.append(
            Passage(
                passage_id=PassageId(f"{doc_id}@{version[:8]}#0"),
                doc_id=doc_id,
                document_version=version,
                title=str(row.get("title") or ""),
                text=text,
                start=0,
                end=len(text),
            )
        )
    return found
