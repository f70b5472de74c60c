"""Finds components by module name: a module that defines a top-level `build` is a component.

Names are read from the source without importing it, so torch waits until it is needed and a broken neighbour cannot
hurt.
"""

import ast
import importlib
import importlib.util
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from app.core.errors import ConfigError, UnknownComponent
from app.core.protocols import Embedder, Index, PassageSource

PACKAGES = ("indexes", "retrieval", "rerankers", "app.models")

T = TypeVar("T")


class ComponentOptions(BaseModel):
    """Options of one component; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Resources(Protocol):
    """What a component may ask for when it is built; everything is made at most once."""

    @property
    def passages(self) -> PassageSource:
        """The passages of the collection in hand."""
        ...

    @property
    def offline(self) -> bool:
        """Whether sockets beyond loopback are forbidden."""
        ...

    @property
    def embedder(self) -> Embedder:
        """The embedder that the settings name."""
        ...

    def index(self, kind: str) -> Index:
        """Return the collection's index of that kind, `lexical` or `dense`."""
        ...

    def model_with(self, capability: type[T]) -> T:
        """Return the language model if it has the capability, else raise MissingCapability."""
        ...

    def component(self, package: str, name: str, options: Mapping[str, Any] | None = None) -> Any:
        """Build another component, for those that combine several."""
        ...

    def model_file(self, name: str) -> Path:
        """Return the verified file or folder of a model named in the catalogue, or of a path."""
        ...


@cache
def names(package: str) -> tuple[str, ...]:
    """Return the component names of a package, sorted."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise UnknownComponent(f"no package '{package}'; choose from {list(PACKAGES)}")
    folder = Path(next(iter(spec.submodule_search_locations)))
    sources = {path.stem: path for path in folder.glob("*.py") if path.stem != "__init__"}
    sources |= {path.parent.name: path for path in folder.glob("*/__init__.py")}
    return tuple(sorted(name for name, path in sources.items() if _defines_build(path)))


def load(package: str, name: str) -> ModuleType:
    """Import a component's module.

    Raises:
        UnknownComponent: the package has no component of that name.
    """
    if name not in names(package):
        raise UnknownComponent(f"no '{name}' in {package.replace('.', '/')}/; choose from {list(names(package))}")
    return importlib.import_module(f"{package}.{name}")


def options_of(package: str, name: str, options: Mapping[str, Any]) -> ComponentOptions:
    """Return a component's checked options.

    Raises:
        ConfigError: a key is unknown or a value is out of its bounds.
    """
    model = cast("type[ComponentOptions]", load(package, name).Options)
    try:
        return model(**options)
    except ValidationError as error:
        raise ConfigError(f"{package}.{name}: {_first_problem(error)}") from error


def build(package: str, name: str, options: Mapping[str, Any], resources: Resources) -> Any:
    """Build a component by name.

    Raises:
        UnknownComponent: the package has no component of that name.
        ConfigError: the options do not fit.
    """
    checked = options_of(package, name, options)
    make = cast("Callable[[ComponentOptions, Resources], Any]", load(package, name).build)
    return make(checked, resources)


def _defines_build(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == "build" for node in tree.body)


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    return f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
