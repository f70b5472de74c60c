"""Files of values that were fitted on labelled questions: each says from what, by which command and when."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from app.core.errors import ConfigError
from app.core.files import write_whole


class FittedFile(BaseModel):
    """What every such file tells of its making: data with its digest, the command, and the day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    made_from: str
    command: str
    made_on: str = ""

    def write(self, path: Path) -> None:
        """Write the file as JSON, in one step."""
        write_whole(path, self.model_dump_json(indent=1) + "\n")


F = TypeVar("F", bound=FittedFile)


def read_fitted(path: Path, kind: type[F], *, holds: str, made_by: str) -> F:
    """Return the content of a file of that kind; `holds` and `made_by`, a command, are words for the messages.

    Raises:
        ConfigError: the file cannot be read, or holds something else.
    """
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the {holds} in {path}: {error.strerror}") from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} holds no {holds} of a model; see `{made_by}`") from error
