"""Files that name attention heads of one model: which, and how they were found."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.core.errors import ConfigError
from app.core.protocols import AttentionReader
from rerankers._common.attended import Head

_Place = Annotated[int, Field(ge=0)]


class HeadFile(BaseModel):
    """Heads as (layer, head) from 0, best first; the model they belong to; data, command and day of their making."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model_id: str
    heads: tuple[tuple[_Place, _Place], ...] = Field(min_length=1)
    made_from: str
    command: str
    made_on: str = ""

    def write(self, path: Path) -> None:
        """Write the file as JSON."""
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")


def heads_in(path: Path, reader: AttentionReader) -> Sequence[Head]:
    """Return the heads that a file names for this model.

    Raises:
        ConfigError: the file cannot be read, was made for another model, or names a head that the model lacks.
    """
    found = _read(path)
    if found.model_id != reader.model_id:
        raise ConfigError(
            f"the heads in {path} were made for {found.model_id}, not for {reader.model_id}; "
            "run `gnomon rerankers detect-heads` with this model"
        )
    absent = [head for head in found.heads if head[0] >= reader.layers or head[1] >= reader.heads]
    if absent:
        raise ConfigError(
            f"{path} names head {list(absent[0])}, {reader.model_id} has {reader.layers} layers of {reader.heads} heads"
        )
    return found.heads


def _read(path: Path) -> HeadFile:
    try:
        return HeadFile.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the heads in {path}: {error.strerror}") from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} holds no heads of a model; see `gnomon rerankers detect-heads`") from error
