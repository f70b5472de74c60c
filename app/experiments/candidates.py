"""The given lists of a data set as hits: a first stage that somebody else has run (`candidates.trec`)."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from app.core.errors import InvalidDataset
from app.core.run import Run
from app.core.types import DocId, Hit, Passage, Query, StageScore
from app.evaluation.records import Ranking
from app.evaluation.trec import read_run
from app.experiments.datasets import CANDIDATES, CORPUS, Dataset, corpus_rows
from app.ingest.splitter import passage_id


def given_lists(dataset: Dataset) -> Callable[[Sequence[Query], Run], list[list[Hit]]]:
    """Return what looks the given lists up; a question without a list has no hits, as in TREC.

    Raises:
        InvalidDataset: there are none, or they are of other questions or another corpus.
    """
    if dataset.candidates is None:
        raise InvalidDataset(f"{dataset.name} has no {CANDIDATES}; choose another system")
    if dataset.corpus is None or dataset.corpus.is_dir():
        raise InvalidDataset(f"{dataset.name} has {CANDIDATES} and no {CORPUS}; add it, or choose another system")
    asked = {one.query_id for one in dataset.asked}
    lists = {query_id: ranking for query_id, ranking in read_run(dataset.candidates).items() if query_id in asked}
    if not lists:
        raise InvalidDataset(f"{dataset.candidates}: has none of the questions; this is a run of other ones")
    wanted = {doc_id for ranking in lists.values() for doc_id, _ in ranking}
    passages = _passages(dataset.corpus, wanted)
    if unknown := wanted - passages.keys():
        raise InvalidDataset(
            f"{dataset.candidates}: '{min(unknown)}' is not in the corpus; this is a run over another one"
        )

    def find(queries: Sequence[Query], run: Run) -> list[list[Hit]]:
        run.check()
        return [_hits(lists.get(query.query_id, ()), passages) for query in queries]

    return find


def _hits(ranking: Ranking, passages: Mapping[str, Passage]) -> list[Hit]:
    return [
        Hit(passage=passages[doc_id], stages=(StageScore(name="candidates", rank=rank, score=score),))
        for rank, (doc_id, score) in enumerate(ranking, start=1)
    ]


def _passages(corpus: Path, wanted: Collection[str]) -> dict[str, Passage]:
    """Return the wanted rows of a corpus by id, each a passage; one without text has only its title."""
    return {
        doc_id: _passage(doc_id, str(row.get("title") or ""), str(row.get("text") or ""))
        for _, doc_id, row in corpus_rows(corpus)
        if doc_id in wanted
    }


def _passage(doc_id: str, title: str, text: str) -> Passage:
    version = hashlib.sha256(text.encode()).hexdigest()
    return Passage(
        passage_id=passage_id(DocId(doc_id), text, 0),
        doc_id=DocId(doc_id),
        document_version=version,
        title=title,
        text=text,
        start=0,
        end=len(text),
    )
