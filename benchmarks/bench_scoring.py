"""Retrieval metrics over a made-up run, ratios to plain ir-measures, which is fed with its named tuples.

Usage: python benchmarks/bench_scoring.py [QUESTIONS]
"""

import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

import ir_measures
from _table import scaled

from app.evaluation.multihop import full_support
from app.evaluation.ranking import DEFAULT_METRICS, retrieval_values
from app.evaluation.records import Gold, Ranking

PEER = "ir_measures"
REPEATS = 5


def questions_and_run(questions: int, hits: int) -> tuple[list[Gold], dict[str, Ranking]]:
    """Return questions with 20 judged documents each and rankings that hold half of them, some scores equal."""
    rng = random.Random(0)  # noqa: S311 - no secret
    golds, rankings = [], {}
    for n in range(questions):
        documents = rng.sample(range(10 * hits + 20), k=hits + 10)
        judged = {f"d{doc}": rng.choice([0, 1, 2]) for doc in documents[-20:]}
        golds.append(Gold(query_id=f"q{n}", text="", relevant={**judged, f"d{documents[-1]}": 1}))
        rankings[f"q{n}"] = tuple((f"d{doc}", round(rng.random(), 3)) for doc in documents[:hits])
    return golds, rankings


def with_ir_measures(golds: list[Gold], rankings: dict[str, Ranking]) -> dict[str, dict[str, float]]:
    """Return the values as ir-measures' documentation has them computed."""
    measures = [ir_measures.parse_measure(name) for name in DEFAULT_METRICS]
    qrels = [ir_measures.Qrel(gold.query_id, doc, grade) for gold in golds for doc, grade in gold.relevant.items()]
    run = [ir_measures.ScoredDoc(query_id, doc, score) for query_id, hits in rankings.items() for doc, score in hits]
    values: dict[str, dict[str, float]] = {gold.query_id: {} for gold in golds}
    for figure in ir_measures.iter_calc(measures, qrels, run):
        values[figure.query_id][str(figure.measure)] = figure.value
    return values


def seconds(work: Callable[[], object]) -> float:
    """Return the median seconds of the repeats."""
    taken = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return median(taken)


def main() -> None:
    """Print one JSON line per way of scoring."""
    questions, hits = int(sys.argv[1]) if len(sys.argv) > 1 else scaled(1_000), 100
    golds, rankings = questions_and_run(questions, hits)
    if retrieval_values(golds, rankings) != with_ir_measures(golds, rankings):
        sys.exit("the values differ")
    figures = {
        PEER: seconds(lambda: with_ir_measures(golds, rankings)),
        "retrieval_values": seconds(lambda: retrieval_values(golds, rankings)),
        "full_support": seconds(lambda: [full_support(rankings[g.query_id], g.relevant, k=10) for g in golds]),
    }
    for scorer, taken in figures.items():
        ratio = round(taken / figures[PEER], 3)
        print(
            json.dumps(
                {
                    "scorer": scorer,
                    "questions": questions,
                    "hits": hits,
                    "seconds": round(taken, 4),
                    f"seconds_to_{PEER}": ratio,
                }
            )
        )


if __name__ == "__main__":
    main()
