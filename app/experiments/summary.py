"""What an evaluation measured and what came out, in plain words made of the figures."""

from collections.abc import Callable, Iterator, Sequence

from app.evaluation.lost import LOSSES
from app.experiments.results import Estimate
from app.experiments.scoring import FIRST_STAGE
from app.experiments.tables import Systems, amount, figure, seconds_of, tokens_of

INTERVALS = (
    "Figures in brackets are 95 % intervals: how far the figure would move if other questions of the same kind had "
    "been asked. Where the intervals of two systems overlap, this page does not say which is better; 'gnomon eval "
    "compare' looks at the same questions in pairs and often can."
)


def summary(systems: Systems) -> str:
    """Return a paragraph on the results of one data set: what was asked, the best at each task, its losses, costs."""
    return " ".join([_asked(systems), *_finding(systems), *_answering(systems), *_spending(systems)])


def _asked(systems: Systems) -> str:
    counts = sorted({result.questions for result in systems.values()})
    fewest = f"{counts[0]:,} to " if len(counts) > 1 else ""
    was = "was" if len(systems) == 1 else "were each"
    documents = max(result.documents for result in systems.values())  # 0 where it only orders lists that it is given
    where = f" on {documents:,} documents" if documents else ""
    return f"{_listed(list(systems))} {was} asked {fewest}{_questions(counts[-1])}{where}."


def _finding(systems: Systems) -> Iterator[str]:
    if best := _best(systems, "nDCG@10"):
        name, found = best
        whom = f"{name} reached" if len(systems) == 1 else f"Best at finding was {name}, with"
        yield f"{whom} an nDCG@10 of {_value(found)}{_rival(systems, 'nDCG@10', name, _value)}."
        full = systems[name].metrics.get("full@10")
        if full and full.value is not None:
            yield f"It had every relevant document among its first ten for {_share(full)} of the questions."
    for name, result in systems.items():
        before, after = result.metrics.get(f"nDCG@10{FIRST_STAGE}"), result.metrics.get("nDCG@10")
        if before and after and before.value is not None and after.value is not None:
            yield f"Reranking took the nDCG@10 of {name} from {before.value:.3f} to {after.value:.3f}."


def _answering(systems: Systems) -> Iterator[str]:
    best = _best(systems, "EM")
    if best is None:
        return
    name, found = best
    whom = f"{name} answered" if len(systems) == 1 else f"Best at answering was {name}: it answered"
    yield f"{whom} {_share(found)} exactly as a gold answer has it{_rival(systems, 'EM', name, _share)}."
    rash = systems[name].metrics.get("answered_unanswerable")
    if rash and rash.value is not None:
        yield f"Of the questions without an answer it answered {_share(rash)}."
    lost = systems[name].lost
    most = max(LOSSES, key=lambda loss: lost.get(loss, 0))
    if lost.get(most):
        yield (
            f"It got {_questions(sum(lost.values()))} wrong, {lost[most]:,} of them for the commonest reason: "
            f"{LOSSES[most]}."
        )


def _spending(systems: Systems) -> Iterator[str]:
    known = {name: seconds for name, result in systems.items() if (seconds := seconds_of(result)) is not None}
    if not known:
        return
    quick, slow = min(known, key=lambda name: known[name]), max(known, key=lambda name: known[name])
    if quick == slow:
        yield f"A question took {_spent(systems, quick)} on average."
    else:
        yield f"A question took from {_spent(systems, quick)} ({quick}) to {_spent(systems, slow)} ({slow}) on average."


def _spent(systems: Systems, name: str) -> str:
    seconds, tokens = seconds_of(systems[name]), tokens_of(systems[name])
    return f"{amount(seconds)} s" + (f" and {amount(tokens)} tokens" if tokens else "")


def _best(systems: Systems, metric: str) -> tuple[str, Estimate] | None:
    """Return the system with the highest figure, the first of equals, or None if no system has it."""
    found = [(name, result.metrics[metric]) for name, result in systems.items() if metric in result.metrics]
    known = [(name, estimate) for name, estimate in found if estimate.value is not None]
    return max(known, key=lambda pair: pair[1].value or 0.0, default=None)


def _rival(systems: Systems, metric: str, best: str, told: Callable[[Estimate], str]) -> str:
    """Return a clause on the next best system and whether the intervals overlap; empty if there is none."""
    second = _best({name: result for name, result in systems.items() if name != best}, metric)
    if second is None:
        return ""
    name, found = second
    top = systems[best].metrics[metric]
    apart = found.high is not None and top.low is not None and found.high < top.low
    return f"; next came {name} with {told(found)}{'' if apart else ', and the two intervals overlap'}"


def _share(estimate: Estimate) -> str:
    bounds = "" if estimate.low is None or estimate.high is None else f" [{estimate.low:.0%} to {estimate.high:.0%}]"
    return f"{estimate.value:.0%}{bounds}"


def _value(estimate: Estimate) -> str:
    cell = figure(estimate)
    return f"{cell.text} {cell.interval}".rstrip()


def _questions(count: int) -> str:
    return f"{count:,} question{'' if count == 1 else 's'}"


def _listed(words: Sequence[str]) -> str:
    """Return 'a', 'a and b' or 'a, b and c'."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
