"""What every embedder and language model keeps, whichever module it is."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from mock_openai import Knobs, mock_openai

from app.core import registry
from app.core.errors import BudgetExhausted, Cancelled, ModelError
from app.core.protocols import Embedder, FirstTokenScorer, LanguageModel, PairScorer, StreamingModel
from app.core.run import Run
from app.core.settings import load_settings
from app.core.types import Prompt, Sampling
from app.models import catalog

# What a component needs to be built in a test; those with a model file are live.
OPTIONS: dict[str, dict[str, Any]] = {
    "hf_causal": {"model": "smollm2-135m-instruct-q4_1", "cache_mib": 64},
    "llama_cpp": {"model": "smollm2-135m-instruct-q4_1", "context_tokens": 1024},
    "openai_api": {"model": "mock"},
}
LIVE = {"hf_causal", "llama_cpp", "sentence_embedder"}
SAMPLING = Sampling(max_tokens=6)
TEXTS = ["The rocket reached orbit.", "", "Bread is baked."]


class _Resources:
    """What app.models asks for; implements that part of Resources."""

    offline = True

    def model_file(self, name: str) -> Path:
        return catalog.resolve(name, load_settings().models_dir)


def cases(kind: type) -> list[Any]:
    names = registry.names("app.models")
    chosen = [name for name in names if registry.load("app.models", name).build.__annotations__["return"] is kind]
    return [pytest.param(name, marks=[pytest.mark.live] if name in LIVE else []) for name in chosen]


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with mock_openai(Knobs()) as url:
        yield url


@pytest.fixture(scope="module", params=cases(Embedder))
def embedder(request: pytest.FixtureRequest) -> Any:
    return built(request.param)


@pytest.fixture(scope="module", params=cases(LanguageModel))
def model(request: pytest.FixtureRequest, base_url: str) -> Iterator[Any]:
    made = built(request.param, **({"base_url": base_url} if request.param == "openai_api" else {}))
    yield made
    made.close()


def built(name: str, **options: Any) -> Any:
    resources = cast("registry.Resources", _Resources())
    return registry.build("app.models", name, OPTIONS.get(name, {}) | options, resources)


def a_prompt(user: str) -> Prompt:
    return Prompt(name="test/ask", digest="d", system="Be brief.", user=user)


def test_every_component_is_an_embedder_a_language_model_or_a_pair_scorer() -> None:
    found = [param.values[0] for kind in (Embedder, LanguageModel, PairScorer) for param in cases(kind)]
    assert sorted(found) == list(registry.names("app.models"))


def test_they_keep_their_protocol(embedder: Embedder) -> None:
    assert isinstance(embedder, Embedder)


def test_vectors_have_norm_one_and_the_shape_promised(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS, run=Run())
    assert (vectors.shape, vectors.dtype) == ((3, embedder.dim), np.float32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)
    assert embedder.embed([], run=Run()).shape == (0, embedder.dim)


def test_vectors_do_not_depend_on_order_or_company(embedder: Embedder) -> None:
    forward, backward = embedder.embed(TEXTS, run=Run()), embedder.embed(TEXTS[::-1], run=Run())
    assert np.allclose(forward, backward[::-1], atol=1e-4)
    assert np.allclose(forward[0], embedder.embed(TEXTS[:1], run=Run())[0], atol=1e-4)


def test_an_embedder_counts_tokens_and_names_itself(embedder: Any) -> None:
    counts = embedder.count(["one two three", "one", ""])
    assert counts == sorted(counts, reverse=True)
    assert embedder.max_tokens >= 16
    assert len(embedder.fingerprint) == 64


def test_a_stopped_run_embeds_nothing(embedder: Embedder) -> None:
    with pytest.raises(Cancelled):
        embedder.embed(TEXTS, run=Run(cancelled=lambda: True))


def test_completions_keep_the_order_and_every_call_is_booked(model: LanguageModel) -> None:
    run = Run()
    prompts = [a_prompt("Name a colour."), a_prompt("Name a river.")]
    found = model.generate(prompts, sampling=SAMPLING, run=run)
    assert [c.text for c in found] == [
        model.generate([prompt], sampling=SAMPLING, run=Run())[0].text for prompt in prompts
    ]
    assert [call.purpose for call in run.ledger.calls()] == ["test/ask"] * 2
    assert all(call.model == model.model_id and call.prompt_digest == "d" for call in run.ledger.calls())
    assert all(c.usage.calls == 1 and c.usage.prompt_tokens > 0 and c.stop in ("stop", "length") for c in found)


def test_no_prompts_no_completions(model: LanguageModel) -> None:
    assert model.generate([], sampling=SAMPLING, run=Run()) == []


@pytest.mark.parametrize(
    ("run", "error"), [(Run(cancelled=lambda: True), Cancelled), (Run(deadline=0.0), BudgetExhausted)]
)
def test_a_spent_run_asks_nothing(model: LanguageModel, run: Run, error: type[Exception]) -> None:
    with pytest.raises(error):
        model.generate([a_prompt("x")], sampling=SAMPLING, run=run)
    assert run.ledger.calls() == ()


def test_a_stream_is_written_piece_by_piece_and_booked_once(model: LanguageModel) -> None:
    assert isinstance(model, StreamingModel)
    run = Run()
    assert len(list(model.stream(a_prompt("Name a colour."), sampling=SAMPLING, run=run))) > 1
    assert len(run.ledger.calls()) == 1


def test_first_token_logprobs_have_shape_and_sign(model: LanguageModel) -> None:
    assert isinstance(model, FirstTokenScorer)
    found = model.first_token_logprobs([a_prompt("Yes or No?")] * 2, choices=["Yes", "No"], run=Run())
    assert (found.shape, found.dtype) == ((2, 2), np.float32)
    assert (found <= 0.0).all()
    empty = model.first_token_logprobs([], choices=["Yes"], run=Run())
    assert empty.shape == (0, 1)


def test_a_choice_that_is_no_token_is_told_by_minus_infinity_or_refused_by_name(model: LanguageModel) -> None:
    assert isinstance(model, FirstTokenScorer)
    told, refused = [[False, True]], "'qqq'"
    try:
        told = np.isneginf(model.first_token_logprobs([a_prompt("Yes?")], choices=["Yes", "qqq"], run=Run())).tolist()
    except ModelError as error:  # of a model that sees its whole vocabulary
        refused = str(error)
    assert told == [[False, True]]
    assert "'qqq'" in refused


def test_a_prefill_is_not_repeated(model: LanguageModel) -> None:
    prompt = replace(a_prompt("What is the capital of France?"), prefill="The capital of France is")
    [completion] = model.generate([prompt], sampling=SAMPLING, run=Run())
    assert "capital" not in completion.text
