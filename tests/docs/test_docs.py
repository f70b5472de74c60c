"""The documents tell what is there, and nothing that is not."""

import importlib.util
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from defusedxml import ElementTree
from pydantic import BaseModel

from app.core import registry
from app.core.errors import AppError
from app.core.events import EventName
from app.core.run import Run
from app.core.settings import PRESETS, Settings, load_settings
from app.core.timespan import Relation
from app.core.types import AnswerReason, AnswerStatus, Stance, Verdict
from app.ingest.readers import READERS
from fakes import a_hit, a_passage, a_query

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
GENERATED = ("settings.md", "components.md", "prompts.md")
IDS = [str(path.relative_to(ROOT)) for path in PAGES]
COMPONENTS = [(package, name) for package in registry.PACKAGES for name in registry.names(package)]
PROMPTS = [f"{path.parts[-3]}/{path.stem}" for path in ROOT.glob("*/prompts/*.yaml")]
MACHINE_PATH = re.compile(r"(?<![\w.~>-])/(?:work|tmp|root|home|Users|mnt|opt|srv|var)/")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<(?:img|source)[^>]+src(?:set)?=\"([^\"]+)\"")


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def links(path: Path) -> Iterator[str]:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for match in LINK.finditer(text):
        target = match[1] or match[2]
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def settings(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if model is Settings and isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from settings(kind, f"{name}.")
        else:
            yield prefix + name


def kinds_of(error: type[AppError]) -> Iterator[type[AppError]]:
    yield error
    for kind in error.__subclasses__():
        if kind.__module__ == AppError.__module__:
            yield from kinds_of(kind)


@pytest.fixture(scope="module")
def generated() -> dict[str, str]:
    pages: dict[str, str] = runpy.run_path(str(DOCS / "generate.py"))["pages"]()
    return pages


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_page_is_what_the_code_says(name: str, generated: dict[str, str]) -> None:
    assert set(generated) == set(GENERATED)
    assert page(name) == generated[name], "run 'make docs'"


@pytest.mark.parametrize("name", list(settings()))
def test_every_setting_is_in_its_page(name: str) -> None:
    assert f"| `{name}` |" in page("settings.md")


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_in_the_page_of_settings(name: str) -> None:
    assert f"### Preset {name}\n" in page("settings.md")


@pytest.mark.parametrize(("package", "name"), COMPONENTS)
def test_every_component_is_in_its_page_with_its_options(package: str, name: str) -> None:
    _, _, section = page("components.md").partition(f"\n## {package}\n")
    _, _, told = section.partition(f"\n### {name}\n")
    assert told
    for option in registry.load(package, name).Options.model_fields:
        assert f"| `{option}` |" in told.partition("\n### ")[0]


def test_every_prompt_is_in_its_page() -> None:
    assert PROMPTS
    assert set(re.findall(r"^## (.+)$", page("prompts.md"), re.MULTILINE)) == set(PROMPTS)


def test_every_event_and_no_other_is_in_the_page_of_the_api() -> None:
    section = page("api.md").partition("\n## Events\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z.]+)`", section, re.MULTILINE)) == set(get_args(EventName))


def test_every_address_and_no_other_is_in_the_page_of_the_api() -> None:
    from app.api.main import create_app

    paths: dict[str, Any] = create_app(load_settings(environment={})).openapi()["paths"]
    there = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert set(re.findall(r"^\| `((?:GET|POST|PUT|PATCH|DELETE) [^`]+)`", page("api.md"), re.MULTILINE)) == there


@pytest.mark.parametrize("code", sorted({kind.code for kind in kinds_of(AppError)}))
def test_every_code_of_an_error_is_in_the_page_of_the_api(code: str) -> None:
    assert re.search(rf"^\|[^|]*`{code}`", page("api.md").partition("\n## Errors\n")[2], re.MULTILINE)


@pytest.mark.parametrize("extension", sorted(READERS))
def test_every_format_is_in_the_page_of_ingest(extension: str) -> None:
    assert f"`{extension}`" in page("ingest.md")


@pytest.mark.parametrize(
    "word", [word for words in (AnswerStatus, AnswerReason, Stance, Verdict, Relation) for word in get_args(words)]
)
def test_every_word_of_an_answer_is_in_the_glossary(word: str) -> None:
    assert f"`{word}`" in page("glossary.md")


def test_every_page_is_within_reach_of_the_architecture() -> None:
    seen: set[Path] = set()
    waiting = [DOCS / "architecture.md"]
    while waiting:
        path = waiting.pop()
        seen.add(path)
        found = {(path.parent / target.partition("#")[0]).resolve() for target in links(path)}
        waiting += [other for other in found if other.suffix == ".md" and other not in seen]
    assert set(DOCS.rglob("*.md")) <= seen


@pytest.mark.parametrize("path", PAGES, ids=IDS)
def test_every_link_points_at_something_that_is_there(path: Path) -> None:
    for target in links(path):
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("path", [*PAGES, *DOCS.rglob("*.svg")], ids=lambda path: path.name)
def test_no_document_names_a_path_of_somebodys_machine(path: Path) -> None:
    assert not MACHINE_PATH.search(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted((DOCS / "decisions").glob("*.md")), ids=lambda path: path.stem)
def test_a_decision_tells_context_decision_and_consequence(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {path.stem[:4]}: ")
    assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == ["Context", "Decision", "Consequence"]


def test_the_picture_names_files_that_are_there() -> None:
    picture = ElementTree.parse(DOCS / "images" / "architecture.svg")
    named = [
        text.text.split()[0]
        for text in picture.iter("{http://www.w3.org/2000/svg}text")
        if text.get("class") == "file" and text.text
    ]
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_documents_and_workflows_name_make_targets_that_are_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    texts = [path.read_text(encoding="utf-8") for path in PAGES]
    told = {
        match for text in texts for line in re.findall(r"(?:`|^)make ([a-z ]+)", text, re.M) for match in line.split()
    }
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"].values()
    run = {step["run"].split()[1] for job in jobs for step in job["steps"] if step.get("run", "").startswith("make ")}
    assert told | run <= targets


def test_the_example_of_contributing_is_a_reranker(tmp_path: Path) -> None:
    code, test = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "title_words.py"
    file.write_text(code)
    spec = importlib.util.spec_from_file_location("title_words", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    compile(test, "test_title_words.py", "exec")
    hits = [a_hit(a_passage(passage_id=f"{n}@0#0", title=title), rank=n) for n, title in ((1, "Mir"), (2, "Skylab"))]

    reranking = module.build(module.Options(weight=2.0), None).rerank(a_query("Skylab"), hits, top_k=2, run=Run())

    assert [hit.passage.title for hit in reranking.hits] == ["Skylab", "Mir"]
