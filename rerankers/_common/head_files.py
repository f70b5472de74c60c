"""Files that name attention heads of one model: which, and how they were found."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from app.core.errors import ConfigError
from app.core.fitted_files import FittedFile, read_fitted
from app.core.protocols import AttentionReader
from rerankers._common.attended import Head
from rerankers._common.read_models import digest_of

_Place = Annotated[int, Field(ge=0)]


class HeadFile(FittedFile):
    """Heads as (layer, head) from 0, best first, and the model they belong to; its digest is empty if it has none."""

    model_id: str
    model_digest: str
    heads: tuple[tuple[_Place, _Place], ...] = Field(min_length=1)


def heads_in(path: Path, reader: AttentionReader) -> Sequence[Head]:
    """Return the heads that a file names for this model.

    Raises:
        ConfigError: the file cannot be read, was made for another model or for other bytes of it, or names a head that
            the model lacks.
    """
    found = read_fitted(path, HeadFile, holds="heads", made_by="gnomon rerankers detect-heads")
    if found.model_id != reader.model_id:
        raise ConfigError(
            f"the heads in {path} were made for {found.model_id}, not for {reader.model_id}; "
            "run `gnomon rerankers detect-heads` with this model"
        )
    if found.model_digest != (digest := digest_of(reader)):
        raise ConfigError(
            f"the heads in {path} were made for {found.model_id} of digest '{found.model_digest[:12]}', this one has "
            f"'{digest[:12]}'; run `gnomon rerankers detect-heads` with this model"
        )
    absent = [head for head in found.heads if head[0] >= reader.layers or head[1] >= reader.heads]
    if absent:
        raise ConfigError(
            f"{path} names head {list(absent[0])}, {reader.model_id} has {reader.layers} layers of {reader.heads} heads"
        )
    return found.heads
