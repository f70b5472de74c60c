"""Where the live tests find the small models that `make test` has pulled."""

from pathlib import Path

import pytest

from app.core.settings import load_settings
from app.models import catalog


@pytest.fixture(scope="session")
def smollm() -> Path:
    return catalog.resolve("smollm2-135m-instruct-q4_1", load_settings().models_dir)


@pytest.fixture(scope="session")
def minilm() -> Path:
    return catalog.resolve("all-minilm-l6-v2", load_settings().models_dir)
