"""Times read from passages: the labelled sentences as a whole, single forms, laws for any text.

Labels and their conventions stand in tests/corpora/temporal. The floors lie a little below what was measured; of the
sentences in sentences_test.jsonl none was looked at while the rules were written; its figures were measured before
"Until 1991 the road ended" kept its year and "as of" became a validity.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.timespan import TimeMention, TimeSpan
from retrieval.temporal.expressions import Expressions, read_expressions

CORPUS = Path(__file__).parents[2] / "corpora" / "temporal"
PUBLISHED = date(2019, 6, 12)  # a Wednesday


def read(text: str, published: date | None = PUBLISHED) -> Expressions:
    day = None if published is None else TimeSpan(start=published, end=published)
    return read_expressions(text, published=day)


def ends(span: TimeSpan) -> tuple[str | None, str | None]:
    start, end = (None if day is None else day.isoformat() for day in (span.start, span.end))
    return start, end


def found(text: str, published: date | None = PUBLISHED) -> list[tuple[str, str | None, str | None]]:
    return [(text[m.start : m.end], *ends(m.span)) for m in read(text, published).mentions]


def labelled(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CORPUS / name).read_text(encoding="utf-8").splitlines()]


def matches(label: Mapping[str, Any], mention: TimeMention) -> bool:
    """Same days, and surfaces that share a character."""
    shares = mention.start < label["end"] and label["start"] < mention.end
    return shares and ends(mention.span) == (label["from"], label["to"])


def scored(cases: Iterable[tuple[list[dict[str, Any]], tuple[TimeMention, ...]]]) -> Counter[str]:
    """Return the numbers of labels, of mentions, of those that agree, and of those whose finer points agree too."""
    counts: Counter[str] = Counter()
    for labels, mentions in cases:
        counts["labels"] += len(labels)
        counts["mentions"] += len(mentions)
        left = list(mentions)
        for label in labels:
            mention = next((one for one in left if matches(label, one)), None)
            if mention is None:
                continue
            left.remove(mention)
            counts["right"] += 1
            counts["role"] += mention.role == label.get("role")
            counts["granularity"] += mention.span.granularity == label.get("granularity")
            counts["approximate"] += mention.span.approximate == label.get("approximate")
    return counts


@pytest.mark.parametrize(
    ("name", "precision", "recall", "role"),
    [("sentences_dev.jsonl", 0.985, 0.995, 0.99), ("sentences_test.jsonl", 0.97, 0.97, 0.98)],
)
def test_the_times_of_the_labelled_sentences_are_found(name: str, precision: float, recall: float, role: float) -> None:
    rows = labelled(name)
    days = [row["published"] and date.fromisoformat(row["published"]) for row in rows]

    counts = scored((row["mentions"], read(row["text"], day).mentions) for row, day in zip(rows, days, strict=True))

    assert counts["right"] / counts["mentions"] >= precision
    assert counts["right"] / counts["labels"] >= recall
    assert min(counts["role"], counts["granularity"], counts["approximate"]) / counts["right"] >= role


@pytest.mark.skipif("GNOMON_EVAL_DATA" not in os.environ, reason="needs the data sets of evaluation")
def test_the_times_of_sentences_of_the_data_sets_are_found() -> None:
    rows = labelled("passages_dev.jsonl")
    texts = dict(_texts({row["dataset"]: set() for row in rows}, rows))

    counts = scored(_cases(rows, texts))

    assert len(rows) == 100
    assert sum(not row["mentions"] for row in rows) >= 30
    assert counts["right"] / counts["mentions"] >= 0.95
    assert counts["right"] / counts["labels"] >= 0.9


def _texts(datasets: Iterable[str], rows: list[dict[str, Any]]) -> Iterable[tuple[tuple[str, str], dict[str, Any]]]:
    wanted = {(row["dataset"], row["passage_id"]) for row in rows}
    for name in datasets:
        with (Path(os.environ["GNOMON_EVAL_DATA"]) / name / "corpus.jsonl").open(encoding="utf-8") as lines:
            for passage in map(json.loads, lines):
                if (name, passage["_id"]) in wanted:
                    yield (name, passage["_id"]), passage


def _cases(
    rows: list[dict[str, Any]], texts: Mapping[tuple[str, str], dict[str, Any]]
) -> Iterable[tuple[list[dict[str, Any]], tuple[TimeMention, ...]]]:
    for row in rows:
        passage, start = texts[row["dataset"], row["passage_id"]], row["start"]
        day = passage.get("date")
        shifted = [{**label, "start": label["start"] - start, "end": label["end"] - start} for label in row["mentions"]]
        text = passage["text"][start : row["end"]]
        yield shifted, read(text, date.fromisoformat(day[:10]) if day else None).mentions


@pytest.mark.parametrize(
    ("text", "surface", "start", "end"),
    [
        ("It opened in 1990 and closed three years later.", "three years later", "1993-01-01", "1993-12-31"),
        ("On 30 August 2012 it burst, and four days later again.", "four days later", "2012-09-03", "2012-09-03"),
        ("They met in 1931; the previous year they had not.", "previous year", "1930-01-01", "1930-12-31"),
        ("On May 3, 1955 it met, and on May 7 it voted.", "May 7", "1955-05-07", "1955-05-07"),
        ("The hearing is on 2 July.", "2 July", "2019-07-02", "2019-07-02"),
        ("It rained last month.", "last month", "2019-05-01", "2019-05-31"),
        ("Results are expected in three weeks.", "in three weeks", "2019-07-01", "2019-07-07"),
        ("The rate applies from 1 January 2018.", "from 1 January 2018", "2018-01-01", None),
        ("It will not open before 2031.", "before 2031", "2031-01-01", None),
        ("The year ended 31 March 1996 was bad.", "year ended 31 March 1996", "1995-04-01", "1996-03-31"),
        ("It ran for ten years from 1970.", "ten years from 1970", "1970-01-01", "1979-12-31"),
        ("The lists of 1899–02 are lost.", "1899–02", "1899-01-01", "1902-12-31"),
        ("Seen in the 1800s only.", "1800s", "1800-01-01", "1899-12-31"),
    ],
)
def test_a_passage_tells_times_from_one_another_and_from_its_publication(
    text: str, surface: str, start: str, end: str | None
) -> None:
    assert (surface, start, end) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "Resolution 1973 was adopted.",
        "Error 2005 on page 1995, room 1984, for $1999.",
        "See pp. 1990–1993 there.",
        "Windows 2000 was slow.",
        "The third attempt took ten years, at the age of 45.",
        "Send 1920 × 1080 points.",
        "Accounts close on 31 March of each year.",
        "It lasted two days after its launch.",
        "The council meets on Monday.",
    ],
)
def test_numbers_ordinals_durations_and_ages_are_no_times(text: str) -> None:
    assert found(text) == []


def test_both_readings_of_a_day_in_figures_are_kept_unless_the_order_is_known() -> None:
    (mention,) = read("on 03/04/2021").mentions
    (known,) = read_expressions("on 03/04/2021", published=None, day_first=True).mentions

    assert (ends(mention.span), mention.span.approximate) == (("2021-03-04", "2021-04-03"), True)
    assert (ends(known.span), known.span.approximate) == (("2021-04-03", "2021-04-03"), False)


@pytest.mark.parametrize(
    "text",
    ["on 30 February 2010", "in 44 BC", "on 5 May 10000", "from 2000 to 1990", "from 44 BC to AD 14", "Heisei 3"],
)
def test_a_time_that_no_span_can_hold_is_counted_and_no_mention(text: str) -> None:
    assert read(text) == Expressions(mentions=(), impossible=1)


def test_nothing_counts_from_a_time_that_no_span_can_hold() -> None:
    assert found("They came in 44 BC and left two years later.") == []


def test_without_a_day_of_publication_no_time_is_relative() -> None:
    text = "Last month, yesterday, two years ago, on 5 May, in three weeks."
    year = TimeSpan.year(2019)

    assert found(text, published=None) == []
    assert read_expressions(text, published=year).mentions == ()


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("She was born in 1899.", "birth"),
        ("The poet died in 1917.", "death"),
        ("Return it by 31 March 2020.", "deadline"),
        ("By 1998 the firm had failed.", "event"),
        ("It was a prison until 1816.", "valid_until"),
        ("The password expires 2022-03-15.", "valid_until"),
        ("Director since 2004.", "valid_from"),
        ("It took effect on 2021-10-01.", "valid_from"),
        ("It was the hardest frost since 1888.", "comparison"),
        ("Sales rose, compared with 3.6 million in 2009.", "comparison"),
        ("The bridge fell in 1990.", "event"),
    ],
)
def test_the_words_around_a_time_tell_what_it_is_for(text: str, role: str) -> None:
    (mention,) = read(text).mentions

    assert mention.role == role


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("Marie Holt (1912–1954) painted.", ["birth", "death"]),
        ("Ludwig van Berg ( 5 May 1912 – 7 June 1954 ) played.", ["birth", "death"]),
        ("World War I (1914–1938) ended.", ["event"]),
        ("The Second Republic (1919–1946) had coins.", ["event"]),
        ("Ruth Adler (1977–1985 in office) was mayor.", ["event"]),
    ],
)
def test_the_years_behind_a_name_are_a_life_only_of_a_person(text: str, roles: list[str]) -> None:
    assert [mention.role for mention in read(text).mentions] == roles


PIECES = st.sampled_from(
    """the of from between to and until since before after in on by - – -- , . ( ) ' ’ 's 5 5th 30 31 79 90 1990 2000
    0 9999 10000 20210505 03/04/2021 2010-11 May March sept. February Q3 H1 FY2010 first third century centuries 1990s
    1800s '90s summer winter last next this past two few a years months ago later earlier year week Friday today BC AD
    circa early end half quarter present onwards Ramadan born died following previous not due ended Ann Lee""".split()
)
TEXTS = st.text(max_size=80) | st.lists(PIECES, max_size=9).map(" ".join)
DAYS = st.dates(min_value=date(1, 1, 1), max_value=date(9999, 12, 31))


@given(TEXTS, st.none() | DAYS)
def test_any_text_is_read_and_its_mentions_stand_in_order(text: str, published: date | None) -> None:
    mentions = read(text, published).mentions

    assert all(0 <= one.start < one.end <= len(text) for one in mentions)
    assert all(one.end <= other.start for one, other in pairwise(mentions))


@given(DAYS)
def test_every_day_is_found_in_a_sentence(day: date) -> None:
    year = f"{day.year:04}"

    for form in (day.isoformat(), f"{day.day} {day:%B} {year}", f"{day:%B} {day.day}, {year}"):
        assert found(f"It fell on {form} there.") == [(form, day.isoformat(), day.isoformat())]


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 1, 1)), st.integers(1, 300))
def test_weeks_move_with_the_day_of_publication(published: date, weeks: int) -> None:
    text = "yesterday, last week, last Friday, next Monday and two weeks ago"
    by = timedelta(weeks=weeks)

    first, second = (read(text, day).mentions for day in (published, published + by))

    assert len(first) == 5
    assert [(one.span.start or day_zero) + by for one in first] == [one.span.start for one in second]


day_zero = date(1, 1, 1)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("Until 1991 the road ended at the border.", ["Until 1991"]),
        ("In 1991 the long way home was closed.", ["1991"]),
        ("He lives at 1991 Broad Street.", []),
        ("He lives at 1991 Old Mill road.", []),
    ],
)
def test_a_number_of_a_street_has_a_name_behind_it(text: str, times: list[str]) -> None:
    assert [words for words, _, _ in found(text, None)] == times


def test_what_is_so_as_of_a_day_holds_from_it() -> None:
    mentions = read("As of 1 June 2008, the Administrator is Michael D. Griffin, who came in 2005.", None).mentions

    assert [mention.role for mention in mentions] == ["valid_from", "event"]
