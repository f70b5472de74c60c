import re
from itertools import pairwise

import lxml.etree
import pytest
from evaluated import a_cost, a_result, a_scored, an_estimate
from hypothesis import given
from hypothesis import strategies as st

from app.experiments.drawing import above, cut, spread
from app.experiments.plots import plots
from app.experiments.results import Estimate, Result


def a_system(**figures: float) -> Result:
    return a_result([a_scored("q")], metrics={name.replace("_at_", "@"): an_estimate(v) for name, v in figures.items()})


def titles(systems: dict[str, Result]) -> list[str]:
    return [plot.title for plot in plots(systems, prefix="p")]


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in lxml.etree.fromstring(svg).iter("{*}text")]


def test_one_system_without_stages_curve_or_groups_has_nothing_to_draw() -> None:
    assert titles({"agent": a_system(nDCG_at_10=0.5, F1=0.5)}) == []


def test_two_systems_are_compared_by_order_and_by_cost() -> None:
    one = a_system(nDCG_at_10=0.5, F1=0.5)

    assert titles({"a": one, "b": one}) == ["Order by stage", "What an answer costs"]


def test_stages_are_drawn_with_their_figures_for_a_single_system() -> None:
    metrics = {"nDCG@10": an_estimate(0.75), "nDCG@10/first_stage": an_estimate(0.5)}

    (plot,) = plots({"agent": a_result([a_scored("q")], metrics=metrics)}, prefix="p")

    assert {"agent", "0.500 → 0.750", "nDCG@10"} <= set(texts(plot.svg))


def test_cost_is_in_seconds_where_no_tokens_were_spent() -> None:
    free = {"F1": an_estimate(0.5)}
    system = a_result([a_scored("q")], metrics=free, cost=a_cost(questions=1, tokens=0.0))

    (plot,) = plots({"a": system, "b": system}, prefix="p")

    assert "seconds a question" in texts(plot.svg)


def test_a_curve_and_hops_are_drawn_where_the_results_have_them() -> None:
    figures = {"full@10": an_estimate(0.5, n=30), "R@10": an_estimate(0.6, n=30)}
    hops = {"1": figures, "2": figures, "10": {"R@10": an_estimate(None)}}
    system = a_result([a_scored("q")], metrics={}, curve=[(0.5, 0.1), (1.0, 0.3)], groups={"hops": hops})

    risk, by_hops = plots({"agent": system}, prefix="p")

    assert (risk.title, by_hops.title) == ("Errors by confidence", "Finding by hops")
    assert "30 need 1, 30 need 2, 0 need 10" in by_hops.caption
    shown = texts(by_hops.svg)
    assert [text for text in shown if text in ("1", "2", "10")][:3] == ["1", "2", "10"]
    assert {"R@10", "full@10", "agent"} <= set(shown)


def test_a_name_is_drawn_as_it_is_written() -> None:
    one = a_system(nDCG_at_10=0.5)

    (plot,) = plots({"a < $b$ & c": one, "d": one}, prefix="p")

    assert "a < $b$ & c" in texts(plot.svg)


def test_a_figure_without_an_interval_or_outside_it_is_drawn() -> None:
    bare = Estimate(value=0.5, low=None, high=None, n=1)
    skewed = Estimate(value=0.5, low=0.51, high=0.6, n=9)
    systems = {
        name: a_result([a_scored("q")], metrics={"nDCG@10": one, "F1": one})
        for name, one in {"bare": bare, "skewed": skewed}.items()
    }

    assert titles(systems) == ["Order by stage", "What an answer costs"]


def test_a_drawing_tells_no_date_and_keeps_its_ids_to_itself() -> None:
    one = a_system(nDCG_at_10=0.5)

    (plot,) = plots({"a": one, "b": one}, prefix="set-1")

    assert plot.svg.startswith("<svg")
    assert "metadata" not in plot.svg
    assert all(found.startswith("set-1-1-") for found in re.findall(r'\bid="([^"]+)"', plot.svg))


def test_many_systems_are_drawn_without_an_error() -> None:
    hops = {value: {"R@10": an_estimate(0.5)} for value in ("1", "2")}
    one = a_result([a_scored("q")], metrics={"nDCG@10": an_estimate(0.5)}, curve=[(1.0, 0.5)], groups={"hops": hops})

    drawn = plots({f"a system with a long name, number {number}": one for number in range(12)}, prefix="p")

    assert [plot.title for plot in drawn] == ["Order by stage", "Errors by confidence", "Finding by hops"]


@given(st.lists(st.floats(0, 1), max_size=8).map(sorted), st.floats(0.01, 0.14))
def test_labels_stay_apart_in_order_and_inside(wanted: list[float], gap: float) -> None:
    positions = spread(wanted, gap=gap)

    assert len(positions) == len(wanted)
    assert all(after - before >= gap - 1e-9 for before, after in pairwise(positions))
    assert all(-1e-9 <= position <= 1 + 1e-9 for position in positions)


def test_labels_that_have_room_stay_where_they_are() -> None:
    assert spread([0.1, 0.5, 0.9], gap=0.2) == [0.1, 0.5, 0.9]
    assert spread([0.5, 0.5], gap=0.2) == pytest.approx([0.4, 0.6])


def test_an_axis_ends_at_the_next_tenth() -> None:
    assert above(0.0) == 0.1
    assert above(0.52) == 0.6
    assert above(1.0) == 1.0


def test_a_long_name_is_cut_with_a_sign() -> None:
    assert cut("lexical", 7) == "lexical"
    assert cut("lexical", 6) == "lexic…"
