"""A plan: the facts a question needs, one goal each, in an order in which each can be looked up.

(Goals before searches after RE-Searcher, arXiv 2509.26048, section 3; sub-questions after IterDRAG, arXiv 2410.04343,
section 3.2. That a later step names an earlier answer as `#1`, and that code fills it in, is ours.)
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from agents.names import names_in, stem, words_of
from agents.state import Goal
from app.core.months import MONTH_NAMES
from app.core.timespan import Relation, TimeConstraint

_REFERENCE = re.compile(r"#(\d)")
_POINTING = re.compile(
    r"(?:\b(?:this|these)|(?<=\b(?:of|in|by|to|at|on) )(?:that|those)|(?<=\b(?:from|with) )(?:that|those)) \w+",
    re.IGNORECASE,
)
# what a question must have for its last step to ask so; what and which may ask for anything
_ASKED_BY = {
    "when": frozenset("when year date day month century time".split()),
    "where": frozenset("where place city town country state location located".split()),
    "how": frozenset(("how", "number", "amount")),
}
_AT: Mapping[Relation, str] = {
    "during": "on",
    "as_of": "on",
    "before": "before",
    "after": "after",
    "since": "since",
    "until": "until",
}
_ON_NO_DAY = re.compile(rf"\bon (?=(?:(?:{'|'.join(MONTH_NAMES)}) )?\d{{4}}\b(?!-))", re.IGNORECASE)
_ASKS = re.compile(
    r"\b(?:who|whom|whose|what|which|when|where|why|how)\b|^(?:is|are|was|were|do|does|did|has|have|had|can|could)\b",
    re.IGNORECASE,
)
PAIR = 2
_DONE = frozenset({"satisfied", "partly"})


def make_goals(question: str, steps: Sequence[str], *, most: int) -> tuple[Goal, ...]:
    """Return the goals of a plan's steps, numbers from 1; the question itself as the only one where the plan is none.

    A plan is refused whole when it leaves out a name or figure of the question, when a step names something else, names
    nothing and no earlier answer, repeats a step or the question, asks nothing, or when there are more than `most`: a
    wrong step leads every later one astray.
    """
    patterns = [_referring(place, " ".join(step.split())) for place, step in enumerate(steps) if step.strip()]
    is_plan = 1 < len(patterns) <= most and _keeps_names(patterns, question) and _is_chain_or_pair(patterns, question)
    if is_plan and all(_is_sound(place, patterns, question) for place in range(len(patterns))):
        return tuple(Goal(number=number, pattern=pattern) for number, pattern in enumerate(patterns, start=1))
    return with_whole((), question)


def anchored_goals(time: TimeConstraint | None) -> tuple[Goal, ...]:
    """Return the goals of a question that is bound to an event: the date of that event, then what was so at that date.

    None where the time is no event, but a name ("before Dmitry Rogozin") or one of a row ("the first after the loss").
    """
    if time is None or time.relation not in _AT or not _is_event(time.anchor or ""):
        return ()
    asked = time.rest.rstrip(" ?")
    steps = (f"On what date was this: {time.anchor}?", f"{asked} {_AT[time.relation]} #1?")
    return tuple(Goal(number=number, pattern=pattern) for number, pattern in enumerate(steps, start=1))


def _is_event(anchor: str) -> bool:
    """Tell whether words may name something that happened: no bare name, and no "attending a dinner" of whom it is."""
    return bool(anchor) and names_in(anchor) != [anchor] and not anchor.split(maxsplit=1)[0].endswith("ing")


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
    written = _REFERENCE.sub(lambda match: known[int(match[1])], pattern)
    return _ON_NO_DAY.sub("in ", written) if written != pattern else pattern


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
    if any(not 1 <= number <= place for number in refers) or pattern in patterns[:place] or not _ASKS.search(pattern):
        return False
    asked, words = _stems(words_of(question)), _stems(words_of(own))
    named = _stems(word for name in names_in(own) for word in words_of(name))
    return asked - words != set() and named <= asked and bool(named or refers or not place)


def _stems(words: Iterable[str]) -> set[str]:
    return {stem(word) for word in words}
