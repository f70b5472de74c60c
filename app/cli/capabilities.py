"""What a component asks of the models in use, and which of them can do it; told from the code, nothing is loaded."""

import ast
import inspect
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticUndefined

if TYPE_CHECKING:
    from app.core.settings import Models

_WRITING = ("LanguageModel", "StreamingModel")


def needs_of(module: ModuleType) -> list[str]:
    """Return the capabilities that a component asks for in `resources.model_with(…)`, by name.

    What it is made of when nothing else is said, as a cascade of its steps, counts too.
    """
    from app.core import registry

    calls = (node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call))
    asked = (call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "model_with")
    found = {ast.unparse(call.args[0]) for call in asked if call.args}
    for name in _inner(module):
        found |= set(needs_of(registry.load("rerankers", name)))
    return sorted(found)


def capabilities_of(module: ModuleType) -> list[str]:
    """Return the capabilities that the classes of a model component have, by name."""
    from app.core import protocols

    classes = [one for one in vars(module).values() if inspect.isclass(one) and one.__module__ == module.__name__]
    return sorted(
        name
        for name, protocol in vars(protocols).items()
        if getattr(protocol, "_is_runtime_protocol", False) and any(_fits(one, protocol) for one in classes)
    )


def who_can(capability: str, models: "Models") -> str | None:
    """Return the setting and the name of the first model that has a capability, None if those in use lack it."""
    from app.core import registry

    for role in models.roles(writing=capability in _WRITING):
        name = getattr(models, role).name
        if capability in capabilities_of(registry.load("app.models", name)):
            return f"models.{role}: {name}"
    return None


def _inner(module: ModuleType) -> Sequence[str]:
    """Return the rerankers that the options name by default."""
    from app.core import registry

    defaults = [field.default for field in module.Options.model_fields.values()]
    listed = [part for one in defaults if one is not PydanticUndefined and isinstance(one, tuple) for part in one]
    known = registry.names("rerankers")
    return [part.name for part in listed if getattr(part, "name", None) in known]


def _fits(found: type, protocol: Any) -> bool:
    methods = [name for name, value in vars(protocol).items() if inspect.isfunction(value) and name[0] != "_"]
    return all(callable(getattr(found, name, None)) for name in methods)
