import sys
from types import SimpleNamespace

import pytest

from app.core import registry
from app.core.errors import ConfigError, UnknownComponent


def test_components_are_named_without_being_imported() -> None:
    assert "flat" in registry.names("indexes")
    assert "identity" in registry.names("rerankers")
    assert not any(name.startswith("_") for package in registry.PACKAGES for name in registry.names(package))
    assert "scripted" not in registry.names("app.models")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownComponent, match=r"no 'listwize' in rerankers/; choose from \['attention'"):
        registry.load("rerankers", "listwize")


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(ConfigError, match=r"indexes\.bm25s_bm25: k2: Extra inputs"):
        registry.options_of("indexes", "bm25s_bm25", {"k2": 1.0})


def test_a_component_is_built_from_its_options_and_resources() -> None:
    index = registry.build("indexes", "rank_bm25", {"k1": 1.2}, SimpleNamespace(passages=None))

    assert index.live_ids() == frozenset()
    assert "indexes.rank_bm25" in sys.modules
