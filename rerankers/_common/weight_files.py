"""Files of weights with which rerankers and the first stage are added up: which, for what models, and how good."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from app.core.errors import ConfigError
from app.core.fitted_files import FittedFile, read_fitted
from rerankers._common.read_models import ReadModel

Method = Literal["zscore", "convex", "rrf"]
"""How scores of one question are made comparable."""

_Share = Annotated[float, Field(ge=0.0, le=1.0)]
_ROUNDING = 1e-6


class WeightFile(FittedFile):
    """A weight for each signal by its name and one for the first stage, adding up to 1, and the models that are read.

    `figures` are means of nDCG@10 over the questions of the fit: `fitted`, `cross_validated`, `first_stage`, and each
    signal by its name.
    """

    method: Method
    weights: Mapping[str, _Share] = Field(min_length=1)
    first_stage: _Share
    figures: Mapping[str, float]
    models: tuple[ReadModel, ...]

    @model_validator(mode="after")
    def _weights_add_up(self) -> "WeightFile":
        if abs(sum(self.weights.values()) + self.first_stage - 1.0) > _ROUNDING:
            raise ValueError("the weights do not add up to 1")
        return self


def weights_in(path: Path, *, signals: Sequence[str], models: Sequence[ReadModel]) -> WeightFile:
    """Return the weights in a file, which must be for these signals and the models that they read.

    Raises:
        ConfigError: the file cannot be read, is for other signals or models, or gives no signal a weight.
    """
    found = read_fitted(path, WeightFile, holds="weights", made_by="gnomon rerankers fit-weights")
    if sorted(found.weights) != sorted(signals):
        raise ConfigError(
            f"the weights in {path} are for {_listed(found.weights)}, not for {_listed(signals)}; "
            "set `signals` to these, or run `gnomon rerankers fit-weights` with yours"
        )
    if strange := [model for model in models if model not in found.models]:
        made_for = ", ".join(_shown(model) for model in found.models) or "no model"
        raise ConfigError(
            f"the weights in {path} were made for {made_for}, not for {_shown(strange[0])}; "
            "run `gnomon rerankers fit-weights` with this model"
        )
    if not any(found.weights.values()):
        raise ConfigError(f"the weights in {path} leave every signal out; take the reranker identity in place of fused")
    return found


def _listed(names: Sequence[str] | Mapping[str, float]) -> str:
    return ", ".join(sorted(names))


def _shown(model: ReadModel) -> str:
    return f"{model.model_id} ({model.model_digest[:12]})" if model.model_digest else model.model_id
