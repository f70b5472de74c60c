"""Labelled questions of a data set → the weights with which several rerankers and the first stage are added up."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from app.core import registry
from app.core.errors import ConfigError, InvalidDataset
from app.core.run import Run
from app.core.settings import Component, Settings
from app.core.types import Hit
from app.engine import Engine
from app.evaluation.ranking import ndcg_of_orders
from app.experiments.corpus import Progress, unseen
from app.experiments.datasets import Dataset
from app.experiments.labelled import Labelled, labelled
from app.experiments.mixing import best_mix
from rerankers.fused import COMPARABLE, FusedReranker, Method, Options, ReadModel, Signal, first_stage_scores

FITTED, CROSS_VALIDATED, FIRST_STAGE = "fitted", "cross_validated", "first_stage"

MOST_SIGNALS = 4  # each more makes the grid about ten times as large

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A weight for each signal by name and one for the first stage, adding up to 1, and how they were found.

    `figures` are means of nDCG@10 over the `questions`: fitted, cross-validated, of the first stage and of each signal.
    `left_out` questions have no part because a signal could not order their candidates.
    """

    method: Method
    weights: Mapping[str, float]
    first_stage: float
    figures: Mapping[str, float]
    models: tuple[ReadModel, ...]
    questions: int
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What each voice says of one question's candidates, made comparable; their documents, and the judged grades."""

    voices: Mapping[str, Scores]
    doc_ids: Sequence[str]
    relevant: Mapping[str, int]


def fit_weights(
    dataset: Dataset,
    settings: Settings,
    *,
    signals: Sequence[str],
    depth: int,
    open_engine: Callable[[Settings], Engine],
    cancelled: Callable[[], bool] = lambda: False,
    indexing: Progress = unseen,
    progress: Progress = unseen,
) -> Weights:
    """Return the weights for these signals, those of `fused` without any, over the first `depth` candidates.

    Options of signals, and how scores are made comparable, are as the settings say for `fused`, else its defaults.

    Raises:
        ConfigError: the signals cannot be fitted together.
        UnknownComponent: a signal is no reranker.
        InvalidDataset: the questions do not tell one weight from another.
        MissingCapability: no model in the settings can do what a signal needs.
    """
    options = fused_options(settings, signals, depth=depth)
    fused = Component(name="fused", options=options.model_dump(mode="json"))
    own = settings.model_copy(update={"search": settings.search.model_copy(update={"reranker": fused})})
    opened = labelled(dataset, own, depth=depth, open_engine=open_engine, cancelled=cancelled, indexing=indexing)
    told = []
    with opened as (engine, questions, run):
        judged = [one for one in questions if any(grade > 0 for grade in one.gold.relevant.values())]
        reranker = cast("FusedReranker", engine.reranker(None))
        for number, one in enumerate(judged, start=1):
            told.append(heard(reranker, one, options, run))
            progress(number, len(judged), one.query.query_id)
        models = reranker.models()
    usable = [one for one in told if one is not None]
    return fitted(usable, options, models=models, left_out=len(told) - len(usable))


def fused_options(settings: Settings, signals: Sequence[str], *, depth: int) -> Options:
    """Return the options of `fused` that asks these signals, its own without any, all alike and nothing else.

    Raises:
        ConfigError: a signal is named twice, there are too many, or options do not fit.
        UnknownComponent: a signal is no reranker.
    """
    given = settings.search.reranker
    set_options = given.options if given.name == "fused" else {}
    options = cast("Options", registry.options_of("rerankers", "fused", set_options))
    known = {signal.name: signal for signal in options.signals}
    names = list(signals) or [signal.name for signal in options.signals]
    if len(set(names)) < len(names) or len(names) > MOST_SIGNALS:
        raise ConfigError(f"the signals {', '.join(names)} cannot be fitted; name at most {MOST_SIGNALS}, each once")
    chosen = tuple(known.get(name, Signal(name=name)).model_copy(update={"weight": 1.0}) for name in names)
    for signal in chosen:
        registry.options_of("rerankers", signal.name, signal.options)  # before hours of indexing
    return options.model_copy(update={"signals": chosen, "first_stage": 0.0, "depth": depth, "weights": None})


def heard(reranker: FusedReranker, one: Labelled, options: Options, run: Run) -> Told | None:
    """Return what signals and first stage say of a question, None where a signal could not order the candidates."""
    reranking = reranker.rerank(one.query, one.hits, top_k=len(one.hits), run=run)
    if reranking.degraded is not None:
        return None
    staged = {hit.passage.passage_id: hit for hit in reranking.hits}
    told = [_added(staged[hit.passage.passage_id], hit) for hit in one.hits]
    scores = {signal.name: np.array([stages[signal.name] for stages in told]) for signal in options.signals}
    comparable = COMPARABLE[options.method] if one.hits else np.asarray
    voices = {name: comparable(said) for name, said in (scores | {FIRST_STAGE: first_stage_scores(one.hits)}).items()}
    return Told(voices=voices, doc_ids=[hit.passage.doc_id for hit in one.hits], relevant=one.gold.relevant)


def fitted(told: Sequence[Told], options: Options, *, models: tuple[ReadModel, ...], left_out: int) -> Weights:
    """Return the weights that are best on these questions; the order in which signals are named changes nothing.

    Raises:
        InvalidDataset: there are fewer than two questions, or on none does the order depend on the weights.
    """
    names = sorted(signal.name for signal in options.signals)
    voices = [*names, FIRST_STAGE]

    def values(mixes: Scores) -> Scores:
        columns = [
            ndcg_of_orders(mixes @ np.vstack([one.voices[name] for name in voices]), one.doc_ids, one.relevant)
            for one in told
        ]
        return np.column_stack(columns) if columns else np.empty((len(mixes), 0))

    mixed = best_mix(values, voices=len(voices))
    if mixed is None:
        out = f"; {left_out} were left out because a signal failed" if left_out else ""
        raise InvalidDataset(f"{len(told)} judged questions do not tell one weight from another; label more{out}")
    alone = values(np.eye(len(voices))).mean(axis=1).tolist()
    by_name = dict(zip(voices, mixed.weights, strict=True))
    return Weights(
        method=options.method,
        weights={signal.name: by_name[signal.name] for signal in options.signals},
        first_stage=by_name[FIRST_STAGE],
        figures={FITTED: mixed.fitted, CROSS_VALIDATED: mixed.cross_validated, **dict(zip(voices, alone, strict=True))},
        models=models,
        questions=len(told),
        left_out=left_out,
    )


def _added(after: Hit, before: Hit) -> dict[str, float]:
    """Return the scores that a hit got on the way, by the stage's name."""
    return {stage.name: stage.score for stage in after.stages[len(before.stages) :]}
