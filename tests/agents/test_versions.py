"""Questions that are bound to a time, through the real graph."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from told import span
from world import MIR, World, picks, tells

from app.core.timespan import TimeConstraint, TimeMention, TimeSpan
from app.core.types import Answer, DocId, Passage, Question
from app.models.scripted import Rule
from fakes import a_passage, a_question

OLD = a_passage(
    "Ada Byron is the head of the club.",
    passage_id="old.md@0#0",
    title="Head of the club in 2008",
    published=TimeSpan.parse("2008-06-01"),
)
NEW = replace(
    a_passage(
        "Bob Fox is the head of the club since July 2009.",
        passage_id="new.md@0#0",
        title="Head of the club in 2010",
        published=TimeSpan.parse("2010-03-01"),
    ),
    mentions=(TimeMention(span=span("2009-07.."), start=32, end=47),),
)
QUESTION = "Who was the head of the club on 1 July 2008?"


class TimedWorld(World):
    """Asks every question with one constraint, or with none."""

    time: TimeConstraint | None = None

    def ask(self, question: Question) -> Answer:
        return super().ask(replace(question, time=self.time))


def on(day: str) -> TimeConstraint:
    return TimeConstraint(relation="during", span=span(day), surface=f"on {day}", rest="Who was the head of the club?")


def values_for(*replies: tuple[str, str]) -> tuple[Rule, ...]:
    """Return one rule per order in which the two sentences can be shown: value by passage title."""
    said = dict(replies)
    first = json.dumps({"1": said.get("old"), "2": said.get("new")})
    other = json.dumps({"1": said.get("new"), "2": said.get("old")})
    return (
        Rule(name="versions", contains="1. (Head of the club in 2008)", replies=(first,)),
        Rule(name="versions", contains="1. (Head of the club in 2010)", replies=(other,)),
    )


def a_world(*rules: Rule, time: TimeConstraint | None, passages: tuple[Passage, ...] = (OLD, NEW)) -> TimedWorld:
    agent = {"goals": 1, "versions": True}
    told = (*tells("Ada Byron", "Ada Byron"), *tells("Bob Fox", "Bob Fox"), Rule(name="note", replies=(picks(1),)))
    world = TimedWorld(*told, *rules, passages=passages, agent=agent)
    world.time = time
    return world


BOTH = values_for(("old", "Ada Byron"), ("new", "Bob Fox"))


def test_code_chooses_the_version_and_says_what_it_rests_on() -> None:
    world = a_world(*BOTH, time=on("2008-07-01"))

    answer = world.ask(a_question(QUESTION))

    assert (answer.status, answer.short) == ("answered", "Ada Byron")
    assert answer.text == "Ada Byron as of 2008-06-01 [1]. Bob Fox since 2009-07 [2]."
    assert [str(when) for citation in answer.citations for when in citation.told_for] == ["2008-06-01", "since 2009-07"]
    assert answer.detail == "the newest evidence is of 2008-06-01, older than 'on 2008-07-01' asks"
    assert [prompt.name for prompt in world.model.seen] == ["agents/note", "agents/versions"]


def test_the_constraint_is_told_before_anything_is_searched() -> None:
    world = a_world(*BOTH, time=on("2008-07-01"))
    world.ask(a_question(QUESTION))

    names = [name for name, _ in world.events]
    [told] = world.named("time.resolved")
    assert names.index("time.resolved") < names.index("search.results")
    assert (told["relation"], told["surface"]) == ("during", "on 2008-07-01")
    assert told["span"]["start"] == "2008-07-01"
    [step] = [step for step in world.tracer.steps if step.node == "version"]
    assert [row["when"] for row in step.details["statements"]] == ["2008-06-01", "since 2009-07"]


def test_the_day_of_asking_decides_what_is_current() -> None:
    now = TimeConstraint(relation="current", surface="now", rest="Who is the head of the club?")

    answer = a_world(*BOTH, time=now).ask(a_question("Who is now the head of the club?"))

    assert answer.short == "Bob Fox"
    assert answer.text == "Ada Byron as of 2008-06-01 [1]. Bob Fox since 2009-07 [2]."


def test_another_time_gets_another_version() -> None:
    assert a_world(*BOTH, time=on("2009-12-01")).ask(a_question(QUESTION)).short == "Bob Fox"


def test_code_chooses_no_version_unless_the_settings_say_so() -> None:
    plain = {"goals": 1}
    world = World(*tells("Ada Byron", "Ada Byron"), passages=[OLD, NEW], agent=plain)
    world.ask(replace(a_question(QUESTION), time=on("2008-07-01")))
    assert [prompt.name for prompt in world.model.seen] == ["agents/note"]


def test_a_time_that_nothing_is_told_for_is_an_abstention_that_names_the_nearest() -> None:
    world = a_world(*BOTH, time=on("1999-07-01"))

    answer = world.ask(a_question(QUESTION))

    assert (answer.status, answer.reason) == ("abstained", "time_gap")
    assert "Ada Byron" in answer.detail
    assert world.named("answer.delta") == []


def test_a_conflict_is_a_partial_answer_with_both_values() -> None:
    twin = replace(NEW, published=OLD.published, text="Bob Fox is the head of the club now, in 2008....", mentions=())
    world = a_world(*BOTH, time=on("2008-06-01"), passages=(OLD, twin))

    answer = world.ask(a_question(QUESTION))

    assert (answer.status, answer.reason, answer.short) == ("partial", "conflicting_evidence", "")
    assert answer.text.startswith("The evidence conflicts: ")
    assert {citation.doc_id for citation in answer.citations} == {"old.md", "new.md"}
    assert "".join(str(data["text"]) for data in world.named("answer.delta")) == answer.text


def test_where_no_sentence_tells_a_value_the_model_answers_as_it_did() -> None:
    world = a_world(*values_for(), time=on("2008-07-01"))

    answer = world.ask(a_question(QUESTION))

    assert (answer.status, answer.short) == ("answered", "Ada Byron")
    assert [prompt.name for prompt in world.model.seen] == ["agents/note", "agents/versions"]


@pytest.mark.parametrize(
    "time",
    [None, TimeConstraint(relation="first"), TimeConstraint(relation="before", anchor="the merger")],
    ids=["none", "first", "anchor"],
)
def test_without_days_to_choose_by_every_prompt_is_as_it_was(time: TimeConstraint | None) -> None:
    prompts: list[list[Mapping[str, Any]]] = []
    for world in (a_world(*_plain(), time=time), World(*_plain(), passages=[OLD, NEW], agent={"goals": 1})):
        world.tools = replace(world.tools, run=replace(world.run, nonce="0a1b2c3d"))
        world.ask(a_question(QUESTION))
        prompts.append([{"system": seen.system, "user": seen.user, "schema": seen.schema} for seen in world.model.seen])

    assert prompts[0] == prompts[1]
    assert len(prompts[0]) == 1


def test_a_question_without_a_time_sends_no_event_of_time() -> None:
    world = TimedWorld(*tells("Mir was", "Proton"), passages=(MIR,), agent={"goals": 1, "versions": True})

    assert world.ask(a_question("Which rocket launched Mir?")).citations[0].told_for == ()
    assert world.named("time.resolved") == []


def test_a_superseded_document_is_not_what_holds_now() -> None:
    now = TimeConstraint(relation="current", surface="now", rest="Who is the head of the club?")
    late = replace(OLD, published=TimeSpan.parse("2012"), superseded_by=DocId("new.md"))

    answer = a_world(*BOTH, time=now, passages=(late, NEW)).ask(a_question("Who is now the head of the club?"))

    assert answer.short == "Bob Fox"
    assert answer.text == "Bob Fox since 2009-07 [1]."


def _plain() -> tuple[Rule, ...]:
    return tells("Ada Byron", "Ada Byron")
