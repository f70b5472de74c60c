"""Follow-ups with the times that they ask for: real rules, prompt and steps, a scripted model."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from world import SATURN, SKYLAB, World, tells

from agents.follow_up import Turn
from app.core.budget import Budget
from app.core.run import Run
from app.core.settings import Settings, load_settings
from app.core.timespan import TimeSpan
from app.core.types import Question
from app.engine import Engine
from app.follow_ups import at_another_time, in_conversation, without_carried_time
from app.models.scripted import Rule, ScriptedModel
from app.questions import UNSAID, AskedTime, make_question

TODAY = date(2026, 1, 15)
LED = Turn(question="Who led NASA on 1 July 2008?", answer="Michael Griffin")


def asked(text: str, time: AskedTime = UNSAID) -> Question:
    return make_question(text, asked_on=TODAY, settings=Settings(), time=time)


def world(*replies: str, **more: Any) -> World:
    rules = [Rule(name="follow_up", replies=tuple(json.dumps({"question": text}) for text in replies))]
    return World(*(rules if replies else []), passages=[SKYLAB, SATURN], **more)


@pytest.mark.parametrize(
    ("last", "text", "meaning"),
    [
        ("Who led NASA in 2004?", "and in 2019?", "Who led NASA in 2019?"),
        ("Who led NASA in 2004?", "2019?", "Who led NASA in 2019?"),
        ("Who led NASA in 2004?", "what about May 1973?", "Who led NASA in May 1973?"),
        ("Who led NASA in 2004?", "and between 2005 and 2007?", "Who led NASA between 2005 and 2007?"),
        ("Who led NASA in 2004?", "and now?", "Who led NASA now?"),
        ("Who led NASA in 2004?", "no, 1 July 2008", "Who led NASA on 1 July 2008?"),
        ("In 2004, who led NASA?", "On 1 May 1970?", "On 1 May 1970, who led NASA?"),
        ("Who led NASA?", "and in 2019?", "Who led NASA in 2019?"),
        ("Who led NASA when Skylab fell?", "and before 1970?", "Who led NASA before 1970?"),
        ("Who was the first woman in space?", "and in 1990?", "Who was the first woman in space in 1990?"),
        ("Who led NASA in 2004?", "and ten years later?", None),
        ("Who led NASA in 2004?", "and the first one?", None),
        ("Who led NASA in 2004?", "and who led ESA in 2019?", None),
        ("Who led NASA in 2004?", "after 2010 and before 2005?", None),
    ],
)
def test_a_follow_up_of_a_time_alone_asks_the_last_question_of_that_time(
    last: str, text: str, meaning: str | None
) -> None:
    assert at_another_time(text, last, asked_on=TODAY) == meaning


@pytest.mark.parametrize(
    ("text", "written", "kept"),
    [
        ("who replaced him?", "Who replaced Michael Griffin on 1 July 2008?", "Who replaced Michael Griffin?"),
        ("and ESA?", "Who led ESA on 1 July 2008?", "Who led ESA on 1 July 2008?"),
        ("who led it then?", "Who led ESA on 1 July 2008?", "Who led ESA on 1 July 2008?"),
        ("who replaced him?", "Who replaced Michael Griffin in 2009?", "Who replaced Michael Griffin in 2009?"),
        ("who replaced him?", f"{LED.question} who replaced him?", f"{LED.question} who replaced him?"),
    ],
)
def test_a_question_of_its_own_does_not_inherit_the_time_of_the_last_one(text: str, written: str, kept: str) -> None:
    assert without_carried_time(written, text, LED.question, asked_on=TODAY) == kept


def test_a_follow_up_becomes_the_question_with_its_time_a_step_and_an_event() -> None:
    at = world()

    question = in_conversation(asked("and in 2019?"), [LED], at.tools)

    assert (question.text, question.original) == ("Who led NASA in 2019?", "and in 2019?")
    assert (question.typed, question.understood_as) == ("and in 2019?", "Who led NASA in 2019?")
    assert question.time is not None
    assert (question.time.surface, question.time.span) == ("in 2019", TimeSpan.parse("2019"))
    assert at.named("question.understood") == [
        {"question": "and in 2019?", "understood_as": "Who led NASA in 2019?"},
    ]
    assert [(step.node, step.summary) for step in at.tracer.steps] == [
        ("follow_up", "understood as: Who led NASA in 2019?")
    ]


def test_the_call_of_the_model_is_booked_to_the_step() -> None:
    at = world("Who replaced Michael Griffin?")

    question = in_conversation(asked("who replaced him?"), [LED], at.tools)

    assert question.text == "Who replaced Michael Griffin?"
    [step] = at.tracer.steps
    assert [call.purpose for call in step.calls] == ["agents/follow_up"]


@pytest.mark.parametrize("history", [(), (LED,)])
def test_a_question_that_stands_alone_leaves_no_trace(history: tuple[Turn, ...]) -> None:
    at = world()
    question = asked("Which rocket launched Skylab?")

    assert in_conversation(question, history, at.tools) is question
    assert (at.events, at.tracer.steps, at.model.seen) == ([], [], [])


def test_a_period_that_was_set_stays_and_no_time_is_read_where_none_is_to_count() -> None:
    until = AskedTime(last=TimeSpan.parse("1999"))
    set_by_user = in_conversation(asked("and Mir?", until), [Turn(question="Who built Skylab in 1973?")], world().tools)
    assert set_by_user.time is not None
    assert (set_by_user.time.relation, set_by_user.time.rest) == ("until", "Who built Mir?")

    none = in_conversation(asked("and in 2019?", AskedTime(is_read=False)), [LED], world().tools)
    assert (none.text, none.time) == ("Who led NASA in 2019?", None)


def test_words_that_ask_for_no_day_at_all_are_left_as_they_were_typed() -> None:
    last = Turn(question="Who led NASA after 2010?", answer="Bob")
    question = asked("who led it before 2005?")

    assert in_conversation(question, [last], world("Who led NASA after 2010 before 2005?").tools) == question


def test_a_spent_budget_is_no_failure_of_the_question() -> None:
    at = world("Who replaced Michael Griffin?", run=Run(budget=Budget(max_calls=0)))

    question = in_conversation(asked("who replaced him?"), [LED], at.tools)

    assert question.text == f"{LED.question} who replaced him?"


def test_the_graph_answers_what_a_follow_up_stands_for() -> None:
    at = World(
        *tells("The Saturn V made its first", "9 November 1967", "The Saturn V first flew on 9 November 1967."),
        Rule(name="follow_up", replies=(json.dumps({"question": "When did the Saturn V fly first?"}),)),
        passages=[SKYLAB, SATURN],
    )
    launched = Turn(question="Which rocket launched Skylab?", answer="Saturn V")

    answer = at.ask(in_conversation(asked("when did it fly first?"), [launched], at.tools))

    assert answer.short == "9 November 1967"
    assert [event["query"] for event in at.named("search.results")] == ["When did the Saturn V fly first?"]


def test_the_engine_reads_a_question_in_the_light_of_its_history_and_tells_both(tmp_path: Path) -> None:
    overrides: dict[str, Any] = {"data_dir": tmp_path, "models": {"embedder": {"name": "hashing_embedder"}}}
    engine = Engine.open(load_settings(environment={}, overrides=overrides), generator=ScriptedModel())
    (tmp_path / "a.txt").write_text("Luna 9 landed on the Moon.")
    engine.pipeline("space").run([tmp_path / "a.txt"], run=Run())
    events: list[str] = []

    outcome = engine.answer(
        asked("and Luna 9?"),
        collection="space",
        emit=lambda name, _: events.append(name),
        run=Run(),
        history=[Turn(question="When did Apollo 11 land?")],
    )
    body = outcome.body(answer_id="a", collection="space", conversation_id="c")
    engine.close()

    assert (body["question"], body["understood_as"]) == ("and Luna 9?", "When did Luna 9 land?")
    assert (outcome.trace.steps[0].node, body["conversation_id"]) == ("follow_up", "c")
    assert events[:4] == ["answer.started", "step.started", "step.finished", "question.understood"]
