"""Times read from passages, ratios to dateparser's search; a bare regex for years tells what the least work costs.

Then the temporal factor of 1,000 hits, by relation: milliseconds beside the goal of 5.

Usage: python benchmarks/bench_time.py [CORPUS] [PASSAGES]

CORPUS is a corpus.jsonl with `text`; without one the passages are sentences of the sample collection's documents.
"""

import json
import re
import sys
import time
from collections.abc import Callable
from datetime import date
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from _table import scaled
from dateparser.search import search_dates  # type: ignore[import-untyped]

from app.core.timespan import Relation, TimeConstraint, TimeSpan
from retrieval.temporal.expressions import read_expressions
from retrieval.temporal.scoring import Times, TimeScorer

ROOT = Path(__file__).parents[1]
PEER = "dateparser"
REPEATS = 5
GOAL = 2000  # passages a second, on one core
FACTOR_GOAL = 5  # milliseconds for so many hits
HITS = 1000
RELATIONS: tuple[Relation, ...] = ("during", "between", "before", "current")
ASKED = TimeSpan(start=date(1969, 1, 1), end=date(1971, 12, 31), granularity="year")
PUBLISHED = TimeSpan(start=date(2024, 6, 12), end=date(2024, 6, 12))
_YEAR = re.compile(r"\b\d{4}\b")
_PEER_REPEATS = 1  # it takes minutes


def passages(corpus: Path | None, count: int) -> list[str]:
    """Return the first texts of a corpus, or paragraphs of the sample collection."""
    if corpus is not None:
        with corpus.open(encoding="utf-8") as lines:
            return [json.loads(line)["text"] for line in islice(lines, count)]
    files = sorted((ROOT / "samples" / "spaceflight" / "documents").glob("*.md"))
    texts = [
        part for file in files for part in file.read_text(encoding="utf-8").split("\n\n") if len(part) > len("# A")
    ]
    return texts[:count]


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the least CPU seconds of the repeats, which a busy machine disturbs least."""
    taken = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return min(taken)


def factor_seconds(relation: Relation, hits: list[Times]) -> float:
    """Return the least CPU seconds in which the hits are judged by one constraint."""
    span = PUBLISHED if relation == "current" else ASKED

    def judge() -> None:
        scorer = TimeScorer(TimeConstraint(relation=relation, span=span))
        for times in hits:
            scorer.factor(times)

    return seconds(judge, 3 * REPEATS)


def main() -> None:
    """Print one JSON line per way of reading, then one per relation."""
    corpus = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    texts = passages(corpus, int(sys.argv[2]) if len(sys.argv) > 2 else scaled(200))  # noqa: PLR2004 - the second argument
    read_expressions(texts[0], published=PUBLISHED)
    figures = {
        PEER: seconds(lambda: [search_dates(text, languages=["en"]) for text in texts], _PEER_REPEATS),
        "read_expressions": seconds(lambda: [read_expressions(text, published=PUBLISHED) for text in texts], REPEATS),
        "year regex": seconds(lambda: [_YEAR.findall(text) for text in texts], REPEATS),
    }
    for what, taken in figures.items():
        print(
            json.dumps(
                {
                    "what": what,
                    "passages": len(texts),
                    "passages_a_second": round(len(texts) / max(taken, 1e-9)),
                    "goal": GOAL if what == "read_expressions" else None,
                    f"seconds_to_{PEER}": round(taken / figures[PEER], 5),
                }
            )
        )
    told = [Times(mentions=read_expressions(text, published=PUBLISHED).mentions, published=PUBLISHED) for text in texts]
    hits = [told[number % len(told)] for number in range(HITS)]
    for relation in RELATIONS:
        taken = factor_seconds(relation, hits)
        print(
            json.dumps({"what": f"factor, {relation}", "hits": HITS, "ms": round(1000 * taken, 2), "goal": FACTOR_GOAL})
        )


if __name__ == "__main__":
    main()
