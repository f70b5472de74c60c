import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from app.core.errors import BudgetExhausted, Cancelled, ModelError
from app.core.run import Run
from app.core.types import Prompt, Sampling
from app.models.llama_cpp import LlamaCpp, Options
from app.models.openai_api import OpenAIModel
from app.models.openai_api import Options as ServerOptions

SCHEMA = {
    "type": "object",
    "properties": {"year": {"type": "integer"}},
    "required": ["year"],
    "additionalProperties": False,
}


def a_prompt(user: str, **fields: object) -> Prompt:
    system = "You answer in a few words. " + "Facts count, style does not. " * 8
    return Prompt(name="test/ask", digest="d", system=system, user=user, **fields)  # type: ignore[arg-type]  # test shorthand


@pytest.fixture(scope="module")
def model(smollm: Path) -> LlamaCpp:
    return LlamaCpp(smollm, Options(context_tokens=1024), api_key="listener-key")


def test_a_file_that_is_no_model_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF but not really" * 50)
    with pytest.raises(ModelError, match=r"llama\.cpp cannot load"):
        LlamaCpp(tmp_path / "broken.gguf", Options()).generate([a_prompt("x")], sampling=Sampling(), run=Run())


@pytest.mark.live
def test_completions_are_greedy_ordered_and_booked(model: LlamaCpp) -> None:
    run = Run()
    prompts = [a_prompt("What is the capital of France?"), a_prompt("Name a colour.")]
    first = model.generate(prompts, sampling=Sampling(max_tokens=12), run=run)
    again = model.generate(prompts[::-1], sampling=Sampling(max_tokens=12), run=run)[::-1]
    assert [c.text for c in first] == [c.text for c in again]
    assert "Paris" in first[0].text
    assert run.ledger.total().calls == 4
    assert all(call.usage.completion_tokens <= 12 for call in run.ledger.calls())


@pytest.mark.live
def test_the_static_part_of_each_template_comes_from_the_cache(model: LlamaCpp) -> None:
    templates = [Prompt(name=f"t{n}", digest="d", system=f"Task {n}. " + f"Rule {n}. " * 40, user="") for n in range(3)]
    for part in ("first question", "second one"):
        run = Run()
        for t in templates:
            prompt = Prompt(name=t.name, digest="d", system=t.system, user=part)
            model.generate([prompt], sampling=Sampling(max_tokens=2), run=run)
    for call in run.ledger.calls():
        assert call.usage.cached_tokens >= 0.85 * call.usage.prompt_tokens


@pytest.mark.live
def test_the_grammar_enforces_a_schema(model: LlamaCpp) -> None:
    prompt = a_prompt("When did the first person land on the Moon? Write a poem.", schema=SCHEMA)
    text = model.generate([prompt], sampling=Sampling(max_tokens=40), run=Run())[0].text
    assert isinstance(json.loads(text)["year"], int)


@pytest.mark.live
def test_a_stream_joins_to_the_completion(model: LlamaCpp) -> None:
    prompt, sampling = a_prompt("Name three planets."), Sampling(max_tokens=15)
    whole = model.generate([prompt], sampling=sampling, run=Run())[0].text
    assert "".join(model.stream(prompt, sampling=sampling, run=Run())) == whole


@pytest.mark.live
def test_first_tokens_have_probabilities(model: LlamaCpp) -> None:
    found = model.first_token_logprobs([a_prompt("Answer Yes or No: is water wet?")], choices=["Yes", "qz"], run=Run())
    assert found.shape == (1, 2)
    assert -20.0 < found[0, 0] <= 0.0
    assert found[0, 1] == -np.inf


@pytest.mark.live
def test_the_model_writes_on_from_the_prefill_and_does_not_repeat_it(model: LlamaCpp) -> None:
    options = ServerOptions(base_url=f"{model.listening_address}/v1", model=model.model_id, max_retries=0)
    client = OpenAIModel(options, api_key="listener-key", offline=True)
    prompt = a_prompt("What is the capital of France?", prefill="The capital of France is")
    for asked in (model, client):
        [completion] = asked.generate([prompt], sampling=Sampling(max_tokens=3), run=Run())
        assert completion.text.startswith(" Paris")
        assert asked.first_token_logprobs([prompt], choices=["Paris"], run=Run())[0, 0] > -0.5
    client.close()


@pytest.mark.live
def test_a_prompt_beyond_the_context_names_both_numbers(model: LlamaCpp) -> None:
    with pytest.raises(ModelError, match=r"has \d{4} tokens, .* is loaded for 1024"):
        model.generate([a_prompt("word " * 2000)], sampling=Sampling(), run=Run())


@pytest.mark.live
def test_a_schema_that_the_grammar_does_not_know_is_an_error_not_free_text(model: LlamaCpp) -> None:
    with pytest.raises(ModelError, match="does not know the schema of prompt 'test/ask'"):
        model.generate([a_prompt("Say hello.", schema={"type": "nothing"})], sampling=Sampling(), run=Run())


@pytest.mark.live
def test_the_deadline_stops_the_writing_and_the_call_is_booked(model: LlamaCpp) -> None:
    run = Run(deadline=time.monotonic() + 1.0)
    with pytest.raises(BudgetExhausted):
        model.generate([a_prompt("Tell a very long story.")], sampling=Sampling(max_tokens=800), run=run)
    assert run.ledger.total().calls == 1


@pytest.mark.live
def test_the_caller_stops_the_writing_and_the_model_serves_on(model: LlamaCpp) -> None:
    stop = threading.Event()
    pieces = model.stream(
        a_prompt("Tell a very long story."), sampling=Sampling(max_tokens=800), run=Run(cancelled=stop.is_set)
    )
    next(pieces)
    stop.set()
    with pytest.raises(Cancelled):
        list(pieces)
    assert model.generate([a_prompt("Hello")], sampling=Sampling(max_tokens=2), run=Run())[0].text


@pytest.mark.live
def test_threads_wait_in_line(model: LlamaCpp) -> None:
    found: dict[int, str] = {}

    def ask(number: int) -> None:
        found[number] = model.generate([a_prompt(f"Say {number}.")], sampling=Sampling(max_tokens=4), run=Run())[0].text

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 1, 2]


@pytest.mark.live
def test_equal_loads_share_one_copy_in_memory(model: LlamaCpp, smollm: Path) -> None:
    twin = LlamaCpp(smollm, Options(context_tokens=1024), api_key="listener-key")
    assert twin.listening_address == model.listening_address


@pytest.mark.live
def test_its_listener_serves_an_openai_client_that_has_the_key(model: LlamaCpp) -> None:
    options = ServerOptions(base_url=f"{model.listening_address}/v1", model=model.model_id, max_retries=0)
    client = OpenAIModel(options, api_key="listener-key", offline=True)
    prompt, sampling, run = a_prompt("What is the capital of France?", schema=None), Sampling(max_tokens=12), Run()
    remote = client.generate([prompt], sampling=sampling, run=run)[0]
    assert remote.text == model.generate([prompt], sampling=sampling, run=Run())[0].text
    assert "".join(client.stream(prompt, sampling=sampling, run=run)) == remote.text
    assert client.first_token_logprobs([prompt], choices=["The", "Paris"], run=run).max() > -5.0
    forced = client.generate([a_prompt("A year?", schema=SCHEMA)], sampling=Sampling(max_tokens=40), run=run)[0]
    assert isinstance(json.loads(forced.text)["year"], int)
    assert all(call.usage.prompt_tokens > 0 for call in run.ledger.calls())
    client.close()


@pytest.mark.live
def test_its_listener_is_closed_to_everybody_else(model: LlamaCpp) -> None:
    options = ServerOptions(base_url=f"{model.listening_address}/v1", model=model.model_id)
    stranger = OpenAIModel(options, api_key="guess", offline=True)
    with pytest.raises(ModelError, match="answered 401"):
        stranger.generate([a_prompt("x")], sampling=Sampling(max_tokens=2), run=Run())
    stranger.close()


@pytest.mark.live
def test_every_token_that_was_written_has_its_probability(model: LlamaCpp) -> None:
    sampling = Sampling(max_tokens=12, with_logprobs=True)
    [completion] = model.generate([a_prompt("Name a colour.")], sampling=sampling, run=Run())

    assert "".join(token for token, _ in completion.logprobs) == completion.text
    assert all(logprob <= 0.0 for _, logprob in completion.logprobs)
