"""Makes the answer out of what the goals established: the last link of a chain, or a comparison done by code.

Dates and numbers are compared here, never by the model.
"""

import re
from collections.abc import Mapping, Sequence

from agents.answer_kind import YES_NO, kind_asked
from agents.names import NUMBER_WORDS, names_in, stem, words_of
from agents.planning import PAIR, final_goals, is_established, references
from agents.state import Claim, Draft, Goal
from agents.values import key_of
from app.core.months import MONTH_NAMES
from app.core.types import NoteId

_YEAR = re.compile(r"\b\d{4}\b")
_MONTH = f"(?:{'|'.join(map(str.capitalize, MONTH_NAMES))})"
_DAY = re.compile(rf"\b(?:\d{{1,2}} {_MONTH},? \d{{4}}|{_MONTH} \d{{1,2}},? \d{{4}}|\d{{4}}-\d{{2}}-\d{{2}})\b")
_DAYS = 31
_FIGURE = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_EARLIER = frozenset("first earlier earliest older oldest sooner before".split())
_LATER = frozenset("later latest younger youngest newer newest recently last after".split())
_MORE = frozenset(
    "more most larger largest bigger biggest longer longest higher highest taller tallest greater".split()
)
_LESS = frozenset("fewer fewest less least smaller smallest shorter shortest lower lowest".split())

_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9}

Value = tuple[float, ...]


def compose(question: str, goals: Sequence[Goal], numbers: Mapping[NoteId, int]) -> Draft | None:
    """Return the draft that the goals give, or None where code cannot tell: a goal is missing, or nothing compares.

    `numbers` counts the notes from 1. A chain ends in its last goal's answer, each link one sentence; of two goals that
    no other needs, the question's own word (earlier, same, more) says how their answers are compared.
    """
    finals = final_goals(goals)
    if not is_established(goals):
        return None
    if len(finals) == 1:
        return _draft(finals[0].answer, _chain(finals[0], goals), numbers)
    if len(finals) == PAIR:
        short = compared(question, *finals)
        return _draft(short, goals, numbers) if short else None
    return None


def compared(question: str, one: Goal, other: Goal) -> str:
    """Return what comparing two goals' answers gives: one of two names, yes or no; empty where code cannot tell."""
    words = set(words_of(question))
    if kind_asked(question) == YES_NO:
        return ("yes" if _is_same(one.answer, other.answer) else "no") if "same" in words else ""
    names = [_subject(question, one, other), _subject(question, other, one)]
    if not all(names):
        return ""
    for told, reads, prefers in (
        (_EARLIER, _days_of, min),
        (_LATER, _days_of, max),
        (_MORE, _number_of, max),
        (_LESS, _number_of, min),
    ):
        if reads is _number_of and not _have_one_unit(one.answer, other.answer):
            continue
        values = [reads(goal.answer) for goal in (one, other)]
        length = min(map(len, values))  # a bare year says nothing about months
        values = [value[:length] for value in values]
        if words & told and values[0] != values[1]:
            return names[values.index(prefers(values))]
    return ""


def full_date(short: str, sentence: str, *, question: str) -> str:
    """Return the day that the sentence gives when the short answer is its bare year and no year was asked for."""
    if not _YEAR.fullmatch(short) or "year" in question.lower():
        return short
    days = dict.fromkeys(match[0] for match in _DAY.finditer(sentence) if short in match[0])
    return next(iter(days)) if len(days) == 1 else short


def _draft(short: str, goals: Sequence[Goal], numbers: Mapping[NoteId, int]) -> Draft:
    claims = tuple(
        Claim(text=goal.claim, cited=tuple(numbers[note_id] for note_id in goal.note_ids if note_id in numbers))
        for goal in goals
        if goal.note_ids
    )
    known = [goal.confidence for goal in goals if goal.confidence is not None]
    return Draft(short=short, claims=claims, confidence=min(known, default=None))


def _chain(last: Goal, goals: Sequence[Goal]) -> list[Goal]:
    """Return the goals that lead to the last one, in order."""
    by_number = {goal.number: goal for goal in goals}
    wanted, todo = set[int](), [last.number]
    while todo:
        number = todo.pop()
        wanted.add(number)
        todo += [n for n in references(by_number[number].pattern) if n not in wanted]
    return [goal for goal in goals if goal.number in wanted]


def _subject(question: str, goal: Goal, other: Goal) -> str:
    """Return the name of the question that this goal asks about and the other does not."""
    mine, theirs = words_of(goal.text), words_of(other.text)
    found = [name for name in names_in(question) if set(words_of(name)) <= set(mine) - (set(theirs) - set(mine))]
    own = [name for name in found if not set(words_of(name)) <= set(theirs)]
    return max(own, key=len, default="")


def _is_same(one: str, other: str) -> bool:
    a, b = ({stem(word) if word.isalpha() else word for word in key_of(value)} for value in (one, other))
    return bool(a and b) and (a <= b or b <= a)


def _days_of(text: str) -> Value:
    """Return year, month and day of a text as far as it tells them; nothing without a year."""
    year = _YEAR.search(text)
    if not year:
        return ()
    words = words_of(text)
    if iso := re.search(r"\b\d{4}-(\d{2})-(\d{2})\b", text):
        return float(year[0]), float(iso[1]), float(iso[2])
    month = next((place for place, name in enumerate(MONTH_NAMES, start=1) if name in words), None)
    day = next((int(word) for word in words if month and word.isdigit() and int(word) <= _DAYS), None)
    return tuple(float(part) for part in (year[0], month, day) if part is not None)


def _number_of(text: str) -> Value:
    """Return the first number of a text, in digits or words; nothing without one."""
    number, rest = _first_number(text)
    scale = _SCALES.get(next(iter(rest), ""), 1.0)
    return () if number is None else (number * scale,)


def _have_one_unit(one: str, other: str) -> bool:
    """Tell whether what two texts count may be compared: 'metres' stands behind both numbers, or behind one alone."""
    units = [next((stem(word) for word in _first_number(text)[1] if word not in _SCALES), "") for text in (one, other)]
    return not all(units) or units[0] == units[1]


def _first_number(text: str) -> tuple[float | None, list[str]]:
    """Return the first number of a text and the words behind it."""
    if figure := _FIGURE.search(text):
        return float(figure[0].replace(",", "")), words_of(text[figure.end() :])
    words = words_of(text)
    place = next((place for place, word in enumerate(words) if word in NUMBER_WORDS), None)
    return (None, []) if place is None else (float(NUMBER_WORDS.index(words[place])), words[place + 1 :])
