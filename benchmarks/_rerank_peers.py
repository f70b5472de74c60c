"""What the rerankers are compared with, written as one would write it: whole prompts, one call each, nothing kept."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForCausalLM, AutoTokenizer

from app.core.prompts import load_prompt
from app.core.run import Run
from app.core.types import Hit, Prompt, Query
from app.models.hf_causal import HFCausal
from rerankers._common.attended import AttendedPrompt, attended_prompt, attended_score, template_of
from rerankers._common.labels import LETTERS, labelled
from rerankers._common.passages import CONTENT_FREE, shown

Pair = tuple[Query, list[Hit]]


class Plain:
    """The model as transformers runs it, in float32."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    def icr(self, pair: Pair) -> list[Hit]:
        """Return the hits by attention, best first: two whole passes that give every layer's whole matrix."""
        self._model.set_attn_implementation("eager")
        prompt = _icr_prompt(pair)
        asked, content_free = (self._attention(prompt, suffix) for suffix in prompt.suffixes)
        scores = [attended_score(one, other) for one, other in zip(asked, content_free, strict=True)]
        return [pair[1][place] for place in np.argsort(-np.array(scores), kind="stable")]

    def prefill(self, pair: Pair) -> int:
        """Read the prompt of `icr` once, with scaled dot product attention, and return its tokens."""
        self._model.set_attn_implementation("sdpa")
        prompt = _icr_prompt(pair)
        text = self._text(prompt.prefix, prompt.prefix.user + prompt.suffixes[0])
        ids = self.tokenizer(text, add_special_tokens=False, return_tensors="pt").input_ids
        with torch.inference_mode():
            self._model(input_ids=ids, use_cache=False, logits_to_keep=1)
        return int(ids.shape[1])

    def _attention(self, prompt: AttendedPrompt, suffix: str) -> list[NDArray[np.float32]]:
        """Return attention from the suffix (mean over its tokens) per passage, shape (heads of all layers, tokens)."""
        before = prompt.prefix.user
        text = self._text(prompt.prefix, before + suffix)
        found = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, return_tensors="pt")
        starts, ends = found.offset_mapping[0].unbind(dim=1)
        begin = text.index(before)
        with torch.inference_mode():  # of the logits only the last row, so that they cost nothing
            told = self._model(input_ids=found.input_ids, use_cache=False, output_attentions=True, logits_to_keep=1)
        own = ends > begin + len(before)
        weights = torch.cat([layer[0, :, own].mean(dim=1) for layer in told.attentions])
        return [weights[:, (starts < begin + end) & (ends > begin + start)].numpy() for start, end in prompt.spans]

    def _text(self, prompt: Prompt, user: str) -> str:
        messages = [{"role": "system", "content": prompt.system}, {"role": "user", "content": user}]
        return str(self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))


def permutation_prompt(pair: Pair) -> Prompt:
    """Return the prompt of `first_token`, for a model that writes the whole ranking."""
    query, hits = pair
    texts = [shown(hit.passage) for hit in hits]
    return load_prompt("rerankers", "first_token").render(passages=labelled(texts, LETTERS), query=query.text)


def permutation_tokens(tokenizer: Any, count: int) -> int:
    """Return how many tokens a ranking of so many passages takes, as `[B] > [A]`."""
    written = " > ".join(f"[{letter}]" for letter in LETTERS[:count])
    return len(tokenizer(written, add_special_tokens=False).input_ids)


def likelihood_loop(model: HFCausal, pair: Pair) -> None:
    """Ask for the query's probability passage by passage."""
    query, hits = pair
    template = load_prompt("rerankers", "likelihood")
    for hit in hits:
        model.token_logprobs([template.render(passage=shown(hit.passage))], continuations=[query.text], run=Run())


def pointwise_loop(model: HFCausal, pair: Pair) -> None:
    """Ask for Yes and No passage by passage, for the query and for none."""
    query, hits = pair
    template = load_prompt("rerankers", "pointwise")
    for hit in hits:
        for text in (query.text, CONTENT_FREE):
            prompt = template.render(passage=shown(hit.passage), query=text)
            model.first_token_logprobs([prompt], choices=("Yes", "No"), run=Run())


def _icr_prompt(pair: Pair) -> AttendedPrompt:
    query, hits = pair
    texts = [shown(hit.passage) for hit in hits]
    return attended_prompt(template_of("find"), texts, [query.text, CONTENT_FREE])
