"""Which models rerankers read, told by what they ask for when they are built: fitted values hold for these alone."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from app.core import registry
from app.core.registry import Resources

T = TypeVar("T")


class ReadModel(BaseModel):
    """A model by its name and the SHA-256 of its bytes, which is empty where nothing tells it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model_id: str
    model_digest: str


def digest_of(model: object) -> str:
    """Return the SHA-256 that names the model's bytes, empty for a model that has none, as one behind a server."""
    return str(getattr(model, "digest", ""))


def models_read(build: Callable[[Resources], object], resources: Resources) -> tuple[ReadModel, ...]:
    """Return the models that `build` asks for, each once, by name; what it builds is thrown away."""
    witness = _Witness(resources)
    build(witness)
    found = {ReadModel(model_id=model.model_id, model_digest=digest_of(model)) for model in witness.seen}
    return tuple(sorted(found, key=lambda model: model.model_id))


class _Witness:
    """Resources that remember the models asked for; rerankers inside a reranker are built anew, to be seen asking."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self.seen: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._resources, name)

    def model_with(self, capability: type[T]) -> T:
        model = self._resources.model_with(capability)
        self.seen.append(model)
        return model

    def component(self, package: str, name: str, options: Mapping[str, Any] | None = None) -> Any:
        if package == "rerankers":
            return registry.build(package, name, options or {}, self)
        made = self._resources.component(package, name, options)
        if package == "app.models":
            self.seen.append(made)
        return made
