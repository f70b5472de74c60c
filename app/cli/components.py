"""`gnomon components`: what can be named in the settings, what each asks for and costs, and its options."""

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.context import Cli, JsonOption

if TYPE_CHECKING:
    from types import ModuleType

_ARXIV = re.compile(r"arXiv:? ?(\d{4}\.\d{4,5})")
_COST = "Cost: "  # begins the paragraph of a module's docstring that says what one question costs

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
    """Tell what a component does and costs, its source, its options, and whether the models in use suit it."""
    from app.core import registry

    cli = Cli.of(context)
    package, name = _find(component)
    about = _explained(package, name, registry.load(package, name), cli)
    if as_json:
        cli.screen.json(about)
        return
    cli.screen.line(f"{package}.{name}")
    cli.screen.text(about["about"])
    for source in about["sources"]:
        cli.screen.line(f"source: {source}")
    for need in about["needs"]:
        who = f"{need['model']} has it" if need["model"] else "no model in use has it; choose another model"
        cli.screen.line(f"asks the model for: {need['capability']} ({who})")
    if about["gives"]:
        cli.screen.line(f"can be asked for: {', '.join(about['gives'])}")
    if about["options"]:
        rows = [
            (option["name"], option["type"], option["default"], option["description"]) for option in about["options"]
        ]
        cli.screen.table(("option", "type", "default", "meaning"), rows)
    else:
        cli.screen.line("no options")


def _explained(package: str, name: str, module: "ModuleType", cli: Cli) -> dict[str, Any]:
    from app.cli.capabilities import capabilities_of, needs_of, who_can

    about = (module.__doc__ or "").strip()
    needed = needs_of(module)
    models = cli.settings().models if needed else None
    needs = [{"capability": one, "model": who_can(one, models)} for one in needed if models]
    costs = (paragraph.removeprefix(_COST) for paragraph in about.split("\n\n") if paragraph.startswith(_COST))
    return {
        "package": package,
        "name": name,
        "about": about,
        "cost": " ".join(" ".join(costs).split()),
        "sources": [f"https://arxiv.org/abs/{number}" for number in dict.fromkeys(_ARXIV.findall(about))],
        "needs": needs,
        "gives": capabilities_of(module) if package == "app.models" else [],
        "options": _options(module),
    }


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
