"""The lexical engines against each other: fit and search over made-up passages, ratios to rank_bm25.

Usage: python benchmarks/bench_bm25.py [PASSAGES]
"""

import json
import random
import sys
import time
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parents[1]))

from _table import scaled

from app.core import registry
from app.core.run import Run
from app.core.types import DocId, Filter, Passage, PassageId

PEER = "rank_bm25"
QUERIES = 50


class Shelf:
    """Passages in memory."""

    def __init__(self, passages: list[Passage]) -> None:
        self.by_id = {passage.passage_id: passage for passage in passages}

    def get(self, passage_ids: list[PassageId]) -> list[Passage]:
        """Return the passages in the order asked for."""
        return [self.by_id[key] for key in passage_ids]

    def select(self, allowed: Filter) -> frozenset[PassageId]:
        """Return every id: the benchmark filters nothing."""
        return frozenset(self.by_id) if allowed else frozenset()


def passages(count: int, rng: random.Random) -> list[Passage]:
    """Return passages of 80 words whose frequencies fall as in natural text (Zipf)."""
    vocabulary = [f"word{n}" for n in range(20_000)]
    weights = [1 / (n + 1) for n in range(len(vocabulary))]
    texts = (" ".join(rng.choices(vocabulary, weights, k=80)) for _ in range(count))
    return [
        Passage(
            passage_id=PassageId(f"d{n}@0#0"),
            doc_id=DocId(f"d{n}"),
            document_version="1",
            title="",
            text=text,
            start=0,
            end=len(text),
        )
        for n, text in enumerate(texts)
    ]


def measure(engine: str, shelf: Shelf, queries: list[str]) -> dict[str, float]:
    """Return the seconds that adding, fitting and each search took."""
    index = registry.build("indexes", engine, {}, SimpleNamespace(passages=shelf))
    start = time.perf_counter()
    index.add(shelf.by_id.values(), run=Run())
    added = time.perf_counter()
    index.search(["word1"], top_k=1, run=Run())
    fitted = time.perf_counter()
    for query in queries:
        index.search([query], top_k=10, run=Run())
    done = time.perf_counter()
    return {"add": added - start, "fit": fitted - added, "search": (done - fitted) / len(queries)}


def main() -> None:
    """Print one JSON line per engine."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else scaled(5_000)
    rng = random.Random(0)  # noqa: S311 - no secret
    shelf = Shelf(passages(count, rng))
    queries = [" ".join(rng.sample([f"word{n}" for n in range(2_000)], k=8)) for _ in range(QUERIES)]
    engines = [name for name in registry.names("indexes") if name.endswith("bm25")]
    figures = {engine: measure(engine, shelf, queries) for engine in engines}
    for engine, seconds in figures.items():
        ratios = {f"{key}_to_{PEER}": round(value / figures[PEER][key], 3) for key, value in seconds.items()}
        print(
            json.dumps({"engine": engine, "passages": count, **{k: round(v, 5) for k, v in seconds.items()}, **ratios})
        )


if __name__ == "__main__":
    main()
