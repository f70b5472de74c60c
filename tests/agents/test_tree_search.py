"""The tree search through the real nodes around a scripted model: what it finds, how it ends, what it tells."""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError
from test_graph import SECOND, TWO_HOP, two_hop_rules
from world import CREWS, MIR, PROTON, SATURN, SKYLAB, World, picks, plan, reply, tells

from app.api.event_schemas import ANSWER_EVENT
from app.core.budget import Budget
from app.core.errors import Cancelled, ModelError
from app.core.run import Run
from app.core.settings import Tree
from app.core.timespan import TimeConstraint, TimeSpan
from app.core.types import Completion, Prompt, Sampling
from app.models.scripted import Rule, ScriptedModel
from fakes import a_question

PASSAGES = (SKYLAB, SATURN, PROTON, MIR, *CREWS)
POLICIES = ("puct", "uct", "ab_mcts", "best_first", "beam", "best_of_n")
MIR_RULES = (
    *tells("Mir was launched", "Proton", "A Proton rocket launched Mir."),
    Rule(name="note", replies=(picks(1),)),
    Rule(name="answer", replies=(reply("unknown", "The facts do not tell.", 1),)),
)


def rewording(*queries: str) -> Rule:
    return Rule(name="reformulate", replies=tuple(json.dumps({"query": query}) for query in queries))


def a_world(*rules: Rule, run: Run | None = None, passages: Sequence[Any] = PASSAGES, **tree: Any) -> World:
    own = run or Run(budget=Budget(max_calls=100), nonce="n")
    return World(*rules, passages=passages, agent={"strategy": "tree", "passages": 2}, tree=tree, run=own)


def two_hop_world(**options: Any) -> World:
    return a_world(*two_hop_rules(), rewording("Skylab station rocket"), **options)


def rows(world: World) -> list[dict[str, Any]]:
    [step] = [step for step in world.tracer.steps if step.node == "tree"]
    found: list[dict[str, Any]] = step.details["tree"]
    return found


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_answers_a_two_hop_question_with_its_quotes(policy: str) -> None:
    world = two_hop_world(policy=policy, rollouts=12)

    answer = world.ask(a_question(TWO_HOP))

    assert (answer.status, answer.short) == ("answered", "9 November 1967")
    assert {c.doc_id for c in answer.citations} >= {"skylab.md", "saturn-v.md"}
    assert "".join(str(data["text"]) for data in world.named("answer.delta")) == answer.text


def test_the_tree_is_told_while_it_grows_and_stands_whole_in_the_trace() -> None:
    world = two_hop_world()
    world.ask(a_question(TWO_HOP))

    tree = rows(world)
    assert [row["node_id"] for row in tree] == [0, *(data["node_id"] for data in world.named("tree.node"))]
    assert tree[0]["visits"] == len(tree) - 1 <= 8
    assert all(row["parent"] in {other["node_id"] for other in tree} for row in tree[1:])
    leaf = next(row for row in tree if row["status"] == "answered")
    assert (leaf["action"], leaf["answer"]) == ("answer", "9 November 1967")
    assert {"coverage", "verification"} <= set(leaf["reward"]["parts"])
    assert any(SECOND in row["queries"] for row in tree)
    assert any(note["doc_id"] == "saturn-v.md" for row in tree for note in row["evidence"])
    assert json.loads(json.dumps(tree)) == tree
    envelope = {"event": "tree.node", "seq": 1, "ts": "2026-01-15T00:00:00Z", "answer_id": "a"}
    assert all(ANSWER_EVENT.validate_python({**envelope, **data}) for data in world.named("tree.node"))


def test_several_finished_paths_give_the_confidence_of_their_vote_one_alone_that_of_its_words() -> None:
    question = "Which rocket launched the Mir station that the Baikal rocket launched?"
    wrong, right = "What did the Baikal rocket launch?", "Which rocket launched Mir?"
    rules = (
        Rule(name="plan", replies=(json.dumps({"steps": [wrong, "Which Mir rocket launched #1?"]}),)),
        *tells("The Proton rocket flew", "Saturn V", "It was a Saturn V.", question=wrong),
        *MIR_RULES,
        rewording(right),
    )
    alone, several = a_world(*rules, rollouts=3), a_world(*rules, rollouts=30)

    confidence = several.ask(a_question(question)).confidence
    [step] = [step for step in several.tracer.steps if step.node == "tree"]

    assert len([row for row in rows(several) if row["status"] == "answered"]) > 1
    assert confidence == pytest.approx(step.details["votes"][0]["share"], abs=1e-4)
    assert alone.ask(a_question(question)).confidence is None  # the script tells no probabilities


def test_the_same_seed_gives_the_same_tree_and_another_one_another() -> None:
    def grown(seed: int, parallel: int = 1) -> list[dict[str, Any]]:
        world = two_hop_world(run=Run(seed=seed, nonce="n"), rollouts=12, parallel=parallel)
        world.ask(a_question(TWO_HOP))
        return rows(world)

    assert grown(3) == grown(3)
    assert grown(3, parallel=4) == grown(3, parallel=4)
    assert len({json.dumps(grown(seed)) for seed in range(6)}) > 1


def test_nothing_is_searched_or_asked_twice() -> None:
    world = two_hop_world(rollouts=30)
    world.ask(a_question(TWO_HOP))

    asked = [(prompt.name, prompt.user) for prompt in world.model.seen if prompt.name != "agents/plan"]
    reworded = [name for name, _ in asked if name == "agents/reformulate"]
    greedy = [one for one in asked if one[0] != "agents/reformulate"]
    assert reworded
    assert len(set(greedy)) == len(greedy)


def test_a_wrong_first_way_is_outvoted() -> None:
    """The first plan leads to a wrong rocket; later ones, and the whole question, lead to the right one."""
    question = "Which rocket launched the Mir station that the Baikal rocket launched?"
    world = a_world(
        Rule(
            name="plan",
            replies=(json.dumps({"steps": ["What did the Baikal rocket launch?", "Which Mir rocket launched #1?"]}),),
        ),
        *tells(
            "The Proton rocket flew", "Saturn V", "It was a Saturn V.", question="What did the Baikal rocket launch?"
        ),
        *MIR_RULES,
        rewording("rocket of the station"),
        rollouts=20,
    )

    answer = world.ask(a_question(question))

    assert answer.short == "Proton"


def test_a_model_that_always_words_the_same_query_is_bounded_and_pruned() -> None:
    world = a_world(plan(), *MIR_RULES, rewording("Who built Mir?"), rollouts=25)

    answer = world.ask(a_question("Who built Mir?"))

    same = [row for row in rows(world) if row["action"] == "reformulate" and row["text"] == "Who built Mir?"]
    assert same
    assert {row["status"] for row in same} == {"pruned"}
    assert not any(row["parent"] == one["node_id"] for one in same for row in rows(world))
    assert len(rows(world)) <= 26
    assert answer.status in ("answered", "abstained")


def test_an_action_that_fails_is_pruned_and_the_others_go_on() -> None:
    world = a_world(
        Rule(name="plan", replies=("no JSON",)),
        *two_hop_rules()[1:],
        Rule(name="note", contains=TWO_HOP, replies=(picks(1),)),
        *MIR_RULES,
        rewording("Saturn V flight"),
        rollouts=16,
    )

    answer = world.ask(a_question(TWO_HOP))

    failed = [row for row in rows(world) if row["status"] == "failed"]
    assert failed
    assert all(row["error"].startswith("unparsable_output") for row in failed)
    assert len(failed) < len(rows(world)) - 1
    assert answer.status in ("answered", "abstained")


def test_where_every_action_fails_the_failure_is_told() -> None:
    with pytest.raises(ModelError, match="no reply"):
        a_world().ask(a_question("Which rocket launched Mir?"))


def test_a_stop_by_the_caller_ends_the_search() -> None:
    class Stopping(ScriptedModel):
        def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
            raise Cancelled("stopped by the caller")

    world = two_hop_world()
    world.tools = replace(world.tools, model=Stopping())

    with pytest.raises(Cancelled):
        world.ask(a_question(TWO_HOP))


@pytest.mark.parametrize("calls", range(8))
def test_a_spent_budget_gives_the_best_answer_so_far(calls: int) -> None:
    """Whatever the moment: an answer that was finished comes back as a partial one, else the reason is told."""
    world = two_hop_world(run=Run(budget=Budget(max_calls=calls), nonce="n"), rollouts=40)

    answer = world.ask(a_question(TWO_HOP))

    was_found = any(SECOND in data["queries"] for data in world.named("tree.node"))
    assert (answer.status, answer.reason) == ("partial" if was_found else "abstained", "budget_exhausted")
    assert len(world.model.seen) <= calls
    if was_found:
        assert answer.short == "9 November 1967"


def test_a_budget_that_is_spent_before_anything_is_an_abstention() -> None:
    answer = two_hop_world(run=Run(deadline=0.0, clock=lambda: 1.0)).ask(a_question(TWO_HOP))

    assert (answer.status, answer.reason) == ("abstained", "budget_exhausted")


def test_a_deadline_in_the_middle_of_a_batch_keeps_what_was_done_and_undoes_the_rest() -> None:
    class Clock:
        now = 0.0

        def __call__(self) -> float:
            return self.now

    clock = Clock()

    class Slow(ScriptedModel):
        def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
            found = super().generate(prompts, sampling=sampling, run=run)
            clock.now += 1.0
            return found

    world = two_hop_world(run=Run(deadline=8.0, clock=clock, nonce="n"), rollouts=40, parallel=4)
    world.tools = replace(world.tools, model=Slow(*two_hop_rules(), rewording("Skylab station rocket")))

    answer = world.ask(a_question(TWO_HOP))

    assert answer.reason == "budget_exhausted"
    assert (answer.status, answer.short) == ("partial", "9 November 1967")
    assert rows(world)[0]["visits"] == len(rows(world)) - 1


def test_a_probability_that_is_no_number_counts_for_nothing() -> None:
    class Unsure(ScriptedModel):
        def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
            completions = super().generate(prompts, sampling=sampling, run=run)
            return [replace(one, logprobs=((one.text, float("nan")),)) for one in completions]

    world = two_hop_world()
    world.tools = replace(world.tools, model=Unsure(*two_hop_rules(), rewording("Skylab station rocket")))

    answer = world.ask(a_question(TWO_HOP))

    assert answer.short == "9 November 1967"
    assert any("likelihood" in row["reward"].get("dropped", ()) for row in rows(world))
    assert all(0.0 <= row["value"] <= 1.0 for row in rows(world))


@pytest.mark.parametrize(("name", "value"), [("rollouts", 0), ("depth", 1), ("parallel", 0), ("policy", "luck")])
def test_settings_out_of_bounds_are_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Tree(**{name: value})  # type: ignore[arg-type]


def test_a_tree_too_small_for_an_answer_abstains() -> None:
    answer = two_hop_world(rollouts=1).ask(a_question(TWO_HOP))

    assert (answer.status, answer.reason) == ("abstained", "insufficient_evidence")


def test_no_path_is_deeper_than_it_may_be() -> None:
    world = a_world(plan(), *MIR_RULES, rewording(*(f"Mir builder {n}" for n in range(20))), rollouts=40, depth=3)
    world.ask(a_question("Who built Mir?"))

    tree = {row["node_id"]: row for row in rows(world)}

    def depth(row: dict[str, Any]) -> int:
        return 0 if row["parent"] is None else 1 + depth(tree[row["parent"]])

    assert max(depth(row) for row in tree.values()) <= 3


def test_a_near_miss_is_out_of_the_collection_without_a_model_call() -> None:
    world = a_world()

    answer = world.ask(a_question("Which rocket launched Apollo 16?"))

    assert (answer.status, answer.reason) == ("abstained", "out_of_collection")
    assert not world.model.seen


def test_a_collection_without_a_matching_passage_is_an_abstention() -> None:
    answer = a_world(passages=[MIR]).ask(a_question("Who wrote Hamlet?"))

    assert (answer.status, answer.reason) == ("abstained", "out_of_collection")


def test_the_model_is_asked_for_priors_once_a_node() -> None:
    world = a_world(*two_hop_rules(), rewording("x"), Rule(name="act", logprobs={"A": -0.1, "B": -3.0}), priors="model")

    answer = world.ask(a_question(TWO_HOP))

    asked = [prompt.user for prompt in world.model.seen if prompt.name == "agents/act"]
    assert asked
    assert len(asked) <= len(rows(world))
    assert "A. split the question into facts" in asked[0]
    assert answer.status in ("answered", "abstained")
    assert {row["prior"] for row in rows(world)[1:]} != {1.0}


def test_a_time_is_widened_where_nothing_is_found_for_it() -> None:
    span = TimeSpan.parse("1990")
    time_asked = TimeConstraint(relation="during", span=span, surface="in 1990", rest="Who built Mir?")
    world = a_world(*MIR_RULES[-2:], rewording("Mir builder"), rollouts=30)
    world.ask(replace(a_question("Who built Mir in 1990?"), time=time_asked))

    assert any(row["action"] == "widen_time" for row in rows(world))


def test_what_the_checks_say_is_told_of_the_answer_alone() -> None:
    world = two_hop_world(rollouts=20)
    answer = world.ask(a_question(TWO_HOP))

    told = [data["sentence"] for data in world.named("verification")]
    assert len(told) == answer.text.count(" [")


def test_each_step_books_its_own_calls_while_rollouts_run_side_by_side() -> None:
    world = two_hop_world(rollouts=16, parallel=8)
    world.ask(a_question(TWO_HOP))

    booked = [call for step in world.tracer.steps for call in step.calls]
    assert len(booked) == len(world.run.ledger.calls()) == len(world.model.seen)
    assert world.run.ledger.own().calls == len(world.model.seen)


def test_rollouts_side_by_side_wait_for_the_model_together() -> None:
    class Waiting(ScriptedModel):
        at_once = most = 0
        lock = threading.Lock()

        def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
            with self.lock:
                self.at_once += 1
                self.most = max(self.most, self.at_once)
            time.sleep(0.02)
            with self.lock:
                self.at_once -= 1
                return super().generate(prompts, sampling=sampling, run=run)

    world = two_hop_world(rollouts=30, parallel=8)
    model = Waiting(*two_hop_rules(), rewording(*(f"Skylab station rocket {n}" for n in range(50))))
    world.tools = replace(world.tools, model=model)
    world.ask(a_question(TWO_HOP))

    assert model.most >= 3
