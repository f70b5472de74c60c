"""Labelled questions of a data set → the attention heads of a model that point at what a question needs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from app.core.protocols import AttentionReader
from app.core.settings import Settings
from app.engine import Engine
from app.experiments.corpus import Progress, unseen
from app.experiments.datasets import Dataset
from app.experiments.labelled import Labelled, labelled
from rerankers.head_detection import Example, Method, detect, digest_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """Heads as (layer, head) from 0, best first, of the model named, from so many questions with what they need."""

    model_id: str
    model_digest: str
    heads: tuple[tuple[int, int], ...]
    questions: int


def detect_heads(  # noqa: PLR0913  # what is looked for, and by what means
    dataset: Dataset,
    settings: Settings,
    *,
    method: Method,
    top: int,
    depth: int,
    open_engine: Callable[[Settings], Engine],
    cancelled: Callable[[], bool] = lambda: False,
    indexing: Progress = unseen,
    progress: Progress = unseen,
) -> Detected:
    """Return the `top` heads over the first `depth` candidates: the given lists where there are any, else found ones.

    Raises:
        InvalidDataset: no question has what it needs among its candidates.
        MissingCapability: no model in the settings lets its attention be read.
    """
    opened = labelled(dataset, settings, depth=depth, open_engine=open_engine, cancelled=cancelled, indexing=indexing)
    with opened as (engine, questions, run):
        told = [example for one in questions if (example := _example(one, dataset.relevant_from))[2]]
        reader = engine.model_with(AttentionReader)
        heads = detect(reader, _reported(told, progress), method=method, top=top, run=run)
        return Detected(
            model_id=reader.model_id, model_digest=digest_of(reader), heads=tuple(heads), questions=len(told)
        )


def _reported(examples: Sequence[Example], progress: Progress) -> Iterator[Example]:
    for number, example in enumerate(examples, start=1):
        yield example
        progress(number, len(examples), example[0].query_id)


def _example(one: Labelled, relevant_from: int) -> Example:
    needed = {doc_id for doc_id, grade in one.gold.relevant.items() if grade >= relevant_from}
    return one.query, one.hits, frozenset(hit.passage.passage_id for hit in one.hits if hit.passage.doc_id in needed)
