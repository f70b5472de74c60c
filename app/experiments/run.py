"""One system over one data set: indexed on first use, resumable, and never a part reported as a whole."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from app.core.errors import Cancelled, ConfigError, ModelError
from app.core.run import Run
from app.core.settings import Settings
from app.engine import Engine
from app.experiments.datasets import Asked, Dataset
from app.experiments.records import Raw, RecordFile, has_failed, to_record
from app.experiments.results import METRICS_VERSION, Result
from app.experiments.scoring import score
from app.experiments.systems import ANSWERING, System, make_system, settings_for

ALIKE = 5
_POLL_SECONDS = 0.2
_COLLECTION = "dataset"
_MEASURED = ("agents", "retrieval", "rerankers", "indexes", "app/models")  # code that makes what is measured

Progress = Callable[[int, int, str], None]


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
    progress: Progress = lambda done, total, current: None,
) -> Finished:
    """Return the result of all chosen questions; those that an earlier, stopped run has done are not done again.

    Raises:
        Cancelled: it was stopped; what was done so far is kept.
        ConfigError: there is no such system or reranker, or nothing to be asked.
        ModelError: question after question failed for the same reason.
        AppError: the corpus cannot be indexed, or a component failed.
    """
    _check(evaluation)
    own = settings_for(evaluation.system, settings, reranker=evaluation.reranker)
    digests = _digests(evaluation, own)
    folder = settings.data_dir / "eval" / "runs" / _name(evaluation, digests)
    engine, warnings = _indexed(evaluation, own, open_engine, cancelled, progress)
    file = RecordFile(folder / "records.jsonl")
    try:
        system = make_system(
            evaluation.system,
            engine,
            collection=evaluation.collection or _COLLECTION,
            dataset=evaluation.dataset,
            today=evaluation.today,
            seed=evaluation.seed,
        )
        _work(system, evaluation, file, cancelled, progress)
        result = _result(
            evaluation, own, file, digests | _models(evaluation, engine), documents=_documents(evaluation, engine)
        )
    finally:
        file.close()
        engine.close()
    result.write(folder / "result.json")
    return Finished(result=result, folder=folder, warnings=(*evaluation.dataset.warnings, *warnings))


def _check(evaluation: Evaluation) -> None:
    dataset = evaluation.dataset
    if dataset.corpus is None and evaluation.collection is None:
        raise ConfigError(
            f"{dataset.name} is a question file alone; name the collection that is asked with --collection"
        )
    if dataset.corpus is not None and evaluation.collection is not None:
        raise ConfigError(f"{dataset.name} has a corpus of its own; leave --collection away")


def _name(evaluation: Evaluation, digests: dict[str, str]) -> str:
    chosen = [evaluation.seed, evaluation.sample, evaluation.limit, evaluation.collection]
    recipe = hashlib.sha256(json.dumps([digests, chosen], sort_keys=True).encode()).hexdigest()
    parts = [evaluation.dataset.name, evaluation.system, evaluation.reranker, recipe[:8]]
    return "-".join(part for part in parts if part)


def _digests(evaluation: Evaluation, settings: Settings) -> dict[str, str]:
    """Return what a record depends on: questions, settings, and the code and prompts that are measured."""
    code = hashlib.sha256()
    root = Path(str(find_spec("app").submodule_search_locations[0])).parent  # type: ignore[union-attr, index]  # ours
    for package in _MEASURED:
        for path in sorted((root / package).rglob("*")):
            if path.suffix in (".py", ".yaml", ".toml"):
                code.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return {"dataset": evaluation.dataset.digest, "settings": settings.digest(), "code": code.hexdigest()}


def _indexed(
    evaluation: Evaluation,
    settings: Settings,
    open_engine: Callable[[Settings], Engine],
    cancelled: Callable[[], bool],
    progress: Progress,
) -> tuple[Engine, list[str]]:
    """Return an engine whose collection holds the corpus, indexed now if it was not before, and what was odd."""
    dataset = evaluation.dataset
    if evaluation.system == "candidates" or dataset.corpus is None:
        return open_engine(settings), []
    parts = [dataset.corpus_digest, settings.ingest.model_dump(), settings.indexes.model_dump()]
    parts += [settings.models.embedder.model_dump()]
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    folder = settings.data_dir / "eval" / "indexes" / f"{dataset.name}-{key[:12]}"
    engine = open_engine(settings.model_copy(update={"data_dir": folder}))
    report = folder / "ingested.json"
    if not report.is_file():
        found = engine.pipeline(_COLLECTION).run(
            [dataset.corpus],
            run=Run(cancelled=cancelled),
            progress=lambda at: progress(at.done, at.total, "indexing"),
        )
        report.write_text(json.dumps({"failed": [str(failure) for failure in found.failed]}), encoding="utf-8")
    failed = json.loads(report.read_text(encoding="utf-8"))["failed"]
    return engine, [f"{len(failed)} documents could not be read, first {failed[0]}"] if failed else []


def _work(
    system: System, evaluation: Evaluation, file: RecordFile, cancelled: Callable[[], bool], progress: Progress
) -> None:
    """Make the records that are missing, `workers` chunks at a time."""
    done = file.raw().keys()
    total = len(evaluation.dataset.asked)
    todo = [one for one in evaluation.dataset.asked if one.query_id not in done]
    worked = total - len(todo)
    chunks = (todo[start : start + system.at_once] for start in range(0, len(todo), system.at_once))
    failures: list[str] = []
    pool = ThreadPoolExecutor(evaluation.workers, thread_name_prefix="eval")
    try:
        for raws in _finished(pool, chunks, lambda chunk: system.work_on(chunk, cancelled), evaluation.workers):
            if cancelled():
                raise Cancelled("stopped; the same command goes on")
            for raw in raws:
                file.append(raw)
                worked += 1
                progress(worked, total, raw["query_id"])
                failures = [*failures, str(raw["answer"].get("detail"))] if has_failed(raw) else []
            if len(failures) >= ALIKE and len(set(failures[-ALIKE:])) == 1:
                raise ModelError(f"{ALIKE} questions in a row failed alike: {failures[-1]}")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _finished(
    pool: ThreadPoolExecutor,
    chunks: Iterator[Sequence[Asked]],
    work: Callable[[Sequence[Asked]], list[Raw]],
    workers: int,
) -> Iterator[list[Raw]]:
    """Yield what the chunks give as they are done; no more are begun than there are workers."""
    running: set[Future[list[Raw]]] = set()
    while True:
        running |= {pool.submit(work, chunk) for chunk in islice(chunks, workers - len(running))}
        if not running:
            return
        done, running = wait(running, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()


def _result(
    evaluation: Evaluation, settings: Settings, file: RecordFile, digests: dict[str, str], *, documents: int
) -> Result:
    dataset = evaluation.dataset
    raw, lines = file.raw(), file.lines()
    scores = score(
        dataset.golds,
        [to_record(raw[one.query_id]) for one in dataset.asked],
        relevant_from=dataset.relevant_from,
        seed=evaluation.seed,
        traces={query_id: f"records.jsonl:{line}" for query_id, line in lines.items()},
    )
    return Result(
        dataset=dataset.name,
        system=evaluation.system,
        reranker=evaluation.reranker or settings.search.reranker.name,
        command=evaluation.command,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        questions=len(dataset.asked),
        documents=documents,
        seed=evaluation.seed,
        sample=evaluation.sample,
        limit=evaluation.limit,
        relevant_from=dataset.relevant_from,
        excluded=scores.excluded,
        digests={**digests, "metrics": str(METRICS_VERSION)},
        settings=settings.model_dump(mode="json", exclude={"data_dir", "models_dir", "offline", "server"}),
        metrics=scores.metrics,
        groups=scores.groups,
        cost=scores.cost,
        lost=scores.lost,
        curve=scores.curve,
        scored=scores.scored,
    )


def _models(evaluation: Evaluation, engine: Engine) -> dict[str, str]:
    """Return the digests of the models that had a part in it."""
    digests = engine.model_digests()
    if evaluation.system not in ANSWERING and engine.settings.search.reranker.name == "identity":
        del digests["generator"]
    if evaluation.system in ("candidates", "lexical"):
        del digests["embedder"]
    return digests


def _documents(evaluation: Evaluation, engine: Engine) -> int:
    if evaluation.system == "candidates":
        return 0
    return engine.collection(evaluation.collection or _COLLECTION).row.documents
