import json
import threading
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tiny_causal import FAMILIES, LAYERS, POSITIONS, on_each, save_tiny_gguf, save_tiny_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from app.core.budget import Budget
from app.core.errors import BudgetExhausted, Cancelled, ModelError
from app.core.protocols import AttentionReader, FirstTokenScorer, LanguageModel, LikelihoodReader, StreamingModel
from app.core.run import Run
from app.core.types import Prompt, Sampling, Usage
from app.models._common.prefix_cache import common
from app.models.hf_causal import HFCausal, Options

CHOICES = ("A", "B", "Yes", "C")
PASSAGES = "The rocket reached orbit in March 1998. " * 12
LONG = 150  # fewer tokens than PASSAGES have
PIECES = (PASSAGES, "Bread is baked. " * 9, "Yes? " * 15, "No 1998 March ", "B")
fresh = count(64)  # equal loads share a cache; a load of its own has its own


def a_prompt(user: str, *, prefill: str = "", **fields: Any) -> Prompt:
    return Prompt(name="test/ask", digest="d", system="Be brief.", user=user, prefill=prefill, **fields)


def opened(path: Path, **options: Any) -> HFCausal:
    return HFCausal(path, Options(**{"model": str(path), "dtype": "float32", "device": "cpu"} | options))


@pytest.fixture
def model(tiny_models: dict[str, Path]) -> HFCausal:
    return opened(tiny_models["qwen2"], cache_mib=next(fresh))


class Plain:
    """The model as transformers runs it: a whole prompt, alone, nothing cached."""

    def __init__(self, folder: Path) -> None:
        self.model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    def ids(self, prompt: Prompt) -> list[int]:
        messages = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return list(self.tokenizer.encode(text + prompt.prefill, add_special_tokens=False))

    @torch.no_grad()
    def logprobs(self, ids: Sequence[int]) -> NDArray[np.float32]:
        logits = self.model(input_ids=torch.tensor([list(ids)])).logits[0]
        return np.asarray(torch.log_softmax(logits.float(), dim=-1).numpy())

    def first_token(self, prompt: Prompt, choice: str) -> float:
        said = [n for n in range(len(self.tokenizer)) if self.tokenizer.decode([n]).strip() == choice]
        return float(self.logprobs(self.ids(prompt))[-1, said].max())

    def likelihood(self, prompt: Prompt, text: str) -> NDArray[np.float32]:
        start, own = self.ids(prompt), self.tokenizer.encode(text, add_special_tokens=False)
        rows = self.logprobs([*start, *own])[len(start) - 1 : -1]
        return rows[range(len(own)), own]


@pytest.fixture(scope="module")
def plain(tiny_models: dict[str, Path]) -> Plain:
    return Plain(tiny_models["qwen2"])


def prefilled(run: Run) -> int:
    total = run.ledger.total()
    return total.prompt_tokens - total.cached_tokens


# What it is


def test_it_has_every_capability_that_rerankers_ask_for(model: HFCausal) -> None:
    wanted = (LanguageModel, StreamingModel, FirstTokenScorer, LikelihoodReader, AttentionReader)
    assert all(isinstance(model, capability) for capability in wanted)
    assert (model.layers, model.heads, model.model_id) == (LAYERS, 4, "qwen2")


def test_a_path_of_another_kind_is_refused_when_it_is_built(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="neither a GGUF file nor a Hugging Face folder"):
        opened(tmp_path)


def test_a_folder_without_weights_is_one_clear_error_at_the_first_call(
    tmp_path: Path, tiny_models: dict[str, Path]
) -> None:
    (tmp_path / "config.json").write_bytes((tiny_models["qwen2"] / "config.json").read_bytes())
    with pytest.raises(ModelError, match=f"cannot load {tmp_path.name} from {tmp_path}") as caught:
        opened(tmp_path).generate([a_prompt("x")], sampling=Sampling(), run=Run())
    assert "\n" not in str(caught.value)


def test_a_gguf_file_reads_as_the_model_it_was_made_of(tmp_path: Path, tiny_models: dict[str, Path]) -> None:
    file = save_tiny_gguf(tmp_path / "tiny.gguf", tiny_models["qwen2"])
    from_file, from_folder = opened(file), opened(tiny_models["qwen2"], dtype="bfloat16")
    prompts = [a_prompt("Which passage is relevant?")]
    found = from_file.first_token_logprobs(prompts, choices=CHOICES, run=Run())
    assert np.allclose(found, from_folder.first_token_logprobs(prompts, choices=CHOICES, run=Run()), atol=0.2)
    assert from_file.model_id == "tiny"
    assert [path.name for path in tmp_path.glob("tiny.hf-*")]


def test_a_family_that_scales_its_logits_is_refused(tmp_path: Path) -> None:
    folder = save_tiny_model(tmp_path / "granite", "granite", logits_scaling=8.0)
    with pytest.raises(ModelError, match="GraniteForCausalLM, whose probabilities cannot be read here"):
        opened(folder).first_token_logprobs([a_prompt("x")], choices=["A"], run=Run())


def test_a_gpu_that_is_not_there_is_one_clear_error(model: HFCausal, tiny_models: dict[str, Path]) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(ModelError, match="there is no CUDA device"):
        opened(tiny_models["qwen2"], device="cuda").generate([a_prompt("x")], sampling=Sampling(), run=Run())


def test_equal_loads_share_one_copy_in_memory(tiny_models: dict[str, Path]) -> None:
    one, other = (opened(tiny_models["llama"], cache_mib=64) for _ in range(2))
    prompts = [a_prompt(PASSAGES)]
    one.first_token_logprobs(prompts, choices=CHOICES, run=Run())
    run = Run()
    other.first_token_logprobs(prompts, choices=CHOICES, run=run)
    assert prefilled(run) == 1  # the cache is shared, so the weights are


# First tokens


@pytest.mark.parametrize("family", FAMILIES)
def test_first_tokens_are_those_of_the_plain_model(family: str, tiny_models: dict[str, Path]) -> None:
    reader, reference = opened(tiny_models[family], batch_tokens=256), Plain(tiny_models[family])
    users = ["", "Which passage is relevant?", PASSAGES, "Yes? " * 30, "日本 café"]
    prompts = [a_prompt(user, prefill="[") for user in users]
    found = reader.first_token_logprobs(prompts, choices=CHOICES, run=Run())
    wanted = [[reference.first_token(prompt, choice) for choice in CHOICES] for prompt in prompts]
    assert (found.shape, found.dtype) == ((5, 4), np.float32)
    assert np.allclose(found, wanted, atol=1e-4)


def test_nothing_asked_nothing_computed(model: HFCausal) -> None:
    run = Run()
    assert model.first_token_logprobs([], choices=["A"], run=run).shape == (0, 1)
    assert model.first_token_logprobs([a_prompt("x")], choices=[], run=run).shape == (1, 0)
    assert model.token_logprobs([], continuations=[], run=run) == []
    assert model.suffix_attention(a_prompt("x"), suffixes=[], spans=[(0, 1)], run=run) == []
    assert run.ledger.calls() == ()


def test_a_choice_that_is_no_single_token_is_named(model: HFCausal) -> None:
    with pytest.raises(ModelError, match="qwen2 has no single token for 'qqq'"):
        model.first_token_logprobs([a_prompt("x")], choices=["A", "qqq"], run=Run())


def test_coarse_numbers_keep_the_probabilities(tiny_models: dict[str, Path], plain: Plain) -> None:
    prompts = [a_prompt("Which passage is relevant?"), a_prompt(PASSAGES)]
    found = opened(tiny_models["qwen2"], dtype="bfloat16").first_token_logprobs(prompts, choices=CHOICES, run=Run())
    wanted = [[plain.first_token(prompt, choice) for choice in CHOICES] for prompt in prompts]
    assert np.allclose(found, wanted, atol=0.2)
    assert (found <= 0.0).all()


# What is computed


def test_what_prompts_of_one_call_share_is_computed_once(model: HFCausal, plain: Plain) -> None:
    asked = a_prompt(f"{PASSAGES}\nWhich passage is relevant? March"), a_prompt(f"{PASSAGES}\nWhich one? N/A")
    run = Run()
    found = model.first_token_logprobs(asked, choices=CHOICES, run=run)
    ids = [np.array(plain.ids(prompt)) for prompt in asked]
    shared = common(*ids)
    assert shared > LONG
    assert prefilled(run) == shared + sum(len(own) - shared for own in ids)
    assert run.ledger.total().prompt_tokens == sum(map(len, ids))
    assert np.allclose(found, [[plain.first_token(p, c) for c in CHOICES] for p in asked], atol=1e-4)


def test_a_later_call_computes_only_what_is_new(model: HFCausal, plain: Plain) -> None:
    prompts = [a_prompt(f"{PASSAGES}\nQuery: {query}") for query in ("one", "1998")]
    model.first_token_logprobs(prompts[:1], choices=CHOICES, run=Run())
    run = Run()
    found = model.first_token_logprobs(prompts[1:], choices=CHOICES, run=run)
    first, second = (plain.ids(prompt) for prompt in prompts)
    shared = common(np.array(first), np.array(second))
    assert run.ledger.total() == Usage(
        calls=1, prompt_tokens=len(second), cached_tokens=shared, seconds=run.ledger.total().seconds
    )
    assert np.allclose(found[0], [plain.first_token(prompts[1], choice) for choice in CHOICES], atol=1e-4)


def test_without_a_cache_a_call_still_shares_and_the_next_one_starts_anew(tiny_models: dict[str, Path]) -> None:
    reader = opened(tiny_models["qwen2"], cache_mib=0)
    prompts = [a_prompt(f"{PASSAGES}\nQuery: {query}") for query in ("one", "1998")]
    used = []
    for _ in range(2):
        run = Run()
        reader.first_token_logprobs(prompts, choices=CHOICES, run=run)
        used.append((prefilled(run), run.ledger.total().cached_tokens))
    assert used[0] == used[1]
    assert used[0][1] > LONG


def test_prompts_over_prefixes_of_different_lengths_are_read_together(model: HFCausal, plain: Plain) -> None:
    documents = [f"{number} " + "The rocket reached orbit. " * number for number in (3, 5, 8)]
    first = [a_prompt(f"{document}\nQuery: one") for document in documents]
    model.first_token_logprobs(first, choices=CHOICES, run=Run())
    run = Run()
    again = [a_prompt(f"{document}\nQuery: 1998, {document[:9]}") for document in documents]
    found = model.first_token_logprobs(again, choices=CHOICES, run=run)
    assert run.ledger.total().calls == 1
    assert np.allclose(found, [[plain.first_token(p, c) for c in CHOICES] for p in again], atol=1e-4)


def test_prompts_of_different_lengths_make_several_batches_each_booked(model: HFCausal) -> None:
    run = Run()
    model.first_token_logprobs([a_prompt("1"), a_prompt("x" * 300), a_prompt("2")], choices=CHOICES, run=run)
    calls = run.ledger.calls()
    assert len(calls) == 2
    assert {(call.model, call.purpose, call.prompt_digest, call.stop) for call in calls} == {
        ("qwen2", "test/ask", "d", "stop")
    }


@pytest.fixture(scope="module")
def crowded(tiny_models: dict[str, Path]) -> HFCausal:
    """A reader whose cache of 1 MiB is full after 2,700 tokens, and whose state the examples inherit."""
    return opened(tiny_models["qwen2"], cache_mib=1, batch_tokens=500)


@settings(max_examples=40)
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=4), min_size=1, max_size=6))
def test_whatever_is_shared_and_cached_the_figures_are_the_plain_models(
    crowded: HFCausal, plain: Plain, texts: list[list[str]]
) -> None:
    prompts, run = [a_prompt("".join(pieces)) for pieces in texts], Run()
    found = crowded.first_token_logprobs(prompts, choices=CHOICES, run=run)
    assert np.allclose(found, [[plain.first_token(p, choice) for choice in CHOICES] for p in prompts], atol=1e-4)
    assert run.ledger.total().prompt_tokens == sum(len(plain.ids(prompt)) for prompt in prompts)
    assert prefilled(run) >= len(prompts)  # the last token of each at least


# Likelihood


@pytest.mark.parametrize("family", FAMILIES)
def test_likelihoods_are_those_of_the_plain_model(family: str, tiny_models: dict[str, Path]) -> None:
    reader, reference = opened(tiny_models[family], batch_tokens=300), Plain(tiny_models[family])
    prompts = [a_prompt(user) for user in ("", PASSAGES, PASSAGES, "Yes?", "Yes?")]
    texts = ["Which passage?", "The rocket reached orbit.", "A", "1998 March " * 12, "B 日本"]
    found = reader.token_logprobs(prompts, continuations=texts, run=Run())
    for own, prompt, text in zip(found, prompts, texts, strict=True):
        assert own.dtype == np.float32
        assert np.allclose(own, reference.likelihood(prompt, text), atol=1e-4)


def test_no_text_has_no_tokens(model: HFCausal) -> None:
    prompts = [a_prompt("x"), a_prompt("y"), a_prompt("z")]
    found = model.token_logprobs(prompts, continuations=["", "Yes", ""], run=Run())
    assert [len(own) > 0 for own in found] == [False, True, False]


def test_a_token_across_the_boundary_belongs_to_the_continuation(model: HFCausal, plain: Plain) -> None:
    [found] = model.token_logprobs([a_prompt("x", prefill="A ")], continuations=["Yes"], run=Run())
    assert np.allclose(found, plain.likelihood(a_prompt("x", prefill="A"), " Yes"), atol=1e-4)


def test_one_passage_with_many_queries_is_computed_once(model: HFCausal, plain: Plain) -> None:
    queries = ["Which rocket?", "March 1998?", "Yes or No?"]
    run = Run()
    model.token_logprobs([a_prompt(PASSAGES)] * 3, continuations=queries, run=run)
    start = len(plain.ids(a_prompt(PASSAGES)))
    ends = [len(plain.tokenizer.encode(query, add_special_tokens=False)) for query in queries]
    # The prompt's last token is computed for each: it tells the first token of each query.
    assert prefilled(run) in (start + sum(ends), start + sum(ends) + len(queries))
    later = Run()
    model.token_logprobs([a_prompt(PASSAGES)], continuations=["Another query"], run=later)
    assert prefilled(later) < LONG / 4


def test_one_instruction_with_many_passages_is_computed_once(model: HFCausal) -> None:
    prompts = [a_prompt(f"{PASSAGES} {number}") for number in range(5)]
    run = Run()
    model.token_logprobs(prompts, continuations=["Which?"] * 5, run=run)
    assert prefilled(run) < 2 * LONG
    assert run.ledger.total().prompt_tokens > 5 * LONG


# Writing


def greedy(reference: Plain, prompt: Prompt, tokens: int) -> str:
    ids = torch.tensor([reference.ids(prompt)])
    made = reference.model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, do_sample=False)
    return str(reference.tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True))


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_text_is_that_of_transformers(family: str, tiny_models: dict[str, Path]) -> None:
    reader, reference = opened(tiny_models[family]), Plain(tiny_models[family])
    prompts = [a_prompt("Which passage is relevant?"), a_prompt("Yes?", prefill="The ")]
    for _ in range(2):  # the second time over the cache
        found = reader.generate(prompts, sampling=Sampling(max_tokens=40), run=Run())
        for completion, prompt in zip(found, prompts, strict=True):
            assert completion.text == greedy(reference, prompt, 40).rstrip("\N{REPLACEMENT CHARACTER}")


def test_drawn_text_follows_the_seed(model: HFCausal) -> None:
    sampling = Sampling(max_tokens=12, temperature=1.0)
    texts = [model.generate([a_prompt("x")], sampling=sampling, run=Run(seed=n))[0].text for n in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_a_stream_joins_to_the_completion_and_is_booked_once(model: HFCausal) -> None:
    run, sampling = Run(), Sampling(max_tokens=20, with_logprobs=True)
    pieces = list(model.stream(a_prompt("x"), sampling=sampling, run=run))
    [completion] = model.generate([a_prompt("x")], sampling=sampling, run=Run())
    assert "".join(pieces) == completion.text == "".join(token for token, _ in completion.logprobs)
    assert len(pieces) > 1
    assert all(logprob <= 0.0 for _, logprob in completion.logprobs)
    [call] = run.ledger.calls()
    assert (call.stop, call.usage.completion_tokens) == (completion.stop, completion.usage.completion_tokens)


def test_nothing_of_a_stop_string_is_shown(model: HFCausal) -> None:
    whole = model.generate([a_prompt("x")], sampling=Sampling(max_tokens=20), run=Run())[0].text
    stop = whole[4:7]
    pieces = list(model.stream(a_prompt("x"), sampling=Sampling(max_tokens=20, stop=("@@@@", stop)), run=Run()))
    assert "".join(pieces) == whole[: whole.index(stop)]


def test_the_room_for_writing_ends_with_the_context(tiny_models: dict[str, Path], plain: Plain) -> None:
    prompt = a_prompt("x" * 30)
    reader = opened(tiny_models["qwen2"], context_tokens=len(plain.ids(prompt)) + 3)
    [completion] = reader.generate([prompt], sampling=Sampling(max_tokens=50), run=Run())
    assert (completion.usage.completion_tokens, completion.stop) == (3, "length")


# Limits


def every_way(reader: HFCausal, prompt: Prompt, run: Run) -> list[Callable[[], object]]:
    return [
        lambda: reader.first_token_logprobs([prompt], choices=["A"], run=run),
        lambda: reader.token_logprobs([prompt], continuations=["Yes"], run=run),
        lambda: reader.suffix_attention(prompt, suffixes=["Yes"], spans=[(0, 1)], run=run),
        lambda: reader.generate([prompt], sampling=Sampling(max_tokens=2), run=run),
    ]


@pytest.mark.parametrize("way", range(4))
def test_a_prompt_beyond_the_context_names_both_numbers(way: int, tiny_models: dict[str, Path]) -> None:
    reader, run = opened(tiny_models["qwen2"], context_tokens=100), Run()
    with pytest.raises(ModelError, match=r"has \d{3,4} tokens, qwen2 takes 100; .* or raise its option context_tokens"):
        every_way(reader, a_prompt("word " * 100), run)[way]()
    assert run.ledger.calls() == ()


def test_the_models_own_limit_is_not_raised_by_an_option(model: HFCausal) -> None:
    with pytest.raises(ModelError, match=rf"takes {POSITIONS}; ask for less$"):
        model.first_token_logprobs([a_prompt("word " * 1000)], choices=["A"], run=Run())


def test_a_sliding_window_bounds_the_context(tmp_path: Path) -> None:
    folder = save_tiny_model(tmp_path / "mistral", "mistral", sliding_window=64)
    with pytest.raises(ModelError, match="takes 64; ask for less"):
        opened(folder).first_token_logprobs([a_prompt("word " * 60)], choices=["A"], run=Run())


@pytest.mark.parametrize("way", range(4))
@pytest.mark.parametrize(
    ("run", "error"), [(Run(cancelled=lambda: True), Cancelled), (Run(deadline=0.0), BudgetExhausted)]
)
def test_a_spent_run_asks_nothing(model: HFCausal, way: int, run: Run, error: type[Exception]) -> None:
    with pytest.raises(error):
        every_way(model, a_prompt("x"), run)[way]()
    assert run.ledger.calls() == ()


@pytest.mark.parametrize("way", range(4))
def test_a_caller_who_stops_is_heard_within_a_batch(model: HFCausal, way: int) -> None:
    model.first_token_logprobs([a_prompt("loaded")], choices=["A"], run=Run())
    stop = threading.Event()
    run = Run(cancelled=stop.is_set)
    with on_each("MLP", stop.set), pytest.raises(Cancelled):  # in the first of three layers
        every_way(model, a_prompt(PASSAGES), run)[way]()
    assert [call.stop for call in run.ledger.calls()] == ["stopped"]
    assert model.generate([a_prompt("x")], sampling=Sampling(max_tokens=2), run=Run())[0].usage.calls == 1


def test_the_budget_is_seen_between_batches(model: HFCausal) -> None:
    run = Run(budget=Budget(max_calls=1))
    prompts = [a_prompt("1"), a_prompt("x" * 300)]
    with pytest.raises(BudgetExhausted):
        model.first_token_logprobs(prompts, choices=["A"], run=run)
    assert run.ledger.total().calls == 1


def test_threads_get_what_each_would_get_alone(model: HFCausal, plain: Plain) -> None:
    found: dict[int, NDArray[np.float32]] = {}

    def ask(number: int) -> None:
        prompts = [a_prompt(f"{PASSAGES} {number}"), a_prompt(f"{number} " * 40)]
        found[number] = model.first_token_logprobs(prompts, choices=CHOICES, run=Run())

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(6):
        wanted = [plain.first_token(a_prompt(f"{PASSAGES} {number}"), choice) for choice in CHOICES]
        assert np.allclose(found[number][0], wanted, atol=1e-4)


def test_who_waits_in_line_is_heard(model: HFCausal) -> None:
    model.first_token_logprobs([a_prompt("loaded")], choices=["A"], run=Run())
    reached, go_on = threading.Event(), threading.Event()

    def dawdle() -> bool:
        return bool(reached.set() or not go_on.wait(30.0))

    with on_each("MLP", dawdle):
        slow = threading.Thread(
            target=lambda: model.generate([a_prompt("y")], sampling=Sampling(max_tokens=1), run=Run())
        )
        slow.start()
        assert reached.wait(30.0)
        with pytest.raises(BudgetExhausted):
            model.first_token_logprobs([a_prompt("x")], choices=["A"], run=Run(deadline=time.monotonic() + 0.3))
        go_on.set()
        slow.join()


# A real model


@pytest.fixture(scope="module")
def smol(smollm: Path) -> HFCausal:
    return HFCausal(smollm, Options(model="smollm2-135m-instruct-q4_1", cache_mib=64))


@pytest.mark.live
def test_a_real_model_answers_yes_or_no(smol: HFCausal) -> None:
    found = smol.first_token_logprobs([a_prompt("Answer Yes or No: is water wet?")], choices=["Yes", "No"], run=Run())
    assert found.shape == (1, 2)
    assert np.exp(found).sum() > 0.5


@pytest.mark.live
def test_a_real_model_finds_a_true_sentence_likelier_than_its_words_shuffled(smol: HFCausal) -> None:
    texts = ["The capital of France is Paris.", "Paris of is The capital France."]
    true, shuffled = smol.token_logprobs(
        [a_prompt("What is the capital of France?")] * 2, continuations=texts, run=Run()
    )
    assert true.sum() > shuffled.sum() + 10.0


@pytest.mark.live
def test_a_real_models_attention_has_a_row_for_each_head(smol: HFCausal) -> None:
    prefix = a_prompt("Read.\n\nThe tower is in Paris.\n\nBread is baked.\n\n")
    [found] = smol.suffix_attention(
        prefix, suffixes=["Query: Where is the tower?"], spans=[(7, 29), (31, 46)], run=Run()
    )
    assert (smol.layers, smol.heads) == (30, 9)
    assert [len(part) for part in found] == [270, 270]
    assert found[0].sum() > found[1].sum()


@pytest.mark.live
def test_a_real_model_writes_on_from_the_prefill(smol: HFCausal) -> None:
    prompt = a_prompt("What is the capital of France?", prefill="The capital of France is")
    [completion] = smol.generate([prompt], sampling=Sampling(max_tokens=3), run=Run())
    assert completion.text.startswith(" Paris")


@pytest.mark.live
def test_a_real_model_writes_json_of_the_schema(smol: HFCausal) -> None:
    schema = {"type": "object", "properties": {"capital": {"type": "string", "maxLength": 20}}, "required": ["capital"]}
    prompt = a_prompt("What is the capital of France?", schema=schema | {"additionalProperties": False})
    [completion] = smol.generate([prompt], sampling=Sampling(max_tokens=40, with_logprobs=True), run=Run())
    assert "Paris" in json.loads(completion.text)["capital"]
    assert "".join(token for token, _ in completion.logprobs) == completion.text
