import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import ConfigError
from app.core.prompts import load_prompt

GOOD = "source: ours\nsystem: Be brief.\nuser: 'Question: $question'\nvariables: [question]\n"


@pytest.fixture
def package(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"prompted_{abs(hash(request.node.name))}"
    folder = tmp_path / name
    (folder / "prompts").mkdir(parents=True)
    (folder / "__init__.py").touch()
    sys.path.insert(0, str(tmp_path))
    importlib.invalidate_caches()
    yield name
    sys.path.remove(str(tmp_path))


def write(package: str, text: str) -> None:
    module = importlib.import_module(package)
    (Path(str(module.__file__)).parent / "prompts" / "p.yaml").write_text(text)


def test_a_prompt_is_filled_in_and_named_by_its_digest(package: str) -> None:
    write(package, GOOD)

    prompt = load_prompt(package, "p").render(question="Who? costs $5 {x}")

    assert prompt.user == "Question: Who? costs $5 {x}"
    assert (prompt.system, prompt.name, len(prompt.digest)) == ("Be brief.", f"{package}/p", 64)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "sytem: x\n", "unknown keys"),
        ("source: ours\nsystem: x\n", "lacks"),
        (GOOD.replace("[question]", "[question, more]"), "declares"),
    ],
)
def test_a_malformed_prompt_file_is_refused(package: str, text: str, message: str) -> None:
    write(package, text)

    with pytest.raises(ConfigError, match=message):
        load_prompt(package, "p")


def test_a_missing_or_unknown_variable_is_refused(package: str) -> None:
    write(package, GOOD)

    with pytest.raises(ConfigError, match="takes"):
        load_prompt(package, "p").render(query="Who?")
    with pytest.raises(ConfigError, match="no prompt"):
        load_prompt(package, "absent")
