import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.search.rewards import PARTS, Part, Weights, agreement, likelihood, mix, share

MEASURED = st.none() | st.floats(0.0, 1.0) | st.just(math.nan)


def test_the_value_is_the_weighted_mean_less_the_cost() -> None:
    reward = mix({"coverage": 1.0, "novelty": 0.5}, weights=Weights(coverage=3.0, novelty=1.0, cost=0.1), tokens=500)

    assert reward.value == pytest.approx((3.0 + 0.5) / 4 - 0.05)
    assert reward.parts == {"coverage": 1.0, "novelty": 0.5}
    assert (reward.cost, reward.dropped) == (pytest.approx(0.05), ())


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_switched_off_by_its_weight(part: Part) -> None:
    reward = mix({part: 1.0, "coverage" if part != "coverage" else "novelty": 0.25}, weights=Weights(**{part: 0.0}))

    assert reward.value == 0.25
    assert part not in reward.parts


def test_what_was_not_measured_does_not_count() -> None:
    reward = mix({"coverage": 0.5, "verification": None}, weights=Weights())

    assert (reward.value, reward.parts, reward.dropped) == (0.5, {"coverage": 0.5}, ())


def test_a_part_that_is_nan_is_dropped_and_named() -> None:
    reward = mix({"coverage": 0.5, "likelihood": math.nan}, weights=Weights())

    assert (reward.value, reward.parts, reward.dropped) == (0.5, {"coverage": 0.5}, ("likelihood",))


def test_nothing_measured_is_worth_nothing() -> None:
    assert mix({}, weights=Weights()).value == 0.0


def test_a_dear_state_is_worth_nothing_and_not_less() -> None:
    assert mix({"coverage": 0.1}, weights=Weights(cost=1.0), tokens=5000).value == 0.0


@given(st.fixed_dictionaries(dict.fromkeys(PARTS, MEASURED)), st.floats(0.0, 1e6))
def test_a_value_is_from_0_to_1(parts: dict[Part, float | None], tokens: float) -> None:
    assert 0.0 <= mix(parts, weights=Weights(), tokens=tokens).value <= 1.0


@pytest.mark.parametrize("value", [-0.1, 1.1, math.inf])
def test_a_part_out_of_range_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="the coverage of a state is from 0 to 1"):
        mix({"coverage": value}, weights=Weights())


@pytest.mark.parametrize("tokens", [-1.0, math.nan, math.inf])
def test_tokens_that_are_no_number_are_refused(tokens: float) -> None:
    with pytest.raises(ValueError, match="a state costs"):
        mix({}, weights=Weights(), tokens=tokens)


@pytest.mark.parametrize("name", [*PARTS, "cost"])
@pytest.mark.parametrize("weight", [-1.0, math.nan, math.inf])
def test_a_weight_that_is_none_is_refused(name: str, weight: float) -> None:
    with pytest.raises(ValueError, match=f"the weight of {name}"):
        Weights(**{name: weight})


def test_a_share_is_a_part_of_a_whole() -> None:
    assert (share(2, 4), share(0, 0)) == (0.5, 0.0)
    with pytest.raises(ValueError, match="3 of 2 is no part"):
        share(3, 2)


def test_agreement_is_the_share_of_the_others_that_say_the_same() -> None:
    assert agreement("mir", ["mir", "iss", "mir", "mir"]) == 0.75
    assert agreement("mir", []) is None


def test_likelihood_is_the_logistic_of_the_information_per_token() -> None:
    assert likelihood([-0.5, -0.5], [-1.0, -2.0]) == pytest.approx(1 / (1 + math.exp(-1.0)))
    assert likelihood([-1.0], [-1.0]) == 0.5
    assert likelihood([], []) is None


def test_likelihood_of_the_impossible_is_0_1_or_nan() -> None:
    assert likelihood([-math.inf], [-1.0]) == pytest.approx(0.0)
    assert likelihood([-1.0], [-math.inf]) == pytest.approx(1.0)
    assert math.isnan(likelihood([-math.inf], [-math.inf]) or 0.0)


def test_likelihood_wants_the_same_tokens_both_times() -> None:
    with pytest.raises(ValueError, match="2 tokens with evidence, 1 without"):
        likelihood([-1.0, -1.0], [-1.0])
