"""`gnomon components`: what can be named in the settings, and each one's options."""

import ast
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.context import Cli, JsonOption

if TYPE_CHECKING:
    from types import ModuleType

app = typer.Typer(name="components", help="List and explain components.", no_args_is_help=True)


@app.command("list")
def list_components(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """List the components by package; none of them is imported."""
    from app.core import registry

    cli = Cli.of(context)
    found = [(package, name) for package in registry.PACKAGES for name in registry.names(package)]
    if as_json:
        cli.screen.json_lines({"package": package, "name": name} for package, name in found)
    else:
        cli.screen.table(("package", "component"), found)


@app.command("explain")
def explain_component(
    context: typer.Context,
    component: Annotated[str, typer.Argument(help="Its name, or PACKAGE.NAME where two packages share it.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Tell what a component does, its options, and what it asks of the model."""
    from app.core import registry

    cli = Cli.of(context)
    package, name = _find(component)
    module = registry.load(package, name)
    about: dict[str, Any] = {
        "package": package,
        "name": name,
        "about": (module.__doc__ or "").strip(),
        "needs": _needs(module),
        "options": _options(module),
    }
    if as_json:
        cli.screen.json(about)
        return
    cli.screen.line(f"{package}.{name}")
    cli.screen.text(about["about"])
    if about["needs"]:
        cli.screen.line(f"asks the model for: {', '.join(about['needs'])}")
    if about["options"]:
        rows = [
            (option["name"], option["type"], option["default"], option["description"]) for option in about["options"]
        ]
        cli.screen.table(("option", "type", "default", "meaning"), rows)
    else:
        cli.screen.line("no options")


def _find(component: str) -> tuple[str, str]:
    """Return package and name.

    Raises:
        UnknownComponent: no package has it, or several have.
    """
    from app.core import registry
    from app.core.errors import UnknownComponent

    package, _, name = component.rpartition(".")
    found = [
        (one, name)
        for one in registry.PACKAGES
        if package in ("", one, one.removeprefix("app.")) and name in registry.names(one)
    ]
    if not found:
        raise UnknownComponent(f"no component '{component}'; 'gnomon components list' names them")
    if len(found) > 1:
        choices = " or ".join(f"{one}.{name}" for one, _ in found)
        raise UnknownComponent(f"several packages have a component '{component}'; say {choices}")
    return found[0]


def _options(module: "ModuleType") -> list[dict[str, Any]]:
    schema = module.Options.model_json_schema()
    return [
        {
            "name": name,
            "type": _type(field),
            "default": field.get("default", "" if name in schema.get("required", ()) else None),
            "description": field.get("description", ""),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _type(field: dict[str, Any]) -> str:
    """Return the type of an option in words, with its bounds."""
    if "anyOf" in field:
        return " or ".join(_type(one) for one in field["anyOf"])
    if "enum" in field:
        return " or ".join(str(value) for value in field["enum"])
    bounds = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    words = [f"{sign} {field[key]}" for key, sign in bounds.items() if key in field]
    return " ".join([str(field.get("type", "any")), *words])


def _needs(module: "ModuleType") -> list[str]:
    """Return the capabilities that the module asks for in `resources.model_with(…)`, read from its source."""
    import inspect

    calls = (node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call))
    asked = (call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "model_with")
    return sorted({ast.unparse(call.args[0]) for call in asked if call.args})
