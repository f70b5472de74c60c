"""Asks the model for one JSON object and checks its shape; the backend's grammar has already held it to the schema."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from agents.state import Tools
from app.core.errors import UnparsableOutput
from app.core.types import Prompt, Sampling

T = TypeVar("T", bound=BaseModel)


def ask(tools: Tools, prompt: Prompt, *, shape: type[T], max_tokens: int) -> T:
    """Return the model's reply as a record of that shape; one model call.

    Raises:
        UnparsableOutput: the reply is cut off or of another shape; carries the raw text.
    """
    [completion] = tools.model.generate([prompt], sampling=Sampling(max_tokens=max_tokens), run=tools.run)
    try:
        return shape.model_validate_json(completion.text)
    except ValidationError as error:
        problem = error.errors()[0]["msg"]
        raise UnparsableOutput(
            f"the reply to '{prompt.name}' is not as asked: {problem}", raw=completion.text
        ) from error
