"""The questions of a data set with their first candidates and what is right: what rerankers are fitted on."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from app.core.run import Run
from app.core.settings import Settings
from app.core.types import Hit, Query, QueryId
from app.engine import Engine
from app.evaluation.records import Gold
from app.experiments.candidates import given_lists
from app.experiments.corpus import COLLECTION, Progress, index_folder, prepare
from app.experiments.datasets import Dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A question, its candidates, best first, and what is right for it."""

    query: Query
    hits: list[Hit]
    gold: Gold


@contextmanager
def labelled(
    dataset: Dataset,
    settings: Settings,
    *,
    depth: int,
    open_engine: Callable[[Settings], Engine],
    cancelled: Callable[[], bool],
    indexing: Progress,
) -> Iterator[tuple[Engine, list[Labelled], Run]]:
    """Yield the engine, closed at the end, every question with its first `depth` candidates, and the run of the work.

    Candidates come from the given lists where there are any, else they are found.

    Raises:
        InvalidDataset: the given lists cannot be used, or there is nothing to search.
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
        asked = zip(queries, found, dataset.golds, strict=True)
        yield engine, [Labelled(query=query, hits=hits[:depth], gold=gold) for query, hits, gold in asked], run
