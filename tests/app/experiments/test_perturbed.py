"""Variants of questions: which are made, what is right for each, and that what is written can be measured."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from measured import a_beir_set, write_rows

from app.core.errors import InvalidDataset
from app.core.timespan import TimeSpan
from app.experiments.datasets import read_dataset
from app.experiments.perturbed import fact_of, variants_of, write_perturbed


def led(number: int, who: str, start: str, end: str, words: str = "") -> dict[str, Any]:
    return {
        "_id": f"lake#{number}",
        "text": f"Who led the survey {words or f'from {start} to {end}'}?",
        "answers": [who],
        "type": "unanswerable" if who.startswith("[") else "answerable",
        "time": {"start": start, "end": end},
        "page": "survey",
        "relation": "leader",
    }


BRANDT, WEISS = led(0, "Brandt", "1901", "1905"), led(1, "Weiss", "1905", "1911")
RELEVANT = {"lake#0": {"brandt": 1}, "lake#1": {"weiss": 1}}


def varied(*rows: dict[str, Any]) -> dict[str, tuple[str, list[str], list[str]]]:
    """By id: the text, the answers, the relevant documents."""
    found = variants_of(rows, RELEVANT)
    return {row["_id"]: (row["text"], row["answers"], list(judged)) for row, judged in found}


def test_within_a_long_span_a_year_and_a_month_keep_the_gold() -> None:
    found = varied(BRANDT, WEISS)

    assert found["lake#0"] == ("Who led the survey from 1901 to 1905?", ["Brandt"], ["brandt"])
    assert found["lake#0~inner_year"] == ("Who led the survey in 1903?", ["Brandt"], ["brandt"])
    assert found["lake#0~inner_month"] == ("Who led the survey in August 1903?", ["Brandt"], ["brandt"])


def test_order_keeps_the_gold_where_one_fact_alone_holds_at_the_bound() -> None:
    found = varied(BRANDT, WEISS)

    assert found["lake#0~last_before"] == ("Who led the survey last before 1905?", ["Brandt"], ["brandt"])
    assert found["lake#1~first_after"] == ("Who led the survey first after 1905?", ["Weiss"], ["weiss"])


def test_at_another_time_the_gold_is_that_of_the_sibling_or_none() -> None:
    found = varied(BRANDT, WEISS)

    assert found["lake#0~moved"] == ("Who led the survey in 1908?", ["Weiss"], ["weiss"])
    assert found["lake#0~vanished"] == ("Who led the survey in 1871?", ["[unanswerable]"], [])


def test_a_time_at_which_siblings_differ_is_not_asked_of() -> None:
    found = varied(BRANDT, led(1, "Weiss", "1903", "1911"))

    assert "lake#0~inner_year" not in found
    assert "lake#0~last_before" not in found
    assert "lake#0~first_after" in found


def test_an_unknown_leader_is_another_one() -> None:
    assert "lake#0~inner_year" not in varied(BRANDT, led(1, "[unanswerable]", "1902", "1904"))


def test_a_sibling_of_an_unknown_time_leaves_nothing_certain() -> None:
    assert varied(BRANDT, led(1, "Weiss", "1905", "1911", words="for a while")) == {}


@pytest.mark.parametrize(
    ("text", "start", "end", "surface"),
    [
        ("From 1901 to 1905, who led it?", "1901", "1905", "From 1901 to 1905"),
        (
            "Who led it between Aug 1901 and September 1905?",
            "1901-08",
            "1905-09",
            "between Aug 1901 and September 1905",
        ),
        ("Who led it in 1901?", "1901", "1901", "in 1901"),
        ("Who led it in 1901 to 1905?", "1901", "1905", "in 1901 to 1905"),
        ("Who led it 1901-1905?", "1901", "1905", "1901-1905"),
    ],
)
def test_the_words_of_a_time_are_found_in_its_question(text: str, start: str, end: str, surface: str) -> None:
    fact = fact_of({**BRANDT, "text": text, "time": {"start": start, "end": end}})

    assert fact is not None
    assert text[fact.start : fact.end] == surface
    assert fact.asking("in 1903").startswith("In" if fact.start == 0 else "Who")


_years = st.integers(1900, 1930)


@given(st.lists(st.tuples(_years, st.integers(0, 9), st.sampled_from("ABC")), min_size=1, max_size=5))
def test_no_variant_asks_of_a_time_at_which_another_answer_is_right(facts: list[tuple[int, int, str]]) -> None:
    rows = [led(n, who, str(start), str(start + length)) for n, (start, length, who) in enumerate(facts)]
    rows = [row for row in rows if fact_of(row) is not None]

    for row, _ in variants_of(rows, {}):
        if row["variant"] == "original":
            continue
        asked = TimeSpan(start=TimeSpan.parse(row["time"]["start"]).start, end=TimeSpan.parse(row["time"]["end"]).end)
        there = {one["answers"][0] for one in rows if (fact := fact_of(one)) and fact.span.overlaps(asked)}
        assert there == ({row["answers"][0]} if row["answerable"] else set())


def a_set(folder: Path, *rows: dict[str, Any]) -> Path:
    a_beir_set(folder)
    write_rows(folder / "queries.jsonl", rows)
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nlake#0\tbrandt\t1\nlake#1\tweiss\t1\n")
    return folder


def test_what_is_written_is_a_data_set(tmp_path: Path) -> None:
    counts = write_perturbed(a_set(tmp_path / "given", BRANDT, WEISS), tmp_path / "varied")
    dataset = read_dataset(tmp_path / "varied")

    assert sum(counts.values()) == len(dataset.golds)
    assert dataset.corpus_digest == read_dataset(tmp_path / "given").corpus_digest
    assert {gold.variant_of for gold in dataset.golds} == {"lake#0", "lake#1"}
    assert {gold.kind: gold.answerable for gold in dataset.golds}["vanished"] is False
    moved = next(gold for gold in dataset.golds if gold.query_id == "lake#0~moved")
    assert (moved.answers, moved.relevant, moved.answers_at_other_times) == (("Weiss",), {"weiss": 1}, ("Brandt",))


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    given_set = a_set(tmp_path / "given", BRANDT, WEISS)

    with pytest.raises(InvalidDataset, match="is there already"):
        write_perturbed(given_set, given_set)


def test_a_set_without_times_has_no_variants(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataset, match="no question has siblings"):
        write_perturbed(a_beir_set(tmp_path / "given"), tmp_path / "varied")
