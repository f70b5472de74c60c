"""The file that a finished evaluation leaves: everything that its figures were made of, and the figures."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.core.errors import InvalidDataset
from app.core.files import write_whole

METRICS_VERSION = 1  # raised when a metric would give another number for the same records


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Estimate(_Record):
    """A figure with its 95 % bootstrap interval over the `n` questions it is made of; all None when n is 0."""

    value: float | None
    low: float | None
    high: float | None
    n: int


class Scored(_Record):
    """One question: `values` by metric name, None where the question is excluded from the metric.

    `lost` is the stage that lost a wrong answer, empty for a right one; `trace` is `records.jsonl:LINE`.
    """

    query_id: str
    text: str
    kind: str
    hops: int | None
    golds: list[str]
    status: str
    answer: str
    lost: str
    values: dict[str, float | None]
    seconds: float
    tokens: int
    trace: str


class Result(_Record):
    """A whole evaluation; never written for a run that was interrupted."""

    format: Literal[1] = 1
    dataset: str
    system: str
    reranker: str
    command: str
    created: str
    questions: int
    documents: int
    seed: int
    sample: int | None
    limit: int | None
    relevant_from: int
    excluded: dict[str, int] = Field(description="questions left out of figures, by reason")
    digests: dict[str, str] = Field(description="dataset, settings, metrics, and the models in use")
    settings: dict[str, Any]
    metrics: dict[str, Estimate]
    groups: dict[str, dict[str, dict[str, Estimate]]] = Field(description="'hops' or 'type' → value → metrics")
    cost: dict[str, Any]
    lost: dict[str, int] = Field(description="wrong answers by the stage that lost them")
    curve: list[tuple[float, float]] = Field(description="risk-coverage curve: (coverage, risk), by coverage")
    scored: list[Scored]

    def write(self, path: Path) -> None:
        """Write it in one step."""
        write_whole(path, self.model_dump_json(indent=1) + "\n")


def read_result(path: Path) -> Result:
    """Return the result that a file, or the folder of a run, holds.

    Raises:
        InvalidDataset: there is none, it is of another format, or its run was not finished.
    """
    file = path / "result.json" if path.is_dir() else path
    try:
        return Result.model_validate_json(file.read_bytes())
    except FileNotFoundError as error:
        raise InvalidDataset(f"{file}: no such result; the run is not finished, its command goes on with it") from error
    except OSError as error:
        raise InvalidDataset(f"{file}: cannot be read ({error.strerror}); check the path") from error
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"]) or "its JSON"
        raise InvalidDataset(f"{file}: no result of 'gnomon eval run': {where}: {problem['msg']}") from error
