import numpy as np
import pytest

from app.core.errors import ModelError
from app.core.protocols import FirstTokenScorer, LanguageModel, StreamingModel
from app.core.run import Run
from app.core.types import Prompt, Sampling
from app.models.scripted import Rule, ScriptedModel

PROMPT = Prompt(name="agents/plan", digest="d", system="s", user="Who led it in 1961?")


def say(model: ScriptedModel, prompt: Prompt = PROMPT) -> str:
    return model.generate([prompt], sampling=Sampling(), run=Run())[0].text


def test_it_has_the_capabilities_that_tests_need() -> None:
    model = ScriptedModel()
    assert isinstance(model, LanguageModel)
    assert isinstance(model, StreamingModel)
    assert isinstance(model, FirstTokenScorer)


def test_replies_are_given_in_turn_and_the_last_one_stays() -> None:
    model = ScriptedModel(Rule(name="plan", replies=("one", "two")))
    assert [say(model) for _ in range(3)] == ["one", "two", "two"]
    assert model.seen == [PROMPT] * 3


def test_a_prompt_it_was_not_told_about_is_refused() -> None:
    model = ScriptedModel(Rule(name="plan", contains="1969", replies=("x",)))
    with pytest.raises(ModelError, match="no reply to prompt 'agents/plan'"):
        say(model)
    assert model.seen == [PROMPT]


def test_a_used_up_rule_gives_way_to_the_next() -> None:
    model = ScriptedModel(Rule(replies=("first",), once=True), Rule(replies=("then",)))
    assert [say(model), say(model)] == ["first", "then"]


def test_a_stream_joins_to_the_reply_and_is_booked() -> None:
    model, run = ScriptedModel(Rule(replies=("a b\n c  d",))), Run()
    assert "".join(model.stream(PROMPT, sampling=Sampling(), run=run)) == "a b\n c  d"
    assert run.ledger.total().calls == 1


def test_first_tokens_are_those_of_the_rule() -> None:
    model = ScriptedModel(Rule(logprobs={"A": -0.1}))
    found = model.first_token_logprobs([PROMPT], choices=["A", "B"], run=Run())
    assert np.allclose(found, [[-0.1, -np.inf]])
