from collections.abc import Iterator
from pathlib import Path

import pytest
from served import FakeEngine, fill, settings_for
from starlette.testclient import TestClient

from app.api.main import create_app


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FakeEngine]:
    engine = FakeEngine(settings_for(tmp_path, queue=1, max_upload_mb=1))
    fill(engine.database)
    yield engine
    engine.close()


@pytest.fixture
def client(engine: FakeEngine) -> Iterator[TestClient]:
    app = create_app(engine.settings, engine)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client
        engine.gate.set()
