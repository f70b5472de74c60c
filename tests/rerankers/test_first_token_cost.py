"""What FIRST costs over a real model in this process, in tokens that are computed."""

from pathlib import Path

import numpy as np
import pytest
from scored import resources_with
from tiny_causal import save_tiny_model
from transformers import AutoTokenizer

from app.core import registry
from app.core.prompts import load_prompt
from app.core.run import Run
from app.models._common.prefix_cache import common
from app.models.hf_causal import HFCausal, Options
from fakes import a_hit, a_passage, a_query
from rerankers._common.labels import LETTERS, labelled

TEXTS = [f"The rocket {n} reached orbit in March 1998, which was late." for n in range(20)]
QUERY = "Which rocket reached orbit?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("tiny") / "qwen2", max_position_embeddings=4096)


def computed(folder: Path, **options: object) -> int:
    """Return the tokens that one question costs without a cache from before."""
    model = HFCausal(
        folder, Options.model_validate({"model": str(folder), "dtype": "float32", "device": "cpu", "cache_mib": 0})
    )
    reranker = registry.build("rerankers", "first_token", {"orders": 1} | options, resources_with(model))
    hits = [a_hit(a_passage(text, passage_id=f"p{n}@0#0", title="")) for n, text in enumerate(TEXTS)]
    run = Run()
    reranking = reranker.rerank(a_query(QUERY), hits, top_k=20, run=run)
    assert reranking.degraded is None
    spent = run.ledger.total()
    return spent.prompt_tokens - spent.cached_tokens


def asked(folder: Path, prompt: str, query: str) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Return the tokens of a window's whole prompt."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    template = load_prompt("rerankers", prompt).render(passages=labelled(TEXTS, LETTERS), query=query)
    messages = [{"role": "system", "content": template.system}, {"role": "user", "content": template.user}]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return np.array(tokenizer.encode(f"{text}[", add_special_tokens=False), dtype=np.int64)


def test_the_content_free_query_costs_the_end_of_a_prompt_and_not_a_prompt(folder: Path) -> None:
    whole, free = (asked(folder, "first_token", query) for query in (QUERY, "N/A"))

    assert computed(folder, calibrated=False) == len(whole)
    ending = len(free) - common(whole, free)
    assert computed(folder) == len(whole) + ending
    assert ending < len(free) / 5


def test_with_the_question_first_it_costs_nearly_another_prompt(folder: Path) -> None:
    whole, free = (asked(folder, "first_token_query_first", query) for query in (QUERY, "N/A"))

    assert computed(folder, query_first=True) == len(whole) + len(free) - common(whole, free)
    assert common(whole, free) < len(free) / 5
