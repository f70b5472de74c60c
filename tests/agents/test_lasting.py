"""Whether a time is that of a state or of an event, on sentences of the sample collection."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from told import span, tells

from agents.lasting import kind_of
from agents.operators import answer_by_version
from agents.reading import sentences_of
from agents.state import Claim, Sentence
from agents.stating import times_of
from agents.telling import tell
from agents.timeline import build_timeline
from app.core.timespan import Relation, TimeConstraint, TimeMention
from fakes import a_hit, a_passage

DOCUMENTS = Path(__file__).parents[2] / "samples" / "spaceflight" / "documents"
TODAY = date(2026, 1, 15)


def sample(name: str, words: str) -> str:
    """Return the sentence of a document that holds some words."""
    text = (DOCUMENTS / name).read_text(encoding="utf-8")
    [found] = [one.text for one in sentences_of(a_hit(a_passage(text))) if words in one.text]
    return found


@pytest.mark.parametrize(
    ("name", "words", "time", "kind"),
    [
        ("apollo-14.md", "landed in the Fra Mauro highlands", "5 February 1971", "event"),
        ("apollo-14.md", "Apollo 14 was launched", "31 January 1971", "event"),
        ("apollo-13.md", "an oxygen tank", "13 April 1970", "event"),
        ("nasa-administrators-1992-2025.md", "Sean O'Keefe was sworn in", "21 December 2001", "state"),
        ("nasa-administrators-1992-2025.md", "Sean O'Keefe was sworn in", "February 2005", "end"),
        ("nasa-administrators-1992-2025.md", "Jim Bridenstine left office", "20 January 2021", "end"),
        ("nasa-administrators-1958-1977.md", "Thomas O. Paine led NASA", "spring of 1969", "state"),
        ("nasa-administrators-1958-1977.md", "Thomas O. Paine led NASA", "15 September 1970", "end"),
        ("esa-directors-general.md", "took office as Director General", "1 July 2015", "state"),
        ("esa-head-2016.md", "The agency has 22 member states", "2015", "state"),
        ("iss-crew-size-2003.md", "the resident crew numbered three", "February 2003", "state"),
        ("iss-crew-size-2003.md", "launched in Soyuz TMA-2", "26 April 2003", "event"),
        ("cumulative-record-2015.md", "passed the earlier mark", "June 2015", "state"),
        ("cumulative-record-2015.md", "Gennady Padalka landed in Kazakhstan", "12 September 2015", "event"),
        ("nasa-head-2010.md", "Charles F. Bolden took office", "17 July 2009", "state"),
    ],
)
def test_the_verb_next_to_a_time_tells_a_state_from_an_event(name: str, words: str, time: str, kind: str) -> None:
    sentence = sample(name, words)

    assert kind_of(sentence, sentence.index(time)) == kind


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("Ada was head of the club in 2019.", "state"),
        ("In 2019 Ada was the acting head of the club.", "state"),
        ("The club was led by Ada in 2019.", "state"),
        ("The fee was raised to six euros in 2019.", "state"),
        ("The wreck was raised in 2019.", "event"),
        ("The law entered into force in 2019.", "state"),
        ("The congress took place in Hull in 2019.", "event"),
        ("The congress was held in Hull in 2019.", "event"),
        ("The tower was destroyed in 2019.", "event"),
        ("Ada won the cup in 2019.", "event"),
        ("Ada had come to Hull in 2019.", "event"),
        ("The last contact was in 2019.", "event"),
        ("Ada was flight director in 2019.", "state"),
        ("Ada resigned in 2019.", "end"),
        ("The train left in 2019.", "event"),
        ("Ada Byron, 2019.", "event"),
    ],
)
def test_words_of_holding_and_becoming_last_and_words_of_happening_do_not(sentence: str, kind: str) -> None:
    assert kind_of(sentence, sentence.index("2019")) == kind


def test_a_sentence_has_a_kind_wherever_its_time_stands() -> None:
    assert (kind_of("", 0), kind_of("2019", 4), kind_of("Ada led it, 2019", 12)) == ("event", "event", "state")


def told(words: str, **times: str) -> list[tuple[str, bool]]:
    """Return the times that a sentence is told for; each is given as its words in the sentence and its span."""
    name = "nasa-administrators-1992-2025.md" if "O'Keefe" in words else "apollo-14.md"
    text = sample(name, words)
    found = [
        TimeMention(span=span(when), start=text.index(surface), end=text.index(surface) + len(surface))
        for surface, when in ((surface.replace("_", " "), when) for surface, when in times.items())
    ]
    sentence = Sentence(passage=replace(a_passage(text), mentions=tuple(found)), start=0, end=len(text))
    return [(str(one.span), one.lasts) for one in times_of(sentence)[0]]


def test_the_times_of_a_sentence_last_or_not_and_an_end_closes_a_beginning() -> None:
    assert told("landed in the Fra Mauro highlands", **{"5_February_1971": "1971-02-05"}) == [("1971-02-05", False)]
    assert told("Sean O'Keefe was sworn in", **{"21_December_2001": "2001-12-21", "February_2005": "2005-02"}) == [
        ("2001-12 to 2005-02", True)
    ]


LANDINGS = build_timeline(
    [
        tells("Apollo 11", "1969-07-20", lasts=False),
        tells("Apollo 14", "1971-02-05", lasts=False),
        tells("Apollo 15", "1971-07-30", lasts=False),
    ]
)


@pytest.mark.parametrize(
    ("relation", "when", "found"),
    [
        ("during", "1971", {"Apollo 14", "Apollo 15"}),
        ("during", "1969", {"Apollo 11"}),
        ("during", "1970", set()),
        ("as_of", "1971-03-01", set()),
        ("before", "1971", {"Apollo 11"}),
        ("since", "1970", {"Apollo 14", "Apollo 15"}),
        ("current", None, {"Apollo 15"}),
    ],
)
def test_an_event_answers_for_its_own_time_only(relation: Relation, when: str | None, found: set[str]) -> None:
    constraint = TimeConstraint(relation=relation, span=span(when) if when else None)

    answer = answer_by_version(LANDINGS, constraint, asked_on=TODAY)

    assert {one.value for one in answer.versions} == found
    assert answer.reason == (None if found else "time_gap")
    assert answer.conflicts == ()


def test_an_event_is_told_with_its_time_alone() -> None:
    constraint = TimeConstraint(relation="during", span=span("1969"))
    answer = answer_by_version(LANDINGS, constraint, asked_on=TODAY)
    numbers = {one.note_id: number for number, one in enumerate(LANDINGS.statements, start=1)}

    assert tell(answer, LANDINGS, numbers) == (Claim(text="Apollo 11 on 1969-07-20", cited=(1,)),)


def test_an_event_of_who_is_known_to_hold_something_is_part_of_it() -> None:
    timeline = build_timeline([tells("Ada", "2001"), tells("Ada", "2004", lasts=False), tells("Bob", "2006")])

    assert [(one.value, str(one.holds)) for one in timeline.versions] == [
        ("Ada", "2001 to 2005"),
        ("Bob", "since 2006"),
    ]
