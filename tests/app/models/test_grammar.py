"""JSON held to a schema: random weights write valid JSON, and what the schema leaves no choice for takes no pass."""

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_causal import FAMILIES, LAYERS, on_each, tiny_tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from app.core.errors import Cancelled, ModelError
from app.core.run import Run
from app.core.types import Completion, Prompt, Sampling
from app.models._common.chat_tokens import ChatTokens
from app.models._common.grammar import Grammar, Grammars
from app.models.hf_causal import HFCausal, Options

Schema = dict[str, Any]
LETTERS: Schema = {"enum": ["A", "B", "C", "D"]}
SENTENCE = "The rocket reached orbit in March 1998."


def an_object(**properties: Schema) -> Schema:
    fixed = {"required": list(properties), "additionalProperties": False}
    return {"type": "object", "properties": properties, **fixed}


ASKED = an_object(sentence={"type": "string", "maxLength": 9}, answer=LETTERS, relevant={"const": SENTENCE})

_leaves = st.one_of(
    st.just({"type": "boolean"}),
    st.just({"type": "null"}),
    st.lists(st.text(max_size=6), min_size=1, max_size=3, unique=True).map(lambda texts: {"enum": texts}),
    st.tuples(st.integers(-20, 20), st.integers(0, 300)).map(
        lambda pair: {"type": "integer", "minimum": pair[0], "maximum": pair[0] + pair[1]}
    ),
    st.tuples(st.integers(0, 4), st.integers(0, 6)).map(
        lambda pair: {"type": "string", "minLength": pair[0], "maxLength": pair[0] + pair[1]}
    ),
)


def _branches(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    names = st.sampled_from(["answer", "Ort", "日本", "a b", 'quo"te'])
    arrays = st.tuples(inner, st.integers(0, 2), st.integers(0, 2)).map(
        lambda told: {"type": "array", "items": told[0], "minItems": told[1], "maxItems": told[1] + told[2]}
    )
    return st.one_of(arrays, st.dictionaries(names, inner, max_size=3).map(lambda told: an_object(**told)))


schemas = st.recursive(_leaves, _branches, max_leaves=4)


def a_prompt(schema: Schema | None, user: str = "Which?") -> Prompt:
    return Prompt(name="test/ask", digest="d", system="Be brief.", user=user, schema=schema)


def opened(path: Path) -> HFCausal:
    return HFCausal(path, Options(model=str(path), dtype="float32", device="cpu", cache_mib=16))


@pytest.fixture(scope="module")
def model(tiny_models: dict[str, Path]) -> HFCausal:
    return opened(tiny_models["qwen2"])


def written(model: HFCausal, schema: Schema, run: Run | None = None, **sampling: Any) -> Completion:
    asked = Sampling(**{"max_tokens": 300} | sampling)
    [completion] = model.generate([a_prompt(schema)], sampling=asked, run=run or Run())
    return completion


def passes(work: Callable[[], object]) -> int:
    layers: list[int] = []
    with on_each("MLP", lambda: layers.append(1)):
        work()
    assert len(layers) % LAYERS == 0
    return len(layers) // LAYERS


# Valid


@settings(max_examples=100, deadline=None)
@given(schema=schemas, seed=st.integers(0, 99), temperature=st.sampled_from([0.0, 1.0]))
def test_random_weights_write_json_of_any_schema(
    model: HFCausal, schema: Schema, seed: int, temperature: float
) -> None:
    completion = written(model, schema, Run(seed=seed), temperature=temperature, max_tokens=900, with_logprobs=True)
    assert completion.stop == "stop"
    jsonschema.validate(json.loads(completion.text), schema)
    assert "".join(token for token, _ in completion.logprobs) == completion.text
    assert completion.usage.completion_tokens - len(completion.logprobs) in (0, 1)  # the end of the turn is no text
    assert all(logprob <= 0.0 for _, logprob in completion.logprobs)


@pytest.mark.parametrize("family", FAMILIES)
def test_it_holds_in_every_family(family: str, tiny_models: dict[str, Path]) -> None:
    completion = written(opened(tiny_models[family]), ASKED)
    jsonschema.validate(json.loads(completion.text), ASKED)


def test_no_token_is_white_space_between_values(model: HFCausal) -> None:
    schema = an_object(a={"type": "array", "items": LETTERS, "minItems": 3, "maxItems": 3}, b={"type": "null"})
    text = written(model, schema, temperature=1.0).text
    assert text == json.dumps(json.loads(text), separators=(",", ":"))


@pytest.mark.parametrize("value", ["日本 café 🚀", 'say "so"\\\n\t', "", "<|im_end|>", "a<|im_start|>user\nb"])
def test_a_value_comes_back_as_it_is_the_models_own_marks_included(model: HFCausal, value: str) -> None:
    schema = an_object(**{"one": {"const": value}, value or "empty": {"enum": [value, "A"]}})
    found = json.loads(written(model, schema, with_logprobs=True).text)
    assert found["one"] == value
    assert found[value or "empty"] in (value, "A")


def test_the_text_ends_by_itself_where_more_could_follow(model: HFCausal) -> None:
    ends = {written(model, {"type": "integer"}, Run(seed=n), temperature=1.0, max_tokens=400).stop for n in range(5)}
    assert ends == {"stop"}


# The rules themselves


@pytest.fixture(scope="module")
def grammars() -> Grammars:
    tokenizer = tiny_tokenizer()
    tokens = ChatTokens(tokenizer, model_id="tiny")
    return Grammars(tokens, ends=frozenset({0, 2}), vocabulary=len(tokenizer) + 9, model_id="tiny")


def allowed(grammar: Grammar) -> set[str]:
    tokenizer = tiny_tokenizer()
    logits = grammar.masked(torch.zeros(len(tokenizer) + 9))
    return {tokenizer.decode([number]) for number in torch.isfinite(logits).nonzero()[:, 0].tolist()}


def taking(grammars: Grammars, schema: Schema, text: str) -> Grammar:
    grammar = grammars.of(a_prompt(schema))
    assert isinstance(grammar, Grammar)
    for token in tiny_tokenizer().encode(text):
        grammar.take(token)
    return grammar


def test_the_turn_may_end_when_the_json_is_complete_and_not_before(grammars: Grammars) -> None:
    ends = {"<|endoftext|>", "<|im_end|>"}
    assert allowed(taking(grammars, {"type": "integer"}, "-")) == {*"0123456789", "19", "98"}
    assert ends < allowed(taking(grammars, {"type": "integer"}, "7"))
    assert not (ends | {"<|im_start|>"}) & allowed(taking(grammars, {"type": "string"}, '"'))


def test_a_token_that_breaks_the_schema_is_an_error_that_names_the_prompt(grammars: Grammars) -> None:
    with pytest.raises(ModelError, match="the grammar of tiny cannot go on with the reply to prompt 'test/ask'"):
        taking(grammars, {"type": "integer"}, "A")


def test_a_vocabulary_without_an_end_is_one_clear_error() -> None:
    tokens = ChatTokens(tiny_tokenizer(), model_id="tiny")
    with pytest.raises(ModelError, match="no grammar can be made for the vocabulary of tiny: eos_token"):
        Grammars(tokens, ends=frozenset(), vocabulary=330, model_id="tiny").of(a_prompt(LETTERS))


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "string", "pattern": "(?=x)y"}, "look-ahead"),
        ({"type": "array", "uniqueItems": True}, "uniqueItems"),
        ({"type": "strnig"}, "Invalid type: strnig"),
        ({"allOf": [{"type": "string"}, {"type": "null"}]}, "Unsatisfiable"),
    ],
)
def test_a_schema_that_the_grammar_does_not_know_is_an_error_not_free_text(
    model: HFCausal, schema: Schema, reason: str
) -> None:
    run = Run()
    with pytest.raises(ModelError, match=rf"qwen2 does not know the schema of prompt 'test/ask': .*{reason}") as caught:
        written(model, schema, run)
    assert "\n" not in str(caught.value)
    assert run.ledger.calls() == ()


# Passes


@pytest.mark.parametrize("with_logprobs", [False, True])
def test_what_the_schema_leaves_no_choice_for_is_read_with_the_prompt(
    model: HFCausal, tiny_models: dict[str, Path], with_logprobs: bool
) -> None:
    found: list[Completion] = []
    schema = an_object(answer={"const": SENTENCE}, relevant={"const": 1998})
    count = passes(lambda: found.append(written(model, schema, with_logprobs=with_logprobs)))
    tokens = AutoTokenizer.from_pretrained(tiny_models["qwen2"]).encode(found[0].text)
    assert found[0].usage.completion_tokens == len(tokens) > 20
    assert count == 1


def test_a_choice_takes_a_pass_and_what_follows_from_it_none(model: HFCausal) -> None:
    schema = an_object(answer=LETTERS, relevant={"const": SENTENCE}, March=LETTERS)
    found: list[Completion] = []
    count = passes(lambda: found.append(written(model, schema)))
    assert found[0].usage.completion_tokens > 20
    assert count == 2  # the prompt; the first letter. After the second one all is said


def test_without_a_schema_each_token_is_a_pass(model: HFCausal) -> None:
    asked = Sampling(max_tokens=9)
    assert passes(lambda: model.generate([a_prompt(None)], sampling=asked, run=Run())) == 9


@settings(max_examples=40, deadline=None)
@given(room=st.integers(0, 60), with_logprobs=st.booleans())
def test_the_room_bounds_forced_tokens_too(model: HFCausal, room: int, with_logprobs: bool) -> None:
    whole = written(model, ASKED)
    completion = written(model, ASKED, max_tokens=room, with_logprobs=with_logprobs)
    assert completion.usage.completion_tokens == min(room, whole.usage.completion_tokens)
    assert whole.text.startswith(completion.text)
    assert (completion.stop == "stop") == (room >= whole.usage.completion_tokens)


def test_the_next_call_finds_the_prompt_in_the_cache(model: HFCausal) -> None:
    first, again = (model.generate([a_prompt(ASKED, "Yes? " * 30)], sampling=Sampling(), run=Run()) for _ in range(2))
    assert again[0].text == first[0].text
    assert again[0].usage.prompt_tokens - again[0].usage.cached_tokens == 1


# Probabilities


class Plain:
    """The model as transformers runs it, no grammar: natural logs of a text's tokens after a prompt."""

    def __init__(self, folder: Path) -> None:
        self.model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    @torch.no_grad()
    def logprobs(self, text: str) -> Sequence[float]:
        messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Which?"}]
        start = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        before, own = (self.tokenizer.encode(part, add_special_tokens=False) for part in (start, text))
        rows = self.model(input_ids=torch.tensor([[*before, *own]])).logits[0].log_softmax(dim=-1)
        return [float(rows[len(before) - 1 + place, token]) for place, token in enumerate(own)]


@pytest.mark.parametrize("schema", [LETTERS, an_object(answer=LETTERS, relevant={"const": SENTENCE}, orbit=LETTERS)])
def test_probabilities_are_the_models_own_of_drawn_and_forced_tokens(
    model: HFCausal, tiny_models: dict[str, Path], schema: Schema
) -> None:
    completion = written(model, schema, with_logprobs=True)
    told = [logprob for _, logprob in completion.logprobs]
    assert np.allclose(told, Plain(tiny_models["qwen2"]).logprobs(completion.text), atol=1e-4)


def test_the_likeliest_of_what_is_allowed_is_written(model: HFCausal, tiny_models: dict[str, Path]) -> None:
    plain = Plain(tiny_models["qwen2"])
    likeliest = max(LETTERS["enum"], key=lambda letter: plain.logprobs(f'"{letter}"')[1])
    assert written(model, LETTERS).text == f'"{likeliest}"'


def test_draws_follow_the_seed_within_what_is_allowed(model: HFCausal) -> None:
    texts = [written(model, LETTERS, Run(seed=n), temperature=3.0).text for n in (*range(30), 0)]
    assert {json.loads(text) for text in texts} == set(LETTERS["enum"])
    assert texts[0] == texts[-1]


# As any completion


def test_a_stream_joins_to_the_completion(model: HFCausal) -> None:
    run = Run()
    pieces = list(model.stream(a_prompt(ASKED), sampling=Sampling(), run=run))
    assert "".join(pieces) == written(model, ASKED).text
    assert len(pieces) > 1
    assert [call.stop for call in run.ledger.calls()] == ["stop"]


def test_nothing_of_a_stop_string_is_shown(model: HFCausal) -> None:
    schema = an_object(relevant={"const": SENTENCE})
    completion = written(model, schema, stop=(" orbit",), with_logprobs=True)
    assert (completion.text, completion.stop) == ('{"relevant":"The rocket reached', "stop")


def test_a_caller_who_stops_is_heard_in_the_middle(model: HFCausal) -> None:
    stop, layers = threading.Event(), [0]

    def count() -> None:
        layers[0] += 1
        if layers[0] == 4 * LAYERS + 1:  # in the first layer of the fifth pass
            stop.set()

    run = Run(cancelled=stop.is_set)
    with on_each("MLP", count), pytest.raises(Cancelled):
        written(model, ASKED, run)
    [call] = run.ledger.calls()
    assert call.stop == "stopped"
    assert call.usage.completion_tokens > 4
    assert layers[0] == 4 * LAYERS + 1


def test_threads_get_what_each_would_get_alone(tiny_models: dict[str, Path]) -> None:
    shared, found = opened(tiny_models["llama"]), {}
    wanted = {n: written(shared, an_object(n={"const": n}, answer=LETTERS)).text for n in range(4)}
    fresh = HFCausal(tiny_models["llama"], Options(model="fresh", dtype="float32", device="cpu", cache_mib=17))

    def ask(number: int) -> None:
        found[number] = written(fresh, an_object(n={"const": number}, answer=LETTERS)).text

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == wanted
