import json
from typing import Any

import pytest

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


def explained(gnomon: Any, name: str, *options: str) -> Any:
    return json.loads(gnomon(*options, "components", "explain", name, "--json").out)


def test_a_reranker_tells_what_it_asks_of_which_model_in_use(gnomon: Any) -> None:
    needs = {one["capability"]: one["model"] for one in explained(gnomon, "listwise")["needs"]}

    assert needs == {"FirstTokenScorer": "models.scorer: hf_causal", "LanguageModel": "models.generator: llama_cpp"}
    assert explained(gnomon, "identity")["needs"] == []


def test_what_no_model_in_use_can_do_is_told_before_anything_is_asked(gnomon: Any) -> None:
    without = ("--set", "models.scorer=null")
    assert explained(gnomon, "attention", *without)["needs"] == [{"capability": "AttentionReader", "model": None}]
    assert explained(gnomon, "pointwise", *without)["needs"][0]["model"] == "models.generator: llama_cpp"
    told = gnomon(*without, "components", "explain", "attention").out
    assert "asks the model for: AttentionReader (no model in use has it; choose another model)" in told


def test_a_reranker_of_rerankers_asks_what_they_ask(gnomon: Any) -> None:
    inner = {one["capability"] for name in ("attention", "likelihood") for one in explained(gnomon, name)["needs"]}

    assert {one["capability"] for one in explained(gnomon, "fused")["needs"]} == inner


def test_cost_and_source_are_told_by_themselves(gnomon: Any) -> None:
    body = explained(gnomon, "setwise")

    assert body["cost"].startswith("a reply a pick, one after the other;")
    assert body["sources"] == ["https://arxiv.org/abs/2310.09497", "https://arxiv.org/abs/2503.06034"]
    assert "source: https://arxiv.org/abs/2310.09497" in gnomon("components", "explain", "setwise").out


@pytest.mark.parametrize("name", registry.names("rerankers"))
def test_a_reranker_says_what_a_question_costs(gnomon: Any, name: str) -> None:
    assert explained(gnomon, f"rerankers.{name}")["cost"]


@pytest.mark.parametrize(
    ("name", "gives"),
    [
        ("llama_cpp", {"LanguageModel", "StreamingModel", "FirstTokenScorer"}),
        ("openai_api", {"LanguageModel", "StreamingModel", "FirstTokenScorer"}),
        ("hf_causal", {"LanguageModel", "StreamingModel", "FirstTokenScorer", "LikelihoodReader", "AttentionReader"}),
        ("cross_encoder", {"PairScorer"}),
        ("hashing_embedder", {"Embedder"}),
    ],
)
def test_a_model_says_what_it_can_be_asked_for(gnomon: Any, name: str, gives: set[str]) -> None:
    assert set(explained(gnomon, f"app.models.{name}")["gives"]) == gives
