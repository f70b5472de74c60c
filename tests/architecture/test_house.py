"""The rules of the house that a tool can check."""

import ast
import importlib.metadata
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, median

import pytest

from app.core.settings import PRESETS, load_settings

ROOT = Path(__file__).parents[2]
PACKAGES = ("app", "agents", "retrieval", "rerankers", "indexes", "ui")
DOMAIN = ("app/core", "agents", "retrieval", "rerankers", "indexes", "app/evaluation")
SOURCES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts
)


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            yield node.name, lines + body[0].lineno - node.lineno - _docstring_lines(node) if body else 1


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    if ast.get_docstring(node) is None:
        return 0
    first = node.body[0]
    return (first.end_lineno or 0) - first.lineno + 1


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_or_function_outgrows_its_budget(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
    too_long = [(name, lines) for name, lines in functions(path) if lines > 40]
    assert not too_long


def test_modules_and_functions_stay_small_on_the_whole() -> None:
    modules = [len(path.read_text().splitlines()) for path in SOURCES if path.name != "__init__.py"]
    lengths = [lines for path in SOURCES for _, lines in functions(path)]

    assert median(modules) <= 150
    assert mean(lengths) <= 12


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_has_one_colour_and_no_print(path: Path) -> None:
    tree = ast.parse(path.read_text())
    relative = path.relative_to(ROOT).as_posix()

    calls = [node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    assert "print" not in calls
    if not relative.startswith("app/api/"):
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]


@pytest.mark.parametrize(
    "path",
    [path for path in SOURCES if path.relative_to(ROOT).as_posix().startswith(DOMAIN)],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_domain_code_never_asks_the_clock(path: Path) -> None:
    assert not re.search(r"datetime\.now|date\.today|utcnow|time\.time\(", path.read_text())


def test_no_broad_except_in_domain_code() -> None:
    for path in SOURCES:
        if path.relative_to(ROOT).as_posix().startswith(DOMAIN):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ExceptHandler):
                    assert node.type is not None, path
                    assert ast.unparse(node.type) not in ("Exception", "BaseException"), path


def test_no_preset_names_the_scripted_model() -> None:
    for preset in PRESETS:
        assert "scripted" not in load_settings(preset=preset, environment={}).model_dump_json()


def test_no_other_distribution_provides_one_of_our_names() -> None:
    providers = importlib.metadata.packages_distributions()

    for package in PACKAGES:
        assert set(providers.get(package, [])) <= {"gnomon"}, package


def test_public_names_have_docstrings_that_say_something() -> None:
    for path in SOURCES:
        if path.name != "__init__.py":
            assert len(ast.get_docstring(ast.parse(path.read_text())) or "") >= 20, path
