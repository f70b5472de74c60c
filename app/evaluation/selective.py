"""How well a system knows when not to answer: the risk-coverage curve, refusals and the utility of answering.

An answer to an unanswerable question is a wrong answer. A failure is no refusal: the system did not decide to be
silent; it says nothing, so it is no answer either. The functions on arrays are cheap enough to be bootstrapped: one
entry a question, O(n log n) with confidences, else O(n). A ratio over nothing is None.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.evaluation.records import Given, Gold

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """How well the refused questions are the unanswerable ones; 0 to 1."""

    precision: float | None
    recall: float | None
    f1: float | None


def confidence_of(given: Given) -> float:
    """Return the confidence that an answer is ranked by: NaN if nothing was answered, else the system's own.

    An answer without one comes after all that have one (minus infinity), so a system that gives none is ranked by
    nothing and gets the risk of its answers.
    """
    if not given.is_answer:
        return float("nan")
    return float("-inf") if given.confidence is None else given.confidence


def risk_coverage(confidences: Floats, correct: Flags) -> list[tuple[float, float]]:
    """Return (coverage, risk) for each threshold on the confidence, by coverage; empty if nothing was answered.

    Coverage is the share of all questions that are answered at the threshold, risk the share of wrong ones among
    these (Geifman and El-Yaniv, arXiv 1705.08500, section 2). Questions of equal confidence enter together. A NaN is
    an answer withheld: the curve ends at the coverage that the system reached.
    """
    answered, wrong = _at_thresholds(confidences, correct)
    return [(float(n) / len(confidences), float(w) / float(n)) for n, w in zip(answered, wrong, strict=True)]


def aurc(confidences: Floats, correct: Flags) -> float | None:
    """Return the area under the risk-coverage curve, 0 to 1, less is better; None if nothing was answered.

    The mean over k = 1..n of the risk among the k most confident of n answers (Geifman, Uziel and El-Yaniv, arXiv
    1805.08206, section 2). Where m answers with e errors are equally confident and come after a others with E errors,
    the risk at k = a + t is its mean over their orders: (E + t * e / m) / (a + t).

    The curve, and so the mean, ends at the coverage reached: a refusal is a prediction withheld and has no place in
    the order. Counting it as an error would punish right refusals, as a success reward silence; so read this beside
    the coverage.
    """
    answered, wrong = _at_thresholds(confidences, correct)
    if not len(answered):
        return None
    ks = np.arange(1, answered[-1] + 1)
    return float(np.mean(np.interp(ks, np.append(0, answered), np.append(0, wrong)) / ks))


def refusal_precision(unanswerable: Flags, refused: Flags) -> float | None:
    """Return the share of unanswerable questions among the refused."""
    return _ratio(_count(unanswerable & refused), _count(refused))


def refusal_recall(unanswerable: Flags, refused: Flags) -> float | None:
    """Return the share of refused questions among the unanswerable."""
    return _ratio(_count(unanswerable & refused), _count(unanswerable))


def refusal_f1(unanswerable: Flags, refused: Flags) -> float | None:
    """Return 2 * both / (unanswerable + refused), the harmonic mean of the two; None if no question is either."""
    return _ratio(2 * _count(unanswerable & refused), _count(unanswerable) + _count(refused))


def refusals(golds: Sequence[Gold], givens: Sequence[Given]) -> Refusals:
    """Return how well a system refuses what cannot be answered; questions of unknown answerability are left out."""
    known = [(gold, given) for gold, given in zip(golds, givens, strict=True) if gold.answerable is not None]
    unanswerable = np.array([gold.answerable is False for gold, _ in known], dtype=np.bool_)
    refused = np.array([is_refusal(given) for _, given in known], dtype=np.bool_)
    return Refusals(
        precision=refusal_precision(unanswerable, refused),
        recall=refusal_recall(unanswerable, refused),
        f1=refusal_f1(unanswerable, refused),
    )


def is_refusal(given: Given) -> bool:
    """Tell whether the system chose not to answer; a failed or cancelled question is no refusal."""
    return given.status == "abstained"


def utility(is_answer: bool, correct: bool, odds: float) -> float:
    """Return what a question is worth: 1 for a right answer, `-odds` for a wrong one, 0 for none, failures too.

    Odds are 0 in an exam, 1 in Jeopardy, 20 at high stakes (Jurayj et al., ACL 2025, arXiv 2502.13962).
    """
    if not is_answer:
        return 0.0
    return 1.0 if correct else -float(odds)


def _at_thresholds(confidences: Floats, correct: Flags) -> tuple[Counts, Counts]:
    """Return how many are answered, and how many of these wrong, at each confidence from the highest down."""
    said = ~np.isnan(confidences)
    order = np.argsort(-confidences[said])
    ranked, wrong = confidences[said][order], np.cumsum(~correct[said][order], dtype=np.int64)
    is_last = np.ones(len(ranked), dtype=np.bool_)
    is_last[:-1] = ranked[1:] != ranked[:-1]
    return np.flatnonzero(is_last).astype(np.int64) + 1, wrong[is_last]


def _count(flags: Flags) -> int:
    return int(np.count_nonzero(flags))


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
