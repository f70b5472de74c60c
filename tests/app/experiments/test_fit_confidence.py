"""Weights of the signs of drafts, fitted to records of a run."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from evaluated import a_result, a_scored

from agents.confidence import SHIPPED, SIGNS
from app.core.errors import InvalidDataset
from app.evaluation.records import Gold
from app.experiments.fit_confidence import (
    AURC,
    BRIER,
    CROSS_VALIDATED,
    FITTED,
    PROBABILITY,
    UNFITTED,
    Drafted,
    drafts_of,
    fit_confidence,
)
from app.experiments.logged import LoggedRun, is_right

USUAL = {name: sign.usual for name, sign in SIGNS.items()}


def drafts(count: int = 60, *, seed: int = 1) -> list[Drafted]:
    """Return drafts that are right as often as `covered` says, whatever the probability of their words."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        covered, probability = rng.random(), rng.random()
        signs = {**USUAL, "covered": covered, "answer_probability": probability}
        found.append(Drafted(query_id=f"q{number:03}", signs=signs, right=bool(rng.random() < covered)))
    return found


def test_what_tells_right_from_wrong_gains_weight_and_what_does_not_loses_it() -> None:
    found = fit_confidence(drafts())

    weights = found.confidence.weights
    assert weights["covered"] > SHIPPED.weights["covered"]
    assert weights["answer_probability"] < SHIPPED.weights["answer_probability"]
    assert weights["retries"] == pytest.approx(SHIPPED.weights["retries"], abs=1e-3)  # never seen to vary
    assert (found.drafts, found.right) == (60, sum(one.right for one in drafts()))


def test_the_figures_tell_what_the_fit_is_worth_against_the_probability_alone() -> None:
    figures = fit_confidence(drafts(200)).figures

    assert list(figures) == [PROBABILITY, UNFITTED, FITTED, CROSS_VALIDATED]
    assert figures[CROSS_VALIDATED][AURC] < figures[PROBABILITY][AURC]
    assert figures[FITTED][BRIER] <= figures[CROSS_VALIDATED][BRIER] < figures[PROBABILITY][BRIER]
    assert all(0.0 <= value <= 1.0 for one in figures.values() for value in one.values())


def test_the_order_of_the_drafts_changes_nothing() -> None:
    assert fit_confidence(drafts()) == fit_confidence(drafts()[::-1])


def test_a_sign_that_is_unknown_everywhere_keeps_its_shipped_weight() -> None:
    without = [
        Drafted(query_id=one.query_id, signs={**one.signs, "answer_probability": None}, right=one.right)
        for one in drafts()
    ]

    found = fit_confidence(without)

    assert found.confidence.weights["answer_probability"] == pytest.approx(3.0, abs=1e-3)
    right = sum(one.right for one in without) / len(without)
    assert found.figures[PROBABILITY] == {AURC: pytest.approx(1 - right), BRIER: pytest.approx(0.25)}


def test_too_few_right_or_wrong_drafts_are_refused() -> None:
    with pytest.raises(InvalidDataset, match="10 right and 0 wrong drafts are too few"):
        fit_confidence([Drafted(query_id=str(n), signs=USUAL, right=True) for n in range(10)])


@pytest.mark.parametrize(
    ("short", "right"),
    [
        ("Ada Brandt", True),
        ("Ada Maria Brandt", True),  # F1 0.8
        ("It was mapped in 1871 by Ada Brandt and others", False),  # F1 4 / 12
        ("Weiss", False),
    ],
)
def test_an_answer_is_right_exactly_or_at_an_f1_of_a_half(short: str, right: bool) -> None:
    gold = Gold(query_id="q", text="Who?", answers=("Ada Brandt",), answerable=True)
    assert is_right(gold, short) is right


def test_an_answer_to_what_has_none_is_wrong_and_without_gold_nothing_is_known() -> None:
    assert is_right(Gold(query_id="q", text="Who?", answerable=False), "Ada") is False
    assert is_right(Gold(query_id="q", text="Who?"), "Ada") is None


def a_raw(query_id: str, *details: Mapping[str, Any]) -> dict[str, Any]:
    steps = [{"node": "verify", "details": one} for one in details]
    return {"query_id": query_id, "answer": {"status": "abstained", "trace": {"steps": steps}}}


def test_drafts_are_read_from_the_trace_withheld_ones_too() -> None:
    passed = {"drafted": "Ada", "signs": {**USUAL, "verified": 1.0}}
    raws = [
        a_raw("told", {"drafted": "Bob", "signs": USUAL}, passed),
        a_raw("none"),
        a_raw("conflict", {"drafted": "", "signs": USUAL}),
        a_raw("withdrawn", {"drafted": "Ada", "signs": {**USUAL, "verified": 0.0}}),
        a_raw("wrong", passed),
        a_raw("unjudged", passed),
    ]
    answers = {"told": "Ada", "wrong": "Bob"}
    golds = {
        raw["query_id"]: Gold(query_id=raw["query_id"], text="Who?", answers=(answers.get(raw["query_id"], "Ada"),))
        for raw in raws
    } | {"unjudged": Gold(query_id="unjudged", text="Who?"), "failed": Gold(query_id="failed", text="Who?")}
    result = a_result([a_scored("told")])
    run = LoggedRun(name="run", result=result, raws={raw["query_id"]: raw for raw in raws}, golds=golds)

    assert [(one.query_id, one.right) for one in drafts_of(run)] == [("told", True), ("wrong", False)]
