"""A plan: the facts a question needs, one goal each, in an order in which each can be looked up.

(Goals before searches after RE-Searcher, arXiv 2509.26048, section 3; sub-questions after IterDRAG, arXiv 2410.04343,
section 3.2. That a later step names an earlier answer as `#1`, and that code fills it in, is ours.)
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from agents.names import names_in, stem, words_of
from agents.state import Goal

_REFERENCE = re.compile(r"#(\d)")
_POINTING = re.compile(r"\b(?:this|that|the same|these|those) (?!of\b|is\b|was\b)\w+", re.IGNORECASE)
# what a question must have for its last step to ask so; what and which may ask for anything
_ASKED_BY = {
    "when": frozenset("when year date day month century time".split()),
    "where": frozenset("where place city town country state location located".split()),
    "how": frozenset(("how", "number", "amount")),
}
PAIR = 2
_DONE = frozenset({"satisfied", "partly"})


def make_goals(question: str, steps: Sequence[str], *, most: int) -> tuple[Goal, ...]:
    """Return the goals of a plan's steps, numbers from 1; the question itself as the only one where the plan is none.

    A plan is refused whole when it leaves out a name or figure of the question, when a step names something else, names
    nothing and no earlier answer, repeats a step or the question, or when there are more than `most`: a wrong step
    leads every later one astray.
    """
    patterns = [_referring(place, " ".join(step.split())) for place, step in enumerate(steps) if step.strip()]
    is_plan = 1 < len(patterns) <= most and _keeps_names(patterns, question) and _is_chain_or_pair(patterns, question)
    if is_plan and all(_is_sound(place, patterns, question) for place in range(len(patterns))):
        return tuple(Goal(number=number, pattern=pattern) for number, pattern in enumerate(patterns, start=1))
    return with_whole((), question)


def references(pattern: str) -> tuple[int, ...]:
    """Return the goals whose answers a pattern names, in order, each once."""
    return tuple(dict.fromkeys(int(number) for number in _REFERENCE.findall(pattern)))


def ready(goals: Sequence[Goal]) -> tuple[Goal, ...]:
    """Return the open goals whose question is known, with it written: no answer that they name is missing."""
    known = {goal.number: goal.answer for goal in goals if goal.status in _DONE}
    return tuple(
        replace(goal, text=_written(goal.pattern, known))
        for goal in goals
        if goal.status == "open" and set(references(goal.pattern)) <= known.keys()
    )


def final_goals(goals: Sequence[Goal]) -> tuple[Goal, ...]:
    """Return the goals whose answers no other goal needs: what the question's own answer is made of.

    The question itself, where it became a goal after its parts had failed, stands for them all.
    """
    if goals and goals[-1].is_whole:
        return (goals[-1],)
    needed = {number for goal in goals for number in references(goal.pattern)}
    return tuple(goal for goal in goals if goal.number not in needed)


def with_whole(goals: Sequence[Goal], question: str) -> tuple[Goal, ...]:
    """Return the goals and the question itself as the last one."""
    return (*goals, Goal(number=len(goals) + 1, pattern=question, is_whole=True))


def is_established(goals: Sequence[Goal]) -> bool:
    """Tell whether all that the answer is made of was found; without goals nothing was."""
    return bool(goals) and all(goal.status in _DONE for goal in final_goals(goals))


def _written(pattern: str, known: dict[int, str]) -> str:
    return _REFERENCE.sub(lambda match: known[int(match[1])], pattern)


def _referring(place: int, step: str) -> str:
    """Return a step with `#n` for its 'that country', where it means the answer before it and does not say so."""
    return step if not place or _REFERENCE.search(step) else _POINTING.sub(f"#{place}", step, count=1)


def _is_chain_or_pair(patterns: Sequence[str], question: str) -> bool:
    """Tell whether one step tells the answer, of the kind asked for, or two are to be compared."""
    finals = final_goals([Goal(number=number, pattern=pattern) for number, pattern in enumerate(patterns, start=1)])
    return len(finals) == PAIR or (len(finals) == 1 and _asks_the_same(finals[0].pattern, question))


def _asks_the_same(last: str, question: str) -> bool:
    """Tell whether the last step asks for the kind of thing that the question asks for."""
    first = next(iter(words_of(last)), "")
    return first not in _ASKED_BY or bool(_ASKED_BY[first] & set(words_of(question)))


def _keeps_names(patterns: Sequence[str], question: str) -> bool:
    """Tell whether every name and figure of the question stands in some step."""
    told = _stems(word for pattern in patterns for word in words_of(pattern))
    names = _stems(word for name in names_in(question) for word in words_of(name))
    return names | {word for word in words_of(question) if word[0].isdigit()} <= told


def _is_sound(place: int, patterns: Sequence[str], question: str) -> bool:
    pattern = patterns[place]
    own = _REFERENCE.sub("", pattern)
    refers = references(pattern)
    if any(not 1 <= number <= place for number in refers) or pattern in patterns[:place]:
        return False
    asked, words = _stems(words_of(question)), _stems(words_of(own))
    named = _stems(word for name in names_in(own) for word in words_of(name))
    return asked - words != set() and named <= asked and bool(named or refers or not place)


def _stems(words: Iterable[str]) -> set[str]:
    return {stem(word) for word in words}
