import json
from datetime import date
from typing import Any

import pytest
import typer

from app.cli.context import assignment, given, nested_update
from app.cli.options import day, seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2019", date(2019, 12, 31)), ("2019-02", date(2019, 2, 28)), ("2019-03-05", date(2019, 3, 5))],
)
def test_a_date_is_its_last_day(text: str, expected: date) -> None:
    assert day(text) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2019-13", "2019-02-30", "19"])
def test_what_is_no_date_is_wrong_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        day(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90), ("60s", 60), ("2m", 120), ("1m30s", 90), ("1h", 3600), ("0.5s", 0.5)]
)
def test_a_length_of_time_is_seconds(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "0", "-5", "soon", "5d", "nan", "inf"])
def test_what_is_no_length_of_time_is_wrong_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        seconds(text)


def test_an_assignment_is_nested_and_read_as_yaml() -> None:
    assert assignment("search.top_k=5") == {"search": {"top_k": 5}}
    assert assignment("models.generator.options={model: x}") == {"models": {"generator": {"options": {"model": "x"}}}}
    assert assignment("server.token=") == {"server": {"token": ""}}


def test_later_leaves_win_and_options_that_were_not_given_change_nothing() -> None:
    low = {"agent": {"passages": 3, "strategy": "graph"}}
    assert nested_update(low, given({"agent": {"strategy": None, "passages": 4}})) == {
        "agent": {"passages": 4, "strategy": "graph"}
    }


def test_a_setting_can_be_set_to_null(gnomon: Any) -> None:
    shown = json.loads(gnomon("--set", "models.scorer=null", "config", "show", "--json").out)
    assert shown["models"]["scorer"] is None
