"""Two results on one data set, question by question: what differs, by how much more than chance, and what flipped."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from app.core.errors import InvalidDataset
from app.core.settings import NO_RERANKER
from app.evaluation.significance import mcnemar_exact, paired_randomisation, smallest_detectable_difference
from app.experiments.results import Result, Scored

_RIGHTNESS = ("EM", "full@10")  # what makes a question right: the first that both results have
_NOT_MODELS = ("dataset", "settings", "metrics", "code")

Pair = tuple[Scored, Scored]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One metric over the `n` questions that both results score by it: means, and `difference` = b - a.

    `p` is that of a two-sided paired randomisation test, not corrected for the number of metrics. `detectable` is the
    smallest difference that so many questions show, None where it cannot be told.
    """

    metric: str
    n: int
    a: float
    b: float
    difference: float
    p: float
    detectable: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one result has of a question; `lost` is empty for a right one, `trace` is `records.jsonl:LINE`."""

    is_right: bool
    status: str
    answer: str
    lost: str
    trace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A question that is right in one result and wrong in the other."""

    query_id: str
    text: str
    golds: tuple[str, ...]
    a: Side
    b: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Flips:
    """The flipped questions by id, and McNemar's exact two-sided `p` of them.

    `metric` tells right from wrong; a question that it excludes, as EM does one without an answer, cannot flip.
    """

    metric: str
    only_a: int
    only_b: int
    p: float
    questions: tuple[Flip, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Something that was set differently, a setting by its dotted name; None is for what is not there."""

    name: str
    a: Any
    b: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """The mean of a question, over the questions asked in both; `ratio` is b / a, None where a is 0."""

    name: str
    a: float
    b: float
    ratio: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All that differs between result `a` and result `b`.

    `asked` questions are in both and are compared; `only_a` and `only_b` are left out. `flips` is None where the
    results share neither EM nor full@10. `changed` are settings, the system, the reranker and the code's digest.
    """

    dataset: str
    a: str
    b: str
    asked: int
    only_a: int
    only_b: int
    seed: int
    differences: tuple[Difference, ...]
    flips: Flips | None
    changed: tuple[Changed, ...]
    models: tuple[Changed, ...]
    cost: tuple[Spent, ...]


def compare(a: Result, b: Result, *, seed: int) -> Comparison:
    """Return what differs over the questions asked in both, metrics in the order of `a`.

    Raises:
        InvalidDataset: they are of other data, metrics or least grade, or share no question.
    """
    _refuse_unlike(a, b)
    pairs = _pairs(a, b)
    if not pairs:
        raise InvalidDataset("the results share no question; run both with the same --limit and --sample")
    return Comparison(
        dataset=a.dataset,
        a=name(a),
        b=name(b),
        asked=len(pairs),
        only_a=len(a.scored) - len(pairs),
        only_b=len(b.scored) - len(pairs),
        seed=seed,
        differences=tuple(_differences(pairs, seed)),
        flips=_flips(pairs),
        changed=tuple(_changed(_setup(a), _setup(b))),
        models=tuple(_changed(_models(a), _models(b))),
        cost=(
            _spent("seconds", [(one.seconds, other.seconds) for one, other in pairs]),
            _spent("tokens", [(one.tokens, other.tokens) for one, other in pairs]),
        ),
    )


def name(result: Result) -> str:
    """Return what a result is called: its system, with its reranker if it has one."""
    return f"{result.system} + {result.reranker}" if result.reranker not in ("", NO_RERANKER) else result.system


def _refuse_unlike(a: Result, b: Result) -> None:
    digests = [(result.digests.get("dataset", ""), result.digests.get("metrics", "")) for result in (a, b)]
    (data_a, metrics_a), (data_b, metrics_b) = digests
    if data_a != data_b:
        raise InvalidDataset(
            f"the results are of other data: {a.dataset} ({data_a[:12]}) and {b.dataset} ({data_b[:12]}); "
            "run both systems on one data set"
        )
    if metrics_a != metrics_b:
        raise InvalidDataset(
            f"the results were scored by other metrics, versions {metrics_a} and {metrics_b}; run the older one's "
            "command again"
        )
    if a.relevant_from != b.relevant_from:
        raise InvalidDataset(
            f"documents count as relevant from grade {a.relevant_from} in one result and {b.relevant_from} in the "
            "other; run both with the same --relevant-from"
        )


def _pairs(a: Result, b: Result) -> list[Pair]:
    """Return the questions asked in both by id, so that the order of a run decides nothing."""
    others = {scored.query_id: scored for scored in b.scored}
    pairs = [(scored, others[scored.query_id]) for scored in a.scored if scored.query_id in others]
    return sorted(pairs, key=lambda pair: pair[0].query_id)


def _differences(pairs: Sequence[Pair], seed: int) -> Iterator[Difference]:
    for metric in dict.fromkeys(name for one, _ in pairs for name in one.values):
        values = _values(pairs, metric)
        if not values:
            continue
        a, b = [one for one, _ in values], [other for _, other in values]
        yield Difference(
            metric=metric,
            n=len(values),
            a=mean(a),
            b=mean(b),
            difference=mean(b) - mean(a),
            p=paired_randomisation(a, b, seed=seed),
            detectable=smallest_detectable_difference([other - one for one, other in values]),
        )


def _values(pairs: Sequence[Pair], metric: str) -> list[tuple[float, float]]:
    both = [(one.values.get(metric), other.values.get(metric)) for one, other in pairs]
    return [(one, other) for one, other in both if one is not None and other is not None]


def _flips(pairs: Sequence[Pair]) -> Flips | None:
    metric = next((metric for metric in _RIGHTNESS if _values(pairs, metric)), None)
    if metric is None:
        return None
    judged = [_flip(pair, metric) for pair in pairs if _values([pair], metric)]
    tested = mcnemar_exact([flip.a.is_right for flip in judged], [flip.b.is_right for flip in judged])
    flipped = tuple(flip for flip in judged if flip.a.is_right != flip.b.is_right)
    return Flips(metric=metric, only_a=tested.a_only, only_b=tested.b_only, p=tested.p, questions=flipped)


def _flip(pair: Pair, metric: str) -> Flip:
    a, b = (_side(scored, metric) for scored in pair)
    return Flip(query_id=pair[0].query_id, text=pair[0].text, golds=tuple(pair[0].golds), a=a, b=b)


def _side(scored: Scored, metric: str) -> Side:
    return Side(
        is_right=scored.values[metric] == 1.0,
        status=scored.status,
        answer=scored.answer,
        lost=scored.lost,
        trace=scored.trace,
    )


def _setup(result: Result) -> dict[str, Any]:
    made = {"system": result.system, "reranker": result.reranker, "code": result.digests.get("code")}
    return made | _flat(result.settings)


def _models(result: Result) -> dict[str, Any]:
    return {name: digest for name, digest in result.digests.items() if name not in _NOT_MODELS}


def _flat(settings: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Return the leaves by their dotted names; a list is a leaf."""
    leaves: dict[str, Any] = {}
    for key, value in settings.items():
        leaves |= _flat(value, f"{above}{key}.") if isinstance(value, Mapping) else {f"{above}{key}": value}
    return leaves


def _changed(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Changed]:
    for key in dict.fromkeys([*a, *b]):
        if a.get(key) != b.get(key):
            yield Changed(name=key, a=a.get(key), b=b.get(key))


def _spent(name: str, values: Sequence[tuple[float, float]]) -> Spent:
    a, b = mean(one for one, _ in values), mean(other for _, other in values)
    return Spent(name=name, a=a, b=b, ratio=b / a if a else None)
