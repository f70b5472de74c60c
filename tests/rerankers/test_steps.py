from collections.abc import Sequence
from functools import partial

import pytest
from judging import worth, worths

from app.core.errors import BudgetExhausted, Cancelled, MissingCapability, ModelError, UnparsableOutput
from app.core.types import Prompt, Reranking
from rerankers._common.cache import Remembered
from rerankers._common.steps import Asked, Steps, Verdict, rerank_in_step


def asking(*texts: str, verdict: Verdict | None = None) -> Steps[str]:
    """Ask for each text in a step of its own; the last answer `reverse` turns three hits round."""
    answer = ""
    for text in texts:
        [answer] = yield [Prompt(name="p", digest="d", system="", user=text)]
    return verdict or Verdict(order=(2, 1, 0) if answer == "reverse" else (0, 1, 2))


class Model:
    """Answers `reverse`; texts that begin with an exclamation mark raise the error in hand."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[list[str]] = []
        self.error = error

    def ask(self, prompts: Sequence[Prompt]) -> list[str]:
        self.calls.append([prompt.user for prompt in prompts])
        if self.error and any(text.startswith("!") for text in self.calls[-1]):
            raise self.error
        return ["reverse"] * len(prompts)


def reranked(
    model: Model, *questions: Sequence[str], memory: Remembered[Verdict] | None = None, verdict: Verdict | None = None
) -> list[Reranking]:
    asked = [
        Asked(hits=worth(1, 2, 3), key=str(texts), begin=partial(asking, *texts, verdict=verdict))
        for texts in questions
    ]
    return rerank_in_step(asked, model.ask, memory=memory or Remembered(8), name="tested", top_k=3)


def test_each_step_of_all_questions_is_one_call() -> None:
    model = Model()

    found = reranked(model, ["a1", "a2", "a3"], ["b1"], [], ["c1", "c2"])

    assert model.calls == [["a1", "b1", "c1"], ["a2", "c2"], ["a3"]]
    assert [worths(one.hits) for one in found] == [[3, 2, 1], [3, 2, 1], [1, 2, 3], [3, 2, 1]]


def test_eight_questions_are_asked_together_and_then_the_next() -> None:
    model, memory = Model(), Remembered[Verdict](16)

    found = reranked(model, *([f"q{number}"] for number in range(10)), memory=memory)

    assert [len(call) for call in model.calls] == [8, 2]
    assert [worths(one.hits) for one in found] == [[3, 2, 1]] * 10


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModelError("gone"), "model_error"),
        (BudgetExhausted("the deadline has passed"), "deadline"),
        (BudgetExhausted("3 calls are spent"), "budget"),
        (UnparsableOutput("no", raw="no"), "unparsable"),
        (MissingCapability("no logprobs"), "missing_capability"),
    ],
)
def test_a_question_the_model_cannot_answer_fails_alone(error: Exception, reason: str) -> None:
    bad, good = reranked(Model(error), ["a1", "!a2"], ["b1", "b2"])

    assert (worths(bad.hits), worths(good.hits)) == ([1, 2, 3], [3, 2, 1])
    assert bad.degraded is not None
    assert bad.degraded.reason == reason
    assert good.degraded is None


def test_a_question_that_gives_up_does_not_stop_the_others() -> None:
    def giving_up() -> Steps[str]:
        yield from asking("a1")
        raise UnparsableOutput("no ranking", raw="?")

    model = Model()
    asked = [
        Asked(hits=worth(1, 2, 3), key="a", begin=giving_up),
        Asked(hits=worth(1, 2, 3), key="b", begin=lambda: asking("b1", "b2")),
    ]
    bad, good = rerank_in_step(asked, model.ask, memory=Remembered(8), name="tested", top_k=3)

    assert bad.degraded is not None
    assert (bad.degraded.reason, worths(good.hits)) == ("unparsable", [3, 2, 1])


def test_a_stop_by_the_caller_passes_through() -> None:
    with pytest.raises(Cancelled):
        reranked(Model(Cancelled("stopped")), ["a1"], ["!b1"])


def test_what_a_question_came_to_is_remembered_and_failures_are_not() -> None:
    memory: Remembered[Verdict] = Remembered(8)
    model = Model(ModelError("gone"))

    first = reranked(model, ["a"], ["!b"], memory=memory)
    second = reranked(model, ["a"], ["!b"], memory=memory)

    assert first == second
    assert model.calls == [["a", "!b"], ["a"], ["!b"], ["!b"]]


def test_a_verdict_that_is_not_whole_is_told_with_its_order() -> None:
    [one] = reranked(Model(), ["a"], verdict=Verdict(order=(1,), coverage=0.25, reason="budget"))

    assert worths(one.hits) == [2, 1, 3]
    assert one.degraded is not None
    assert (one.degraded.reason, one.degraded.coverage, one.coverage) == ("budget", 0.25, 0.25)


def test_scores_make_the_order_and_stay_with_their_passages() -> None:
    [one] = reranked(Model(), ["a"], verdict=Verdict(scores=(0.5, 2.5)))

    assert [(value, hit.score) for value, hit in zip(worths(one.hits), one.hits, strict=True)] == [
        (2, 2.5),
        (1, 0.5),
        (3, -0.5),  # beyond the scored ones: the lowest score minus 1
    ]


def test_no_hits_ask_nothing() -> None:
    model = Model()
    asked = [Asked(hits=[], key="a", begin=lambda: asking("a1"))]

    assert rerank_in_step(asked, model.ask, memory=Remembered(8), name="tested", top_k=3) == [Reranking(hits=())]
    assert rerank_in_step([], model.ask, memory=Remembered(8), name="tested", top_k=3) == []
    assert model.calls == []
