"""Reads a question in the light of its conversation: what it stands for, and the time that it then asks for."""

import re
from collections.abc import Sequence
from datetime import date

from agents.follow_up import Turn, is_understood, rewrite
from agents.standing_alone import is_agreement, without_opening
from agents.state import Tools
from app.core.months import MONTH_NUMBERS
from app.core.timespan import TimeConstraint
from app.core.types import Question
from app.questions import read_time, reworded
from retrieval.temporal.constraint import ContradictoryTime

_COUNTED = frozenset({"first", "last", "nth"})
_OF_THAT_TIME = re.compile(r"\b(?:then|time|day|date|year|month|decade|still|already|later|earlier)\b", re.IGNORECASE)
_FROM_BEFORE = ("later", "earlier")  # counted from the turn before, where the reader counts from the day of asking


def in_conversation(question: Question, history: Sequence[Turn], tools: Tools) -> Question:
    """Return the question that a follow-up stands for, with its time; the same where it stands alone; emits which.

    Raises:
        Cancelled: the caller stopped the work.
        ModelError: the model failed.
    """
    if not history or is_understood(question.text, history):
        return question
    with tools.tracer.step("follow_up") as step:
        understood = _understood(question, history, tools)
        step.tell(f"understood as: {understood.text}" if understood.original else "taken as it was typed")
    if understood.original:
        tools.emit("question.understood", {"question": question.text, "understood_as": understood.text})
    return understood


def at_another_time(text: str, last: str, *, asked_on: date) -> str | None:
    """Return the `last` question asked of the time of a follow-up (`and in 2019?`), None where that says more."""
    time = _time_alone(text, asked_on)
    if time is None:
        return None
    before = _read(last, asked_on)
    asked = last.rstrip(" ?.!")
    if before is None or before.relation in _COUNTED or before.surface not in last:
        return f"{asked} {_placed(time)}?"
    at = last.index(before.surface)
    words = _placed(time)
    return last[:at] + (words if at else words[0].upper() + words[1:]) + last[at + len(before.surface) :]


def without_carried_time(written: str, text: str, last: str, *, asked_on: date) -> str:
    """Return a rewriting without the time of the `last` question, where the follow-up is a question of its own.

    Who followed the head of 2008 is not asked of 2008; 'and ESA?' is, and 'who led it then?'.
    """
    if without_opening(text) != text or is_agreement(text) or _OF_THAT_TIME.search(text) or last in written:
        return written
    before, now = _read(last, asked_on), _read(written, asked_on)
    if before is None or now is None or before.span is None or before.span != now.span:
        return written
    return now.rest if before.surface in last and _read(text, asked_on) is None else written


def _understood(question: Question, history: Sequence[Turn], tools: Tools) -> Question:
    """Return the question with its meaning; as it was typed where that asks for a time that no day satisfies."""
    last, asked_on = history[-1].question, question.asked_on
    text = at_another_time(question.text, last, asked_on=asked_on)
    if text is None:
        text = rewrite(question.text, history, tools.model, tools.run)
        text = without_carried_time(text, question.text, last, asked_on=asked_on)
    try:
        return question if text == question.text else reworded(question, text)
    except ContradictoryTime:
        return question


def _time_alone(text: str, asked_on: date) -> TimeConstraint | None:
    """Return the time of a follow-up that says nothing else."""
    time = _read(without_opening(text), asked_on)
    if time is None or time.span is None or time.relation in _COUNTED:
        return None
    is_alone = not any(c.isalnum() for c in time.rest) and not any(word in time.surface for word in _FROM_BEFORE)
    return time if is_alone else None


def _read(text: str, asked_on: date) -> TimeConstraint | None:
    try:
        return read_time(text, asked_on=asked_on)
    except ContradictoryTime:
        return None


def _placed(time: TimeConstraint) -> str:
    """Return the words of a time as they stand in a question: `2019` as `in 2019`."""
    first = time.surface.split()[0].lower().strip(",.")
    if not first[0].isdigit() and first not in MONTH_NUMBERS:
        return time.surface[0].lower() + time.surface[1:]
    is_day = time.span is not None and time.span.granularity == "day"
    return f"{'on' if is_day else 'in'} {time.surface}"
