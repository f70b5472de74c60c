"""Files of fitted weights that take the place of the shipped ones."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import FiniteFloat, model_validator

from agents.confidence import SHIPPED, SIGNS, SIGNS_VERSION, Confidence
from app.core.errors import ConfigError
from app.core.fitted_files import FittedFile, read_fitted

MADE_BY = "gnomon eval fit-confidence"


class ConfidenceFile(FittedFile):
    """A weight for each sign, each of its own direction or 0; `models` are digests by role, for the reader.

    `figures` are AURC and Brier score by what ranked the drafts, see `app.experiments.fit_confidence`.
    """

    signs_version: int
    bias: FiniteFloat
    weights: Mapping[str, FiniteFloat]
    figures: Mapping[str, Mapping[str, float]]
    models: Mapping[str, str]

    @model_validator(mode="after")
    def _weights_have_their_direction(self) -> "ConfidenceFile":
        wrong = [name for name, sign in SIGNS.items() if self.weights.get(name, 0.0) * sign.weight < 0]
        if self.signs_version == SIGNS_VERSION and (wrong or self.weights.keys() != SIGNS.keys()):
            raise ValueError("the weights are not those of the signs")
        return self


def confidence_from(path: Path | None) -> Confidence:
    """Return the weights in a file, the shipped ones without one.

    Raises:
        ConfigError: the file cannot be read, or was made of other signs.
    """
    if path is None:
        return SHIPPED
    found = read_fitted(path, ConfidenceFile, holds="confidence weights", made_by=MADE_BY)
    if found.signs_version != SIGNS_VERSION:
        raise ConfigError(
            f"the weights in {path} are of version {found.signs_version} of the signs, not of {SIGNS_VERSION}; "
            f"run `{MADE_BY}` again"
        )
    return Confidence(bias=found.bias, weights=found.weights)
