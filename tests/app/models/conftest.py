"""Where the live tests find the small models that `make test` has pulled, and tiny ones for all others."""

from pathlib import Path

import pytest
from tiny_causal import FAMILIES, save_tiny_model

from app.core.settings import load_settings
from app.models import catalog


@pytest.fixture(scope="session")
def smollm() -> Path:
    return catalog.resolve("smollm2-135m-instruct-q4_1", load_settings().models_dir)


@pytest.fixture(scope="session")
def minilm() -> Path:
    return catalog.resolve("all-minilm-l6-v2", load_settings().models_dir)


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of tiny random models by family."""
    root = tmp_path_factory.mktemp("tiny")
    return {family: save_tiny_model(root / family, family) for family in FAMILIES}
