"""Records and gold → the figures of a result."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.types import Usage
from app.evaluation import selective, webdetective
from app.evaluation.answers import exact_match, temporal_accuracy, token_f1, wrong_time
from app.evaluation.citations import citation_precision, citation_recall, figures_supported, quoted
from app.evaluation.consistency import READ, consistent
from app.evaluation.cost import cost_of
from app.evaluation.lost import lost
from app.evaluation.multihop import full_support
from app.evaluation.ranking import retrieval_values
from app.evaluation.records import Given, Gold, Record
from app.evaluation.significance import Bootstrap, Interval, mean_interval, statistic_interval
from app.experiments.results import Estimate, Scored

FULL_SUPPORT_AT = 10
ODDS = (0, 1, 20)
FIRST_STAGE = "/first_stage"

Values = dict[str, float | None]
Groups = dict[str, dict[str, dict[str, Estimate]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """All figures of one run."""

    metrics: dict[str, Estimate]
    groups: Groups
    cost: dict[str, Any]
    lost: dict[str, int]
    curve: list[tuple[float, float]]
    excluded: dict[str, int]
    scored: list[Scored]


def score(
    golds: Sequence[Gold], records: Sequence[Record], *, relevant_from: int, seed: int, traces: Mapping[str, str]
) -> Scores:
    """Return the figures of the records, one for each gold, in order; `traces` says where each record lies.

    1,000 questions of 100 hits take about a second.
    """
    values = _values(golds, records, relevant_from)
    right = {gold.query_id: is_right(gold, record) for gold, record in zip(golds, records, strict=True)}
    losses = [
        lost(gold, record, right=right[gold.query_id] or not is_judged(gold), relevant_from=relevant_from)
        for gold, record in zip(golds, records, strict=True)
    ]
    bootstrap = Bootstrap(len(golds), seed=seed)
    metrics = _means(bootstrap, values) | _of_the_set(golds, records, right, relevant_from=relevant_from, seed=seed)
    metrics |= _consistency(golds, records, values, right, seed=seed)
    return Scores(
        metrics=metrics,
        groups=_groups(bootstrap, golds, values),
        cost=cost_of(records, right),
        lost={stage: losses.count(stage) for stage in dict.fromkeys(losses) if stage},
        curve=_curve(golds, records, right),
        excluded=_excluded(golds, records, relevant_from),
        scored=[
            _scored(gold, record, one, loss, traces.get(gold.query_id, ""))
            for gold, record, one, loss in zip(golds, records, values, losses, strict=True)
        ],
    )


def is_judged(gold: Gold) -> bool:
    """Tell whether it is known what is right: an answer, or that there is none."""
    return bool(gold.answers) if gold.answerable else gold.answerable is False


def is_right(gold: Gold, record: Record) -> bool:
    """Tell whether the system did right: the exact answer, or an abstention where there is none."""
    given = record.given
    if given is None or not is_judged(gold):
        return False
    if not gold.answerable:
        return selective.is_refusal(given)
    return given.is_answer and bool(exact_match(given.short, gold.answers))


def _values(golds: Sequence[Gold], records: Sequence[Record], relevant_from: int) -> list[Values]:
    """Return the figures of each question, in order, under the same names in the same order."""
    rankings = {record.query_id: record.ranking for record in records}
    values = [dict(one) for one in _retrieval(golds, rankings, relevant_from)]
    if any(record.first_stage is not None for record in records):
        before = {record.query_id: record.first_stage or () for record in records}
        for one, first in zip(values, _retrieval(golds, before, relevant_from), strict=True):
            one.update({f"{name}{FIRST_STAGE}": value for name, value in first.items()})
    if any(record.given is not None for record in records):
        for one, gold, record in zip(values, golds, records, strict=True):
            one.update(_answer_values(gold, record, relevant_from))
    return values


def _retrieval(golds: Sequence[Gold], rankings: Mapping[str, Any], relevant_from: int) -> list[Values]:
    found = retrieval_values(golds, rankings, relevant_from=relevant_from)
    return [
        found[gold.query_id]
        | {
            f"full@{FULL_SUPPORT_AT}": full_support(
                rankings.get(gold.query_id, ()), gold.relevant, k=FULL_SUPPORT_AT, relevant_from=relevant_from
            )
        }
        for gold in golds
    ]


def _answer_values(gold: Gold, record: Record, relevant_from: int) -> Values:
    given = record.given or Given(status="failed")
    short = given.short if given.is_answer else ""
    evidence = [doc_id for doc_id, grade in gold.relevant.items() if grade >= relevant_from]
    cited = [citation.doc_id for citation in given.cited]
    judged = is_judged(gold)
    has_gold = judged and bool(gold.answerable)
    return {
        "EM": exact_match(short, gold.answers) if has_gold else None,
        "F1": token_f1(short, gold.answers) if has_gold else None,
        "temporal_accuracy": temporal_accuracy(short, gold) if has_gold else None,
        "wrong_time": wrong_time(short, gold) if has_gold else None,
        "citation_precision": citation_precision(cited, evidence),
        "citation_recall": citation_recall(cited, evidence) if given.is_answer else None,
        "quoted": quoted(given) if given.is_answer else None,
        "figures_supported": figures_supported(given) if given.is_answer else None,
        "abstained_answerable": float(selective.is_refusal(given)) if gold.answerable else None,
        "answered_unanswerable": float(given.is_answer) if gold.answerable is False else None,
        "search_score": webdetective.search_score(gold, record, relevant_from=relevant_from),
        "knowledge_sufficiency": webdetective.knowledge_sufficiency(gold, record, relevant_from=relevant_from),
    } | {
        f"utility@{odds}": selective.utility(given.is_answer, is_right(gold, record), odds) if judged else None
        for odds in ODDS
    }


def _means(bootstrap: Bootstrap, values: Sequence[Values]) -> dict[str, Estimate]:
    names = list(values[0]) if values else []
    found = bootstrap.means({name: [one[name] for one in values] for name in names})
    return {name: _estimate(interval) for name, interval in found.items()}


def _of_the_set(
    golds: Sequence[Gold], records: Sequence[Record], right: Mapping[str, bool], *, relevant_from: int, seed: int
) -> dict[str, Estimate]:
    """Return the figures that are none of a single question: refusals, risk, WebDetective's F1."""
    known = [(gold, one, one.given) for gold, one in zip(golds, records, strict=True) if gold.answerable is not None]
    answered = [(gold, record, given) for gold, record, given in known if given is not None]
    if not answered:
        return {}
    unanswerable = np.array([not gold.answerable for gold, _, _ in answered])
    refused = np.array([selective.is_refusal(given) for _, _, given in answered])
    correct = np.array([right[gold.query_id] for gold, _, _ in answered])
    sure = np.array([selective.confidence_of(given) for _, _, given in answered])
    told = [webdetective.knowledge_sufficiency(gold, one, relevant_from=relevant_from) for gold, one, _ in answered]
    enough = np.array([bool(value) for value in told])
    judged = np.array([is_judged(gold) for gold, _, _ in answered])
    has_evidence = np.array([value is not None for value in told])

    def over(included: selective.Flags, statistic: Callable[[NDArray[np.int64]], float | None]) -> Estimate:
        places = np.flatnonzero(included)
        return _estimate(statistic_interval(lambda drawn: statistic(places[drawn]), len(places), seed=seed))

    everything = np.ones(len(answered), dtype=np.bool_)
    return {
        "refusal_precision": over(everything, lambda at: selective.refusal_precision(unanswerable[at], refused[at])),
        "refusal_recall": over(everything, lambda at: selective.refusal_recall(unanswerable[at], refused[at])),
        "refusal_F1": over(everything, lambda at: selective.refusal_f1(unanswerable[at], refused[at])),
        "AURC": over(judged, lambda at: selective.aurc(sure[at], correct[at])),
        "good_refusal_F1": over(has_evidence, lambda at: webdetective.good_refusal_f1(enough[at], refused[at])),
        "knowledge_utilisation_F1": over(
            has_evidence & judged,
            lambda at: webdetective.knowledge_utilisation_f1(enough[at], (correct & ~refused)[at]),
        ),
    }


def _consistency(
    golds: Sequence[Gold], records: Sequence[Record], values: Sequence[Values], right: Mapping[str, bool], *, seed: int
) -> dict[str, Estimate]:
    """Return the share of questions whose variants are all ranked right, and all answered right; none without any."""
    groups = [gold.variant_of for gold in golds]
    if not any(groups):
        return {}
    found = [None if (precision := one[f"P@{READ}"]) is None else precision > 0 for one in values]
    figures = {"consistent_ranking": consistent(groups, found)}
    if any(record.given is not None for record in records):
        answered = [right[gold.query_id] if is_judged(gold) else None for gold in golds]
        figures["consistent_answers"] = consistent(groups, answered)
    return {name: _estimate(mean_interval(one, seed=seed)) for name, one in figures.items()}


def _groups(bootstrap: Bootstrap, golds: Sequence[Gold], values: Sequence[Values]) -> Groups:
    """Return the means by number of hops and by type of question; a group of all questions says nothing new."""
    keys: dict[str, list[str | None]] = {
        "hops": [str(gold.hops) if gold.hops else None for gold in golds],
        "type": [gold.kind for gold in golds],
    }
    groups: Groups = {}
    for grouping, of_question in keys.items():
        names = sorted({key for key in of_question if key is not None})
        if len(names) > 1:
            groups[grouping] = {
                name: _means(
                    bootstrap,
                    [one if key == name else dict.fromkeys(one) for one, key in zip(values, of_question, strict=True)],
                )
                for name in names
            }
    return groups


def _curve(golds: Sequence[Gold], records: Sequence[Record], right: Mapping[str, bool]) -> list[tuple[float, float]]:
    judged = [
        (selective.confidence_of(record.given), right[gold.query_id])
        for gold, record in zip(golds, records, strict=True)
        if record.given is not None and is_judged(gold)
    ]
    sure = np.array([one for one, _ in judged], dtype=np.float64)
    correct = np.array([one for _, one in judged], dtype=np.bool_)
    return selective.risk_coverage(sure, correct) if judged else []


def _excluded(golds: Sequence[Gold], records: Sequence[Record], relevant_from: int) -> dict[str, int]:
    without = sum(not any(grade >= relevant_from for grade in gold.relevant.values()) for gold in golds)
    found = {"no relevant document: not in the retrieval figures": without}
    if any(record.given for record in records):
        found["no gold answer: not in the answer figures"] = sum(not is_judged(gold) for gold in golds)
    return {reason: count for reason, count in found.items() if count}


def _scored(gold: Gold, record: Record, values: Values, loss: str, trace: str) -> Scored:
    usage = sum((call.usage for call in record.calls), Usage())
    return Scored(
        query_id=gold.query_id,
        text=gold.text,
        kind=gold.kind,
        hops=gold.hops,
        golds=list(gold.answers),
        status=record.given.status if record.given else "",
        answer=record.given.short if record.given and record.given.is_answer else "",
        lost=loss,
        values=values,
        seconds=round(record.seconds, 4),
        tokens=usage.prompt_tokens + usage.completion_tokens,
        trace=trace,
    )


def _estimate(interval: Interval) -> Estimate:
    return Estimate(value=interval.value, low=interval.low, high=interval.high, n=interval.n)
