from collections.abc import Iterator
from pathlib import Path

import pytest
from served import FakeEngine, fill, served, settings_for


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    engine = FakeEngine(settings_for(tmp_path, workers=2))
    fill(engine.database)
    return engine


@pytest.fixture
def address(engine: FakeEngine) -> Iterator[str]:
    with served(engine) as address:
        yield address
