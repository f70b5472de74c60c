import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import stamina
from mock_openai import Knobs, mock_openai

from app.core.errors import BudgetExhausted, Cancelled, ConfigError, MissingCapability, ModelError
from app.core.run import Run
from app.core.types import Prompt, Sampling
from app.models.openai_api import OpenAIModel, Options

SAMPLING = Sampling(max_tokens=8)


def a_prompt(user: str = "q", **fields: object) -> Prompt:
    return Prompt(name="test/ask", digest="d", system="Be brief.", user=user, **fields)  # type: ignore[arg-type]  # test shorthand


@pytest.fixture
def knobs() -> Knobs:
    return Knobs()


@pytest.fixture
def base_url(knobs: Knobs) -> Iterator[str]:
    with mock_openai(knobs) as url, stamina.set_testing(True, attempts=10, cap=True):
        yield url


@pytest.fixture
def model(base_url: str) -> Iterator[OpenAIModel]:
    made = OpenAIModel(Options(base_url=base_url, model="mock"), api_key="secret", offline=True)
    yield made
    made.close()


def test_completions_come_in_the_order_of_the_prompts_and_are_booked(model: OpenAIModel) -> None:
    run = Run()
    found = model.generate([a_prompt(f"q{n}") for n in range(9)], sampling=SAMPLING, run=run)
    assert [c.text for c in found] == [f"q{n}: All is well." for n in range(9)]
    total = run.ledger.total()
    assert (total.calls, total.prompt_tokens, total.cached_tokens, total.completion_tokens) == (9, 99, 63, 36)
    assert {call.purpose for call in run.ledger.calls()} == {"test/ask"}


def test_no_more_requests_run_at_once_than_allowed(base_url: str, knobs: Knobs) -> None:
    knobs.first_token_seconds = 0.05
    model = OpenAIModel(Options(base_url=base_url, model="mock", concurrency=2), api_key=None, offline=False)
    model.generate([a_prompt() for _ in range(6)], sampling=SAMPLING, run=Run())
    model.close()
    assert knobs.most_at_once == 2


def test_a_request_carries_seed_limit_stop_schema_and_key(model: OpenAIModel, knobs: Knobs) -> None:
    schema = {"type": "object", "properties": {}}
    model.generate([a_prompt(schema=schema)], sampling=Sampling(max_tokens=5, stop=("\n",)), run=Run(seed=7))
    sent = knobs.requests[0]
    assert (sent["seed"], sent["max_tokens"], sent["temperature"], sent["stop"]) == (7, 5, 0.0, ["\n"])
    assert sent["response_format"]["json_schema"] == {"name": "output", "schema": schema, "strict": True}
    assert [m["role"] for m in sent["messages"]] == ["system", "user"]
    assert knobs.keys == ["Bearer secret"]


def test_a_prefill_is_a_last_message_that_the_server_is_told_to_go_on_with(model: OpenAIModel, knobs: Knobs) -> None:
    model.generate([a_prompt(prefill="[")], sampling=SAMPLING, run=Run())
    list(model.stream(a_prompt(prefill="["), sampling=SAMPLING, run=Run()))
    model.first_token_logprobs([a_prompt(prefill="[")], choices=["Yes"], run=Run())
    for sent in knobs.requests:
        assert sent["messages"][-1] == {"role": "assistant", "content": "["}
        assert (sent["continue_final_message"], sent["add_generation_prompt"]) == (True, False)


def test_a_prefill_that_the_server_repeats_is_left_out(model: OpenAIModel) -> None:
    [completion] = model.generate([a_prompt(prefill="I say")], sampling=SAMPLING, run=Run())
    assert completion.text == ": All is well."  # the mock begins with the last message, as llama.cpp does


def test_without_a_prefill_or_with_the_option_off_no_field_is_sent_that_openai_does_not_know(
    model: OpenAIModel, base_url: str, knobs: Knobs
) -> None:
    model.generate([a_prompt()], sampling=SAMPLING, run=Run())
    other = OpenAIModel(Options(base_url=base_url, model="mock", continue_field=False), api_key=None, offline=True)
    other.generate([a_prompt(prefill="[")], sampling=SAMPLING, run=Run())
    other.close()
    assert [message["role"] for message in knobs.requests[1]["messages"]] == ["system", "user", "assistant"]
    for sent in knobs.requests:
        assert not {"continue_final_message", "add_generation_prompt"} & set(sent)


def test_a_stream_joins_to_its_text_and_is_booked(model: OpenAIModel) -> None:
    run = Run()
    assert list(model.stream(a_prompt(), sampling=SAMPLING, run=run)) == ["All", " is", " well", "."]
    assert run.ledger.total().cached_tokens == 7


def test_first_tokens_are_matched_without_spaces_and_the_best_is_kept(model: OpenAIModel) -> None:
    found = model.first_token_logprobs([a_prompt(), a_prompt()], choices=["Yes", "No", "Maybe"], run=Run())
    assert found.shape == (2, 3)
    assert np.allclose(found[0], [-0.1, -2.5, -np.inf])


def test_no_more_alternatives_are_asked_for_than_servers_give(model: OpenAIModel, knobs: Knobs) -> None:
    letters = [chr(ord("A") + number) for number in range(26)]
    found = model.first_token_logprobs([a_prompt()], choices=letters, run=Run())
    assert (knobs.requests[0]["top_logprobs"], knobs.requests[0]["max_tokens"]) == (20, 1)
    assert np.isneginf(found).all()


def test_a_server_without_logprobs_is_named(model: OpenAIModel, knobs: Knobs) -> None:
    knobs.logprobs = False
    with pytest.raises(MissingCapability, match=r"no FirstTokenScorer in openai_api: mock .*gave no logprobs"):
        model.first_token_logprobs([a_prompt()], choices=["Yes"], run=Run())


@pytest.mark.parametrize("status", [429, 500, 503])
def test_failures_that_may_pass_are_tried_again(model: OpenAIModel, knobs: Knobs, status: int) -> None:
    knobs.statuses = [status, status]
    assert model.generate([a_prompt()], sampling=SAMPLING, run=Run())[0].text == "q: All is well."
    assert len(knobs.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_refusal_is_not_tried_again(model: OpenAIModel, knobs: Knobs, status: int) -> None:
    knobs.statuses = [status]
    with pytest.raises(ModelError, match=f"answered {status}"):
        model.generate([a_prompt()], sampling=SAMPLING, run=Run())
    assert len(knobs.requests) == 1


def test_retries_end(model: OpenAIModel, knobs: Knobs) -> None:
    knobs.statuses = [503] * 5
    with pytest.raises(ModelError, match="answered 503"):
        model.generate([a_prompt()], sampling=SAMPLING, run=Run())
    assert len(knobs.requests) == 3


def test_an_answer_that_is_no_json_is_an_error_of_one_line(model: OpenAIModel, knobs: Knobs) -> None:
    knobs.malformed = True
    with pytest.raises(ModelError) as caught:
        model.generate([a_prompt()], sampling=SAMPLING, run=Run())
    assert "\n" not in str(caught.value)


def test_a_server_that_is_not_there_is_an_error_that_names_it() -> None:
    model = OpenAIModel(Options(base_url="http://127.0.0.1:9/v1", model="m", max_retries=0), api_key=None, offline=True)
    with pytest.raises(ModelError, match=r"m at http://127.0.0.1:9/v1 cannot be used"):
        model.generate([a_prompt()], sampling=SAMPLING, run=Run())
    model.close()


def test_the_deadline_ends_a_slow_answer(model: OpenAIModel, knobs: Knobs) -> None:
    knobs.first_token_seconds = 2.0
    started = time.monotonic()
    with pytest.raises(BudgetExhausted):
        model.generate([a_prompt()], sampling=SAMPLING, run=Run(deadline=started + 0.3))
    assert time.monotonic() - started < 1.5


def test_a_stream_stops_when_the_caller_does(model: OpenAIModel, knobs: Knobs) -> None:
    knobs.words = ("a",) * 50
    knobs.token_seconds = 0.02
    stop = threading.Event()
    pieces = model.stream(a_prompt(), sampling=SAMPLING, run=Run(cancelled=stop.is_set))
    assert [next(pieces) for _ in range(3)] == ["a"] * 3
    stop.set()
    with pytest.raises(Cancelled):
        next(pieces)


def test_offline_refuses_another_machine() -> None:
    with pytest.raises(ConfigError, match=r"offline: openai_api would call api\.example\.org"):
        OpenAIModel(Options(base_url="https://api.example.org/v1", model="m"), api_key=None, offline=True)
