"""One system over one data set: resumable, and never a part reported as a whole."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path

from app.core.errors import ConfigError
from app.core.settings import Settings
from app.engine import Engine
from app.evaluation.records import Record
from app.experiments.asking import ask_all
from app.experiments.corpus import COLLECTION, Progress, index_folder, prepare, unseen
from app.experiments.datasets import Dataset
from app.experiments.files import joint_digest
from app.experiments.records import Raw, RecordFile, has_failed, to_record
from app.experiments.results import METRICS_VERSION, Result
from app.experiments.scoring import score
from app.experiments.systems import ANSWERING, is_reranking, make_system, settings_for
from app.experiments.trec_files import remove_runs, write_runs

_MEASURED = (  # code and prompts that make what is measured, as patterns from where the packages lie
    "agents/**/*",
    "retrieval/**/*",
    "rerankers/**/*",
    "indexes/**/*",
    "app/core/**/*",
    "app/ingest/**/*",
    "app/models/**/*",
    "app/engine.py",
    "app/proxies.py",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What is measured; `dataset` holds the questions that were chosen from it by `sample`, `seed` and `limit`.

    `collection` is that of a question file alone; a data set with a corpus has its own.
    """

    dataset: Dataset
    system: str
    today: date
    command: str
    reranker: str | None = None
    collection: str | None = None
    sample: int | None = None
    limit: int | None = None
    seed: int = 0
    workers: int = 1

    @property
    def is_searching(self) -> bool:
        """Whether a collection is searched; given lists need none."""
        return self.system != "candidates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A whole run: its result, where it lies, and what was odd."""

    result: Result
    folder: Path
    warnings: tuple[str, ...]


def run_evaluation(
    evaluation: Evaluation,
    settings: Settings,
    *,
    open_engine: Callable[[Settings], Engine],
    cancelled: Callable[[], bool] = lambda: False,
    indexing: Progress = unseen,
    progress: Progress = unseen,
) -> Finished:
    """Return the result of all chosen questions; those that an earlier, stopped run has done are not done again.

    `indexing` is told bytes of the corpus, `progress` questions of this run, each done and in all.

    Raises:
        Cancelled: it was stopped; what was done so far is kept.
        ConfigError: there is no such system or reranker, or nothing to be asked.
        ModelError: question after question failed for the same reason.
        AppError: the corpus cannot be indexed, or a component failed.
    """
    _check(evaluation)
    dataset, collection = evaluation.dataset, evaluation.collection or COLLECTION
    own = settings_for(evaluation.system, settings, reranker=evaluation.reranker)
    if evaluation.is_searching:
        own = own.model_copy(update={"data_dir": index_folder(dataset, own)})
    with closing(open_engine(own)) as engine:
        warnings = list(dataset.warnings)
        if evaluation.is_searching:
            warnings += prepare(dataset, engine, collection, cancelled=cancelled, progress=indexing)
        system = make_system(
            evaluation.system,
            engine,
            collection=collection,
            dataset=dataset,
            today=evaluation.today,
            seed=evaluation.seed,
        )
        digests = _digests(evaluation, engine)
        folder = settings.data_dir / "eval" / "runs" / _name(evaluation, digests)
        with closing(RecordFile(folder / "records.jsonl")) as file:
            done = file.raw()
            if todo := [one for one in dataset.asked if one.query_id not in done]:
                remove_runs(folder)
                (folder / "result.json").unlink(missing_ok=True)  # these are of other records
            ask_all(system, todo, file, workers=evaluation.workers, cancelled=cancelled, progress=progress)
            records = [to_record(file.raw()[one.query_id]) for one in dataset.asked]
            warnings += write_runs(folder, records, tag=_tag(evaluation, engine))
            result = _result(evaluation, engine, records, file.lines(), digests)
            result.write(folder / "result.json")
            warnings += _failures(file.raw().values())
    return Finished(result=result, folder=folder, warnings=tuple(warnings))


def _check(evaluation: Evaluation) -> None:
    dataset = evaluation.dataset
    if dataset.corpus is None and evaluation.collection is None:
        raise ConfigError(
            f"{dataset.name} is a question file alone; name the collection that is asked with --collection"
        )
    if dataset.corpus is not None and evaluation.collection is not None:
        raise ConfigError(f"{dataset.name} has a corpus of its own; leave --collection away")


def _digests(evaluation: Evaluation, engine: Engine) -> dict[str, str]:
    """Return what a record depends on: questions, what is searched, settings, models, and the code that is measured."""
    code = hashlib.sha256()
    root = Path(str(find_spec("app").submodule_search_locations[0])).parent  # type: ignore[union-attr, index]  # ours
    for path in sorted(path for pattern in _MEASURED for path in root.glob(pattern)):
        if path.suffix in (".py", ".yaml", ".toml"):
            code.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    dataset = evaluation.dataset.digest
    if evaluation.collection is not None:  # which may have changed since, as a data set's own corpus cannot
        dataset = joint_digest([dataset, engine.collection(evaluation.collection).row.index_digest])
    digests = {"dataset": dataset, "settings": engine.settings.digest(), "code": code.hexdigest()}
    idle: set[str] = set()
    if not is_reranking(engine.settings):
        idle |= {"scorer"} if evaluation.system in ANSWERING else {"generator", "scorer"}
    if evaluation.system in ("candidates", "lexical"):
        idle.add("embedder")
    return digests | {role: digest for role, digest in engine.model_digests().items() if role not in idle}


def _name(evaluation: Evaluation, digests: Mapping[str, str]) -> str:
    chosen = [evaluation.seed, evaluation.sample, evaluation.limit, evaluation.collection]
    recipe = hashlib.sha256(json.dumps([digests, chosen], sort_keys=True).encode()).hexdigest()
    parts = [evaluation.dataset.name, evaluation.system, evaluation.reranker, recipe[:8]]
    return "-".join(part for part in parts if part)


def _tag(evaluation: Evaluation, engine: Engine) -> str:
    """Return what made the final ranking: the system, and the reranker if there is one."""
    reranker = engine.settings.search.reranker.name
    return f"{evaluation.system}-{reranker}" if is_reranking(engine.settings) else evaluation.system


def _result(
    evaluation: Evaluation,
    engine: Engine,
    records: Sequence[Record],
    lines: Mapping[str, int],
    digests: Mapping[str, str],
) -> Result:
    dataset = evaluation.dataset
    searched = evaluation.collection or COLLECTION
    scores = score(
        dataset.golds,
        records,
        relevant_from=dataset.relevant_from,
        seed=evaluation.seed,
        traces={query_id: f"records.jsonl:{line}" for query_id, line in lines.items()},
    )
    return Result(
        dataset=dataset.name,
        system=evaluation.system,
        reranker=engine.settings.search.reranker.name,
        command=evaluation.command,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        questions=len(dataset.asked),
        documents=engine.collection(searched).row.documents if evaluation.is_searching else 0,
        seed=evaluation.seed,
        sample=evaluation.sample,
        limit=evaluation.limit,
        relevant_from=dataset.relevant_from,
        excluded=scores.excluded,
        digests={**digests, "metrics": str(METRICS_VERSION)},
        settings=engine.settings.model_dump(mode="json", exclude={"data_dir", "models_dir", "offline", "server"}),
        metrics=scores.metrics,
        groups=scores.groups,
        cost=scores.cost,
        lost=scores.lost,
        curve=scores.curve,
        scored=scores.scored,
    )


def _failures(raws: Collection[Raw]) -> list[str]:
    """Return a warning of the answers that failed."""
    why = [str(raw["answer"]["detail"]) for raw in raws if has_failed(raw)]
    return [f"{len(why)} questions failed, first: {why[0]}; the same command asks them again"] if why else []
