"""Labelled questions of a data set → the attention heads of a model that point at what a question needs."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from app.core.protocols import AttentionReader
from app.core.run import Run
from app.core.settings import Settings
from app.core.types import Hit, Query, QueryId
from app.engine import Engine
from app.evaluation.records import Gold
from app.experiments.candidates import given_lists
from app.experiments.corpus import COLLECTION, Progress, index_folder, prepare, unseen
from app.experiments.datasets import Dataset
from rerankers.head_detection import Example, Method, detect


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """Heads as (layer, head) from 0, best first, of the model named, from so many questions with what they need."""

    model_id: str
    heads: tuple[tuple[int, int], ...]
    questions: int


def detect_heads(
    dataset: Dataset,
    settings: Settings,
    *,
    method: Method,
    top: int,
    depth: int,
    open_engine: Callable[[Settings], Engine],
    cancelled: Callable[[], bool] = lambda: False,
    indexing: Progress = unseen,
) -> Detected:
    """Return the `top` heads over the first `depth` candidates: the given lists where there are any, else found ones.

    Raises:
        InvalidDataset: no question has what it needs among its candidates.
        MissingCapability: no model in the settings lets its attention be read.
    """
    run = Run(seed=settings.seed, cancelled=cancelled)
    queries = [Query(query_id=QueryId(one.query_id), text=one.text) for one in dataset.asked]
    if dataset.candidates is None:
        settings = settings.model_copy(update={"data_dir": index_folder(dataset, settings)})
    with closing(open_engine(settings)) as engine:
        if dataset.candidates is None:
            prepare(dataset, engine, COLLECTION, cancelled=cancelled, progress=indexing)
            found = engine.retriever(COLLECTION).retrieve_many(queries, top_k=depth, run=run)
        else:
            found = given_lists(dataset)(queries, run)
        examples = [
            _example(query, hits[:depth], gold, dataset.relevant_from)
            for query, hits, gold in zip(queries, found, dataset.golds, strict=True)
        ]
        told = [example for example in examples if example[2]]
        reader = engine.model_with(AttentionReader)
        heads = detect(reader, told, method=method, top=top, run=run)
    return Detected(model_id=reader.model_id, heads=tuple(heads), questions=len(told))


def _example(query: Query, hits: list[Hit], gold: Gold, relevant_from: int) -> Example:
    needed = {doc_id for doc_id, grade in gold.relevant.items() if grade >= relevant_from}
    return query, hits, frozenset(hit.passage.passage_id for hit in hits if hit.passage.doc_id in needed)
