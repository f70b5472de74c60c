"""Writes the pages of docs/ that the code itself can tell: settings, components, prompts. `make docs` runs it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from app.core import registry
from app.core.prompts import load_prompt
from app.core.settings import PRESETS, Settings

DOCS = Path(__file__).parent
ROOT = DOCS.parent
NOTE = "<!-- Written by `make docs` from the code. Edit the code, not this page. -->"
FOLDERS = {"data_dir": "`gnomon` in the user's data folder", "models_dir": "`gnomon/models` in the user's cache folder"}
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
KINDS = {"integer": "whole number", "number": "number", "boolean": "true or false", "string": "text", "null": "unset"}
FORMATS = {"path": "path", "password": "secret"}
ABOUT = {
    "indexes": "What a collection is searched with. Named by `indexes.lexical` and `indexes.dense`.",
    "retrieval": "How hits are found. Chosen by `search.mode`, or by `--mode` for one search.",
    "rerankers": "How hits are put in order. Named by `search.reranker`.",
    "app.models": "Language models and embedders. Named by `models.generator`, `models.embedder` and `models.scorer`.",
}


def pages() -> dict[str, str]:
    """Return the content of every generated page by its file name."""
    return {"settings.md": settings_page(), "components.md": components_page(), "prompts.md": prompts_page()}


def settings_page() -> str:
    """Return the page of all settings, section by section."""
    lines = ["# Settings", "", NOTE, "", *_settings_introduction(), "", "## Top level", "", *_table(Settings, "")]
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            lines += ["", f"## {name}", "", str(section.__doc__), "", *_table(section, f"{name}.")]
    return "\n".join([*lines, "", "## Presets", "", *_presets(), ""])


def components_page() -> str:
    """Return the page of all components with their options."""
    lines = ["# Components", "", NOTE, ""]
    lines += [
        "A component is one module with a top-level `build`; its name in the settings is the module's name.",
        "`gnomon components list` prints these names, `gnomon components explain NAME` one component with its options.",
        "[CONTRIBUTING.md](../CONTRIBUTING.md) shows how to write one.",
    ]
    for package in registry.PACKAGES:
        lines += ["", f"## {package}", "", ABOUT[package]]
        for name in registry.names(package):
            module = registry.load(package, name)
            lines += ["", f"### {name}", "", *_paragraphs(module.__doc__ or ""), "", *_table(module.Options, "")]
    return "\n".join([*lines, ""])


def prompts_page() -> str:
    """Return the page of all prompts as they are sent."""
    lines = ["# Prompts", "", NOTE, ""]
    lines += [
        "Prompts are files, `<package>/prompts/<name>.yaml`, checked when they are loaded. The digest is the SHA-256",
        "of the file's content and stands in every trace. The system part has no variables and comes first, so the",
        "model's prefix cache keeps it. `$name` is filled in for each call.",
    ]
    for path in sorted(ROOT.glob("*/prompts/*.yaml")):
        prompt = load_prompt(path.parts[-3], path.stem)
        lines += ["", f"## {prompt.name}", "", f"- source: {_source(path)}", f"- digest: `{prompt.digest}`"]
        lines += [f"- variables: {', '.join(f'`${name}`' for name in prompt.user.get_identifiers())}"]
        lines += ["", "System:", "", "```text", prompt.system, "```"]
        lines += ["", "User:", "", "```text", prompt.user.template, "```"]
    return "\n".join([*lines, ""])


def _settings_introduction() -> list[str]:
    return [
        "Settings come from four places; the later wins:",
        "",
        "1. a preset: `--preset NAME` or `GNOMON_PRESET` (`default` without either),",
        "2. a settings file in YAML: `--config FILE`, `GNOMON_CONFIG`, or `gnomon.yaml` in the data folder,",
        "3. the environment: `GNOMON_` and the path, `__` between levels, as in `GNOMON_SEARCH__TOP_K=5`,",
        "4. the command line: `--set search.top_k=5`.",
        "",
        "An unknown key or a value out of its bounds is an error. A component is set with `name` and `options`; a",
        "layer that names another component drops the options of the one below. `gnomon config show` prints what is",
        "in force, `gnomon config validate` checks it, the options of components too. Secrets are masked.",
        "",
        "Three more variables are no settings: `GNOMON_CONFIG` and `GNOMON_PRESET` (above), and `GNOMON_API`, the",
        "address of the REST server that the page speaks to.",
    ]


def _presets() -> Iterator[str]:
    yield "Each is a file in `app/presets/`; what it leaves out has the default above."
    for name in PRESETS:
        text = (ROOT / "app" / "presets" / f"{name}.yaml").read_text(encoding="utf-8")
        yield from ("", f"### Preset {name}", "", "```yaml", text.rstrip("\n"), "```")


def _table(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """Yield a table of a model's fields; sections, which have pages of their own, are left out."""
    schema = model.model_json_schema()
    fields = {name: field for name, field in schema.get("properties", {}).items() if not _is_section(model, name)}
    if not fields:
        yield "No options."
        return
    yield (
        "| setting | kind | default | meaning |"
        if prefix or model is Settings
        else "| option | kind | default | meaning |"
    )
    yield "|---|---|---|---|"
    for name, field in fields.items():
        default = FOLDERS.get(name) or _default(model, name)
        yield f"| `{prefix}{name}` | {_kind(field)} | {default} | {_cell(field.get('description', ''))} |"


def _is_section(model: type[BaseModel], name: str) -> bool:
    return model is Settings and name in Settings.model_fields and _is_model(Settings.model_fields[name].annotation)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _default(model: type[BaseModel], name: str) -> str:
    field = model.model_fields[name]
    if field.is_required():
        return "required"
    value = to_jsonable_python(field.get_default(call_default_factory=True))
    if isinstance(value, Mapping) and set(value) == {"name", "options"}:
        value = value["name"]
    if value in (None, ""):
        return "unset" if value is None else "empty"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _kind(field: Mapping[str, Any]) -> str:
    """Return what a value may be, with its bounds, in words."""
    if "anyOf" in field:
        return " or ".join(_kind(one) for one in field["anyOf"])
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    if "$ref" in field or "allOf" in field:
        return "component"
    kind = FORMATS.get(field.get("format", "")) or KINDS.get(field.get("type", ""), "anything")
    return ", ".join([kind, *(f"{sign} {field[key]:g}" for key, sign in BOUNDS.items() if key in field)])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _paragraphs(docstring: str) -> list[str]:
    return docstring.strip().split("\n")


def _source(path: Path) -> str:
    import yaml

    return str(yaml.safe_load(path.read_text(encoding="utf-8"))["source"])


if __name__ == "__main__":
    for name, content in pages().items():
        (DOCS / name).write_text(content, encoding="utf-8")
