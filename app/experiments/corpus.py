"""What is searched: a data set's corpus as a collection of its own, indexed on first use, or one of the user's."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from app.core.errors import InvalidDataset, StaleIndex
from app.core.files import write_whole
from app.core.run import Run
from app.core.settings import Settings
from app.engine import Engine
from app.experiments.datasets import Dataset, missing_documents
from app.store.documents import Documents
from retrieval.temporal import expressions

COLLECTION = "dataset"  # a corpus' own; a question file alone names the user's

Progress = Callable[[int, int, str], None]  # told what is done, what there is in all, and what is worked on


def unseen(done: int, total: int, current: str) -> None:
    """Report progress to nobody."""


def index_folder(dataset: Dataset, settings: Settings) -> Path:
    """Return the data folder with the collection: one for this corpus and recipe, or the user's without a corpus."""
    if dataset.corpus is None:
        return settings.data_dir
    parts = [dataset.corpus_digest, settings.ingest.model_dump(), settings.indexes.model_dump()]
    parts += [settings.models.embedder.model_dump(), {"expressions": expressions.VERSION}]
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return settings.data_dir / "eval" / "indexes" / f"{dataset.name}-{key[:12]}"


def prepare(
    dataset: Dataset, engine: Engine, collection: str, *, cancelled: Callable[[], bool], progress: Progress
) -> list[str]:
    """Index the corpus if that was not done before, and return what is odd of it; `progress` is told bytes.

    Raises:
        InvalidDataset: there is nothing to search, or the judgements are of another corpus.
        NotFound: there is no such collection.
        AppError: the corpus cannot be indexed.
    """
    if dataset.corpus is None:
        failed, where = [], f"collection '{collection}'"
    else:
        failed, where = _ingested(dataset.corpus, engine, cancelled, progress), str(dataset.corpus)
    if not _documents(engine, collection, is_ours=dataset.corpus is not None):
        raise InvalidDataset(f"{where}: nothing to search" + (f": {failed[0]}" if failed else "; fill it"))
    warnings = [f"{len(failed)} documents could not be read, first {failed[0]}"] if failed else []
    if dataset.corpus is None or dataset.corpus.is_dir():  # the ids of other corpora were read before
        known = {document.doc_id for document in Documents(engine.database, collection).list("ready")}
        warnings += missing_documents(dataset, known, where=where)
    return warnings


def _ingested(corpus: Path, engine: Engine, cancelled: Callable[[], bool], progress: Progress) -> list[str]:
    """Return the failures of a corpus' ingest, which is made now if it was not before."""
    report = engine.settings.data_dir / "ingested.json"
    if not report.is_file():
        found = engine.pipeline(COLLECTION).run(
            [corpus],
            run=Run(cancelled=cancelled),
            progress=lambda at: progress(at.done, at.total, f"{at.documents} documents"),
        )
        write_whole(report, json.dumps({"failed": [str(failure) for failure in found.failed]}))
    failed: list[str] = json.loads(report.read_text(encoding="utf-8"))["failed"]
    return failed


def _documents(engine: Engine, collection: str, *, is_ours: bool) -> int:
    try:
        return engine.collection(collection).row.documents
    except StaleIndex as error:
        if not is_ours:
            raise
        raise StaleIndex(
            f"{engine.settings.data_dir}: {error.args[0].split(';')[0]}; delete it, it is made anew"
        ) from error
