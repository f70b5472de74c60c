"""Records of a finished run → the weights with which the signs of a draft tell how probably it is right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.confidence import SHIPPED, SIGNS, Confidence, Signs
from app.core.errors import InvalidDataset
from app.evaluation.calibration import FOLDS, brier, cross_validated, fit_logistic
from app.evaluation.selective import aurc
from app.experiments.logged import LoggedRun, is_right, steps_of

PROBABILITY, UNFITTED, FITTED, CROSS_VALIDATED = "answer_probability", "shipped", "fitted", "cross_validated"
AURC, BRIER = "AURC", "Brier"

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A draft that passed the checks, told or withheld: its signs, and whether it is right."""

    query_id: str
    signs: Signs
    right: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedConfidence:
    """Weights, and what they are worth on the drafts they were made of: AURC and Brier score by what ranks these.

    `answer_probability` is the probability of the answer's tokens alone, one that is unknown last and, for the Brier
    score, a half; `shipped` are the weights without a file, `cross_validated` weights fitted on the other nine tenths.
    """

    confidence: Confidence
    figures: Mapping[str, Mapping[str, float]]
    drafts: int
    right: int


def drafts_of(run: LoggedRun) -> list[Drafted]:
    """Return the judged drafts of a run by question id; conflicts, which tell no one answer, are left out."""
    found = []
    for query_id, gold in sorted(run.golds.items()):
        checked = steps_of(run.raws[query_id], "verify") if query_id in run.raws else []
        details = checked[-1] if checked else {}
        right = is_right(gold, details["drafted"]) if details.get("drafted") else None
        passed = details.get("signs", {}).get("verified", 0.0)
        if right is not None and passed:
            found.append(Drafted(query_id=query_id, signs=details["signs"], right=right))
    return found


def fit_confidence(drafts: Sequence[Drafted]) -> FittedConfidence:
    """Return the weights that fit these drafts best; their order changes nothing.

    Raises:
        InvalidDataset: fewer than ten of them are right, or wrong.
    """
    ordered = sorted(drafts, key=lambda one: one.query_id)
    correct = np.array([one.right for one in ordered], dtype=np.bool_)
    right, wrong = int(correct.sum()), int((~correct).sum())
    if min(right, wrong) < FOLDS:
        raise InvalidDataset(f"{right} right and {wrong} wrong drafts are too few; {FOLDS} of each are the least")
    values, prior = _moved(ordered), np.array([SHIPPED.weights[name] for name in SIGNS])
    model = fit_logistic(values, correct, prior=prior)
    confidence = Confidence(bias=model.bias, weights=dict(zip(SIGNS, model.weights.tolist(), strict=True)))
    alone = [one.signs.get("answer_probability") for one in ordered]
    return FittedConfidence(
        confidence=confidence,
        figures={
            PROBABILITY: {
                AURC: _aurc(np.array([-np.inf if one is None else one for one in alone]), correct),
                BRIER: _brier(np.array([0.5 if one is None else one for one in alone]), correct),
            },
            UNFITTED: _figures(_said(SHIPPED, ordered), correct),
            FITTED: _figures(_said(confidence, ordered), correct),
            CROSS_VALIDATED: _figures(cross_validated(values, correct, prior=prior), correct),
        },
        drafts=len(ordered),
        right=right,
    )


def _moved(drafts: Sequence[Drafted]) -> Floats:
    """Return how far each sign is from its usual value, (drafts, signs); 0 where it is unknown."""
    rows = [[(one.signs.get(name), sign.usual) for name, sign in SIGNS.items()] for one in drafts]
    return np.array([[0.0 if value is None else value - usual for value, usual in row] for row in rows])


def _said(confidence: Confidence, drafts: Sequence[Drafted]) -> Floats:
    return np.array([confidence.probability(one.signs) for one in drafts])


def _figures(probabilities: Floats, correct: Flags) -> dict[str, float]:
    return {AURC: _aurc(probabilities, correct), BRIER: _brier(probabilities, correct)}


def _aurc(confidences: Floats, correct: Flags) -> float:
    return aurc(confidences, correct) or 0.0


def _brier(probabilities: Floats, correct: Flags) -> float:
    return brier(probabilities, correct) or 0.0
