from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from served import FakeEngine, fill

from app.cli.context import Cli
from app.cli.main import main
from app.core.settings import Settings


@dataclass(frozen=True)
class Ran:
    """What one call of `gnomon` left."""

    code: int
    out: str
    err: str


Gnomon = Callable[..., Ran]


class FakeEngines:
    """Opens scripted engines, each with the three documents of the fake collection."""

    def __init__(self) -> None:
        self.opened: list[FakeEngine] = []

    def __call__(self, settings: Settings) -> FakeEngine:
        engine = FakeEngine(settings)
        if not self.opened:
            fill(engine.database)
        self.opened.append(engine)
        return engine


@pytest.fixture(autouse=True)
def no_outer_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GNOMON_CONFIG", "GNOMON_PRESET", "GNOMON_DATA_DIR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def engines() -> FakeEngines:
    return FakeEngines()


@pytest.fixture
def gnomon(tmp_path: Path, capfd: pytest.CaptureFixture[str], engines: FakeEngines) -> Gnomon:
    """Run the real command line in this process around a scripted engine."""

    def run(*arguments: object) -> Ran:
        given = ["--data-dir", str(tmp_path / "data"), *(str(argument) for argument in arguments)]
        code = main(given, start=Cli(open_engine=engines))  # type: ignore[arg-type]
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return run


@pytest.fixture
def real(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Gnomon:
    """Run the real command line with real stores and indexes, and the embedder that needs no model file."""

    def run(*arguments: object, options: Sequence[str] = ()) -> Ran:
        settings = ["--data-dir", str(tmp_path / "data"), "--set", "models.embedder.name=hashing_embedder"]
        code = main([*settings, *options, *(str(argument) for argument in arguments)])
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return run
