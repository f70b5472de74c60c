"""Speed of the embedded generator and of the embedder on this machine: `python benchmarks/bench_models.py [NAME]`.

Prints one JSON line per figure. Four prompt templates take turns, as the agent's do: from the second round on, their
static parts should come from the prefix cache.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator
from typing import Any

from _table import scaled

from app.core.run import Run
from app.core.settings import load_settings
from app.core.types import Prompt, Sampling
from app.models import catalog
from app.models.llama_cpp import LlamaCpp, Options
from app.models.sentence_embedder import Options as EmbedderOptions
from app.models.sentence_embedder import SentenceEmbedder

WORDS = "river stone cloud winter copper signal orbit launch crew station record agency failure mission engine".split()
SCHEMA = {
    "type": "object",
    "properties": {"words": {"type": "array", "items": {"type": "string", "maxLength": 20}, "minItems": 8}},
    "required": ["words"],
    "additionalProperties": False,
}


def text(seed: int, length: int) -> str:
    """Return that many words, always the same for a seed."""
    source = random.Random(seed)  # noqa: S311 (text for timing, no secret)
    return " ".join(source.choice(WORDS) for _ in range(length))


def generator_figures(name: str, threads: int | None) -> Iterator[dict[str, Any]]:
    """Yield load time, cache hits of alternating templates, tokens a second, and the cost of a grammar."""
    path = catalog.resolve(name, load_settings().models_dir)
    model = LlamaCpp(path, Options(threads=threads))
    started = time.perf_counter()
    _ = model.listening_address
    yield {"figure": "load", "seconds": round(time.perf_counter() - started, 2), "threads": threads}
    for turn in range(3):
        for template in range(4):
            prompt = Prompt(name=f"t{template}", digest="", system=text(template, 230), user=text(99 + turn, 130))
            yield {"figure": "alternating", "turn": turn, "template": template, **timed(model, prompt, 8)}
    for schema in (None, SCHEMA):
        prompt = Prompt(name="grammar", digest="", system="", user="List 20 words as JSON.", schema=schema)
        timed(model, prompt, 1)  # the prompt is cached, the grammar compiled
        yield {"figure": "writing", "grammar": schema is not None, **timed(model, prompt, 48)}


def timed(model: LlamaCpp, prompt: Prompt, max_tokens: int) -> dict[str, Any]:
    """Return tokens and seconds until the first piece and after it."""
    run = Run()
    started = time.perf_counter()
    pieces = model.stream(prompt, sampling=Sampling(max_tokens=max_tokens), run=run)
    next(pieces, "")
    first = time.perf_counter() - started
    for _ in pieces:
        pass
    writing = time.perf_counter() - started - first
    usage = run.ledger.total()
    computed = usage.prompt_tokens - usage.cached_tokens
    return {
        "prompt_tokens": usage.prompt_tokens,
        "cached_tokens": usage.cached_tokens,
        "prefill_tokens_per_second": round(computed / first, 1),
        "decode_tokens_per_second": round((usage.completion_tokens - 1) / writing, 1) if writing else None,
    }


def embedder_figures(passages: int) -> Iterator[dict[str, Any]]:
    """Yield passages a second in both number formats."""
    folder = catalog.resolve("all-minilm-l6-v2", load_settings().models_dir)
    texts = [text(seed, 60 + seed % 120) for seed in range(passages)]
    for dtype in ("float32", "bfloat16", "float32", "bfloat16"):
        embedder = SentenceEmbedder(folder, EmbedderOptions.model_validate({"dtype": dtype}), digest="")
        embedder.embed(texts[:8], run=Run())
        started = time.perf_counter()
        embedder.embed(texts, run=Run())
        yield {"figure": "embed", "dtype": dtype, "per_second": round(passages / (time.perf_counter() - started), 1)}


def main() -> None:
    """Print every figure as a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="qwen2.5-coder-1.5b-instruct-q4_k_m")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--passages", type=int, default=scaled(300))
    arguments = parser.parse_args()
    for figure in generator_figures(arguments.model, arguments.threads):
        print(json.dumps(figure), flush=True)
    for figure in embedder_figures(arguments.passages):
        print(json.dumps(figure), flush=True)


if __name__ == "__main__":
    main()
