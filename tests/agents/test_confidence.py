"""How probable it is that a draft is right: the model, the files of weights, the signs, and what is withheld."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from told import span
from world import CREWS, MIR, PROTON, SATURN, SKYLAB, World, picks, reply, tells

from agents.confidence import SHIPPED, SIGNS, SIGNS_VERSION, Confidence, threshold
from agents.confidence_files import ConfidenceFile, confidence_from
from agents.dated import dated_gap, told_in, window
from agents.notes import write_note
from agents.signs import signs_of
from agents.state import Claim, Draft, Goal, State, Verification
from app.core.budget import Budget
from app.core.errors import ConfigError
from app.core.run import Run
from app.core.timespan import Relation, TimeConstraint, TimeMention, TimeSpan
from app.core.types import Passage
from app.models.scripted import Rule
from fakes import a_hit, a_passage, a_question

USUAL: dict[str, float | None] = {name: sign.usual for name, sign in SIGNS.items()}
VALUES = st.fixed_dictionaries({name: st.none() | st.floats(-1, 1) for name in SIGNS})
WEIGHTS = st.fixed_dictionaries(
    {name: st.floats(0, 50).map(lambda size, s=sign: size if s.weight > 0 else -size) for name, sign in SIGNS.items()}
)
MODELS = st.builds(Confidence, bias=st.floats(-50, 50), weights=WEIGHTS)


# the model


def test_a_usual_draft_is_right_every_second_time_and_one_sign_moves_the_odds() -> None:
    assert SHIPPED.probability(USUAL) == SHIPPED.probability({}) == pytest.approx(0.5)
    agreed = SHIPPED.probability({**USUAL, "agreement": 1.0})
    assert agreed / (1 - agreed) == pytest.approx(2.718281828)


@given(MODELS, VALUES, st.sampled_from(list(SIGNS)), st.floats(-1, 1), st.floats(-1, 1))
def test_confidence_is_a_probability_and_follows_each_sign(
    model: Confidence, signs: dict[str, float | None], name: str, one: float, other: float
) -> None:
    low, high = sorted((one, other), reverse=SIGNS[name].weight < 0)
    worse, better = (model.probability({**signs, name: value}) for value in (low, high))
    assert 0.0 <= worse <= better <= 1.0


@given(MODELS, VALUES, st.permutations(list(SIGNS)))
def test_the_order_of_the_signs_changes_nothing(
    model: Confidence, signs: dict[str, float | None], order: list[str]
) -> None:
    shuffled = Confidence(bias=model.bias, weights={name: model.weights[name] for name in order})
    assert shuffled.probability({name: signs[name] for name in order}) == model.probability(signs)


@given(st.floats(0, 1000), st.floats(0, 1))
def test_a_draft_is_answered_exactly_where_that_is_worth_more_than_silence(odds: float, probability: float) -> None:
    worth = probability - odds * (1 - probability)
    if abs(worth) > 1e-9:
        assert (probability >= threshold(odds)) is (worth > 0)
    assert 0.0 <= threshold(odds) < 1.0


def test_the_sign_that_takes_most_away_is_told() -> None:
    assert SHIPPED.against(USUAL) == ""
    assert (
        SHIPPED.against({**USUAL, "answer_probability": 0.1, "retries": 0.5}) == "the model was not sure of its words"
    )
    assert SHIPPED.against({**USUAL, "retries": 0.5}) == "it was found only after other queries"


# files of weights


def a_file(**given: Any) -> ConfidenceFile:
    fields: dict[str, Any] = {
        "signs_version": SIGNS_VERSION,
        "bias": -1.0,
        "weights": dict(SHIPPED.weights),
        "figures": {},
        "models": {},
        "made_from": "lakes",
        "command": "gnomon eval fit-confidence",
    }
    return ConfidenceFile(**fields | given)


def test_fitted_weights_take_the_place_of_the_shipped_ones(tmp_path: Path) -> None:
    path = tmp_path / "confidence.json"
    a_file().write(path)

    assert confidence_from(None) is SHIPPED
    assert confidence_from(path).probability(USUAL) == pytest.approx(1 / (1 + 2.718281828))


def test_weights_of_other_signs_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "confidence.json"
    a_file(signs_version=SIGNS_VERSION + 1, weights={"luck": 1.0}).write(path)

    with pytest.raises(
        ConfigError, match="of version 2 of the signs, not of 1; run `gnomon eval fit-confidence` again"
    ):
        confidence_from(path)


@pytest.mark.parametrize(
    "weights", [{"goals": 1.0}, {**SHIPPED.weights, "goals": -1.0}, {**SHIPPED.weights, "luck": 1.0}]
)
def test_weights_that_are_not_the_signs_or_point_the_wrong_way_are_refused(
    tmp_path: Path, weights: dict[str, float]
) -> None:
    path = tmp_path / "confidence.json"
    path.write_text(json.dumps({**a_file().model_dump(mode="json"), "weights": weights}))

    with pytest.raises(ConfigError, match="holds no confidence weights"):
        confidence_from(path)


# the signs

TOLD = write_note(SKYLAB, 0, 56, claim="Saturn V")


def a_state(*, passages: tuple[Passage, ...] = (SKYLAB,), **given: Any) -> State:
    state: State = {
        "question": a_question("Which rocket launched Skylab?"),
        "goals": (Goal(number=1, pattern="Which rocket launched Skylab?", status="satisfied", tries=1),),
        "hits": {1: (a_hit(SKYLAB, rank=1, score=3.0), a_hit(MIR, rank=2, score=1.0))},
        "notes": (TOLD,),
        "passages": passages,
        "time": None,
    }
    return {**state, **given}  # type: ignore[typeddict-item]


DRAFT = Draft(short="Saturn V", claims=(Claim(text="A Saturn V launched Skylab.", cited=(1,)),), confidence=0.9)
SOUND = Verification(verdict="supported", checks=())


def test_the_signs_of_a_sound_draft() -> None:
    assert signs_of(a_state(), DRAFT, SOUND) == {
        "answer_probability": 0.9,
        "goals": 1.0,
        "retries": 0.0,
        "quoted": 1.0,
        "covered": 1.0,
        "by_code": 1.0,
        "margin": 1.0,
        "agreement": 0.0,
        "verified": 1.0,
        "in_time": None,
    }


def test_each_sign_falls_with_what_it_stands_for() -> None:
    goals = (
        Goal(number=1, pattern="a", status="partly", tries=2),
        Goal(number=2, pattern="b", status="unsatisfied", tries=3),
    )
    hits = {1: (a_hit(MIR, rank=1, score=3.0), a_hit(SKYLAB, rank=2, score=2.0), a_hit(PROTON, rank=3, score=1.0))}
    other = a_passage("Skylab rode a Saturn V.", passage_id="other.md@0#0")
    notes = (TOLD, write_note(other, 0, 23, claim="Saturn V"))
    time = TimeConstraint(relation="during", span=span("1973"))
    claim = Claim(text="A mighty Saturn V launched heroic Skylab.", cited=(1,))
    state = a_state(
        goals=goals,
        hits=hits,
        notes=notes,
        passages=(SKYLAB, other),
        time=time,
        question=a_question("Which rocket launched Skylab from Florida?"),
    )

    signs = signs_of(
        state, replace(DRAFT, claims=(claim,), confidence=None, by="model"), Verification(verdict="partly", checks=())
    )

    assert signs["answer_probability"] is None
    assert signs["goals"] == pytest.approx(0.25)
    assert signs["retries"] == pytest.approx(1 - 1 / 4)
    assert signs["quoted"] == pytest.approx(4 / 6)
    assert signs["covered"] == pytest.approx(4 / 6)  # rocket, launched, Skylab and its name, without Florida
    assert (signs["by_code"], signs["verified"]) == (0.0, 0.5)
    assert signs["margin"] == pytest.approx(-0.5)
    assert signs["agreement"] == pytest.approx(0.5)
    assert signs["in_time"] == 0.0


def test_a_cited_passage_that_speaks_of_the_time_asked_for_is_in_time() -> None:
    mention = TimeMention(span=span("1973-05-14"), start=23, end=34)
    told = replace(SKYLAB, mentions=(mention,))
    time = TimeConstraint(relation="during", span=span("1973"))

    assert signs_of(a_state(passages=(told,), time=time), DRAFT, SOUND)["in_time"] == 1.0
    born = replace(SKYLAB, mentions=(replace(mention, role="birth"),))
    assert signs_of(a_state(passages=(born,), time=time), DRAFT, SOUND)["in_time"] == 0.0


def test_a_yes_has_no_words_that_another_document_could_hold() -> None:
    assert signs_of(a_state(), replace(DRAFT, short="yes"), SOUND)["agreement"] is None


def test_where_nothing_else_was_found_there_is_no_margin() -> None:
    assert signs_of(a_state(hits={1: (a_hit(SKYLAB),)}), DRAFT, SOUND)["margin"] is None
    assert signs_of(a_state(hits={1: ()}), DRAFT, SOUND)["margin"] is None


@given(st.permutations(range(3)), st.permutations(range(4)))
def test_the_order_of_goals_hits_and_notes_changes_no_sign(order: list[int], shuffled: list[int]) -> None:
    goals = [
        Goal(number=n, pattern=str(n), status=s, tries=n) for n, s in ((1, "satisfied"), (2, "partly"), (3, "open"))
    ]  # type: ignore[arg-type]
    hits = [a_hit(one, rank=n, score=9.0 / n) for n, one in enumerate((MIR, SKYLAB, PROTON, SATURN), start=1)]
    notes = [TOLD, *(write_note(one, 0, 20, claim="") for one in (MIR, SATURN))]
    passages = (SKYLAB, MIR, SATURN)
    plain = a_state(goals=tuple(goals), hits={1: tuple(hits)}, notes=tuple(notes), passages=passages)
    other = a_state(
        goals=tuple(goals[place] for place in order),
        hits={1: tuple(hits[place] for place in shuffled)},
        notes=tuple(notes[place] for place in order),
        passages=passages[::-1],
    )
    cited = Claim(text=DRAFT.claims[0].text, cited=(order.index(0) + 1,))

    assert signs_of(other, replace(DRAFT, claims=(cited,)), SOUND) == signs_of(plain, DRAFT, SOUND)


# time


@pytest.mark.parametrize(
    ("relation", "told", "meets"),
    [
        ("during", "1999-05", True),
        ("during", "2001", False),
        ("before", "1998", True),
        ("before", "1999", False),
        ("after", "2000", True),
        ("after", "1999", False),
        ("since", "2005", True),
        ("since", "1990", False),
        ("until", "1990", True),
        ("until", "2005", False),
    ],
)
def test_evidence_is_held_against_the_days_that_a_question_asks_for(relation: Relation, told: str, meets: bool) -> None:
    asked = window(TimeConstraint(relation=relation, span=span("1999")))
    assert asked is not None
    assert told_in(asked, [span(told)]) is meets


def test_without_days_nothing_is_held_against_them() -> None:
    assert window(None) is None
    assert window(TimeConstraint(relation="current")) is None
    assert dated_gap(TimeConstraint(relation="current"), [SKYLAB]) == ""


# the graph

ROCKET = "Which rocket launched Mir?"


def a_world(*, odds: float = 0.0, **given: Any) -> World:
    rules = tells("Mir was launched", "Proton", "A Proton rocket launched Mir.")
    return World(*rules, passages=[MIR, SKYLAB], agent={"goals": 1, "odds": odds}, **given)


def test_every_answer_tells_its_confidence_and_the_trace_what_it_was_made_of() -> None:
    world = a_world()

    answer = world.ask(a_question(ROCKET))

    [step] = [step for step in world.tracer.steps if step.node == "verify"]
    assert step.details["drafted"] == "Proton"
    assert step.details["signs"].keys() == SIGNS.keys()
    assert answer.confidence == SHIPPED.probability(step.details["signs"])


def test_a_draft_below_the_odds_is_withheld_and_never_told() -> None:
    world = a_world(odds=999.0)

    answer = world.ask(a_question(ROCKET))

    assert (answer.status, answer.reason) == ("abstained", "insufficient_evidence")
    assert (answer.short, answer.text, answer.citations, answer.confidence) == ("", "", (), None)
    assert "its confidence is 0." in answer.detail
    assert "Proton" not in answer.detail
    assert world.named("answer.delta") == world.named("citation") == []


def test_a_withheld_answer_names_what_speaks_against_it() -> None:
    world = a_world(odds=1.0)
    world.tools = replace(world.tools, confidence=Confidence(bias=-3.0))

    detail = world.ask(a_question("Which Soviet rocket launched Mir from Baikonur?")).detail

    assert detail.endswith("0.50 is asked for; the quotes leave out words of the question")


def test_the_same_draft_is_answered_at_lower_odds() -> None:
    assert a_world(odds=0.5).ask(a_question(ROCKET)).short == "Proton"


def test_the_hop_that_is_missing_is_told() -> None:
    first, second = "Which rocket launched Skylab on 14 May 1973?", "When did Saturn V fly for the first time?"
    world = World(
        Rule(name="plan", replies=(json.dumps({"steps": [first, "When did #1 fly for the first time?"]}),)),
        *tells("Skylab was launched", "Saturn V", question=first),
        Rule(name="note", replies=(picks(1),)),
        Rule(name="answer", replies=(reply("unknown", "The facts do not tell.", 1),)),
        passages=[SKYLAB, *CREWS],
        agent={"rewrites": 0},
    )

    answer = world.ask(a_question("When did the rocket that launched Skylab on 14 May 1973 fly for the first time?"))

    assert (answer.status, answer.reason) == ("abstained", "insufficient_evidence")
    assert f"missing: {second}" in answer.detail


def test_a_spent_budget_tells_what_is_missing() -> None:
    world = World(
        Rule(name="note", replies=(picks(1),)),
        passages=[MIR],
        agent={"goals": 1},
        run=Run(budget=Budget(max_calls=1)),
    )

    answer = world.ask(a_question(ROCKET))

    assert (answer.status, answer.reason) == ("abstained", "budget_exhausted")
    assert answer.detail.endswith(f"missing: {ROCKET}")


def test_a_time_of_which_nothing_is_told_is_a_gap_with_the_nearest_dated_evidence() -> None:
    later = a_passage(
        "Cleo Day led the club.", passage_id="later.md@0#0", title="The club later", published=TimeSpan.parse("2020")
    )
    near = replace(later, passage_id="near.md@0#0", title="The club", published=TimeSpan.parse("2008-06-01"))
    world = World(Rule(name="note", replies=(picks(1),)), passages=[later, near], agent={"goals": 1})
    time = TimeConstraint(relation="during", span=span("1999"), surface="in 1999")

    answer = world.ask(replace(a_question("Who led the club in 1999?"), time=time))

    assert (answer.status, answer.reason) == ("abstained", "time_gap")
    assert (
        "nothing found tells of 'in 1999'; the nearest dated evidence is of 2008-06-01, in 'The club'" in answer.detail
    )


def test_evidence_of_the_time_asked_for_is_no_gap() -> None:
    then = a_passage("Cleo Day led the club.", passage_id="then.md@0#0", title="1999", published=TimeSpan.parse("1999"))
    world = World(Rule(name="note", replies=(picks(1),)), passages=[then], agent={"goals": 1})
    time = TimeConstraint(relation="during", span=span("1999"), surface="in 1999")

    assert world.ask(replace(a_question("Who led the club in 1999?"), time=time)).reason == "insufficient_evidence"


@pytest.mark.parametrize(("asked", "warned"), [("2020", True), ("2010", False)])
def test_an_answer_that_rests_on_older_evidence_than_asked_carries_a_warning(asked: str, warned: bool) -> None:
    old = replace(MIR, published=TimeSpan.parse("2015"))
    world = World(*tells("Mir was launched", "Proton"), passages=[old], agent={"goals": 1})
    time = TimeConstraint(relation="during", span=span(asked), surface=f"in {asked}")

    answer = world.ask(replace(a_question(ROCKET), time=time))

    assert answer.status == "answered"
    assert answer.detail == (f"the newest evidence is of 2015-12-31, older than 'in {asked}' asks" if warned else "")
