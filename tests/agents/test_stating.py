"""Sentences become statements: what the model says is checked, times are attached by code."""

import json
from dataclasses import replace

from told import span
from world import World

from agents.reading import sentences_of
from agents.state import Sentence
from agents.stating import statements_in, times_of
from app.core.timespan import Role, TimeMention, TimeSpan
from app.core.types import Passage
from app.models.scripted import Rule
from fakes import a_hit, a_passage

TEXT = "Ada led the club from 2001 until 2005. Bob is its head. Nobody else was born in 1990 or later."
CLUB = a_passage(TEXT, passage_id="club.md@0#0", title="The club", published=TimeSpan.parse("2010-03"))
SENTENCES = sentences_of(a_hit(CLUB))


def mention(words: str, when: str, role: Role = "event") -> TimeMention:
    start = TEXT.index(words)
    return TimeMention(span=span(when), start=start, end=start + len(words), role=role)


def values(**said: str | None) -> Rule:
    return Rule(name="versions", replies=(json.dumps(said),))


def stated(*rules: Rule) -> tuple[World, list[tuple[str, str, str]]]:
    world = World(*rules, passages=[CLUB])
    statements, notes = statements_in(world.tools, SENTENCES, question="Who led the club?")
    assert {one.note_id for one in statements} == {note.note_id for note in notes}
    return world, [(one.value, str(one.when or ""), one.told) for one in statements]


def test_a_value_stands_in_its_sentence_or_is_dropped() -> None:
    _, statements = stated(values(**{"1": "Ada", "2": "Cleo", "3": None}))

    assert [value for value, _, _ in statements] == ["Ada"]


def test_the_words_of_the_question_are_no_value() -> None:
    assert stated(values(**{"1": "the club", "2": "Bob.", "3": ""}))[1] == [("Bob", "2010-03", "published")]


def test_a_reply_of_another_shape_tells_nothing() -> None:
    assert stated(Rule(name="versions", replies=('{"1": "Ada',)))[1] == []


def test_the_prompt_shows_titles_and_no_dates_and_the_grammar_has_a_place_for_each_sentence() -> None:
    world, _ = stated(values(**{"1": None, "2": None, "3": None}))
    [prompt] = world.model.seen

    assert prompt.user.splitlines()[0] == "1. (The club) Ada led the club from 2001 until 2005."
    assert "published" not in prompt.user
    assert f"End of sentences {world.run.nonce}." in prompt.user
    assert prompt.schema is not None
    assert prompt.schema["required"] == ["1", "2", "3"]


def told(number: int, *mentions: TimeMention, passage: Passage = CLUB) -> tuple[list[str], str]:
    one = SENTENCES[number]
    spans, source = times_of(Sentence(passage=replace(passage, mentions=mentions), start=one.start, end=one.end))
    return [str(one.span) for one in spans], source


def test_a_sentence_is_told_for_its_mentions_before_anything_else() -> None:
    begun, ended = mention("2001", "2001"), mention("until 2005", "..2005", "valid_until")

    assert told(0, begun, ended) == (["2001 to 2005"], "mention")
    assert told(0, mention("2001", "2001", "valid_from")) == (["since 2001"], "mention")
    assert told(0, mention("2005", "2005", "valid_until")) == (["until 2005"], "mention")
    assert told(1, begun, ended) == (["2010-03"], "published")


def test_without_a_mention_it_is_told_for_what_the_passage_holds_then_for_its_publication_if_it_speaks_of_now() -> None:
    holding = Passage(
        passage_id=CLUB.passage_id,
        doc_id=CLUB.doc_id,
        document_version="v1",
        title="",
        text=TEXT,
        start=0,
        end=len(TEXT),
        holds=span("2008.."),
    )

    assert told(1, passage=holding) == (["since 2008"], "holds")
    assert told(1) == (["2010-03"], "published")
    assert told(2) == ([], "published")


def test_births_deadlines_and_comparisons_are_beside_the_point() -> None:
    assert told(2, mention("1990", "1990", "birth")) == ([], "published")
