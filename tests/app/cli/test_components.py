import json
from typing import Any

from app.core import registry


def test_every_component_is_listed_with_its_package(gnomon: Any) -> None:
    rows = [json.loads(line) for line in gnomon("components", "list", "--json").out.splitlines()]
    listed = {(row["package"], row["name"]) for row in rows}
    known = {(package, name) for package in registry.PACKAGES for name in registry.names(package)}
    assert known - listed <= {("app.models", "scripted")}
    assert ("rerankers", "identity") in listed


def test_a_component_is_explained_with_its_options_and_their_bounds(gnomon: Any) -> None:
    body = json.loads(gnomon("components", "explain", "retrieval.hybrid", "--json").out)
    options = {option["name"]: option for option in body["options"]}
    assert options["rrf_k"]["type"].startswith("integer >= 1")
    assert body["about"]


def test_a_component_without_options_says_so(gnomon: Any) -> None:
    assert "no options" in gnomon("components", "explain", "identity").out


def test_an_unknown_component_names_the_command_that_lists_them(gnomon: Any) -> None:
    ran = gnomon("components", "explain", "magic")
    assert (ran.code, ran.err) == (1, "gnomon: no component 'magic'; 'gnomon components list' names them\n")


def test_the_scripted_model_of_the_tests_is_not_offered(gnomon: Any) -> None:
    assert "scripted" not in gnomon("components", "list").out
    assert gnomon("components", "explain", "scripted").code == 1
