"""What a person or a program types becomes a question with the time it asks for, or is refused with the reason."""

import unicodedata
import uuid
from dataclasses import dataclass, replace
from datetime import date

from app.core.errors import InvalidQuestion
from app.core.run import Run
from app.core.settings import Settings
from app.core.timespan import TimeConstraint, TimeSpan
from app.core.types import QueryId, Question
from retrieval.temporal.constraint import ContradictoryTime, RuleTimeReader

_NO_TEXT = ("Cc", "Cs")  # control characters, halves of characters
_ALLOWED_CONTROLS = "\n\t\r"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedTime:
    """What the asker says of time beside the question: from when to when, or that no time counts.

    A period takes the place of the time that the question names. Without one that time is read, unless `is_read` is
    false. The default says nothing.
    """

    first: TimeSpan | None = None
    last: TimeSpan | None = None
    is_read: bool = True

    def __post_init__(self) -> None:
        if not self.is_read and (self.first or self.last):
            raise InvalidQuestion("a period is given and no time is to count; leave one of them out")
        if self.first and self.last and _ends(self.first, self.last) is None:
            raise InvalidQuestion(f"the time ends ({self.last}) before it begins ({self.first}); turn its ends round")

    @property
    def constraint(self) -> TimeConstraint | None:
        """The period as a constraint without words of a question, None where none is given."""
        if self.first and self.last:
            span = _ends(self.first, self.last)
            return TimeConstraint(relation="during" if self.first == self.last else "between", span=span)
        if self.first:
            return TimeConstraint(relation="since", span=self.first)
        return TimeConstraint(relation="until", span=self.last) if self.last else None


UNSAID = AskedTime()


def make_question(
    text: str,
    *,
    asked_on: date,
    settings: Settings,
    as_of: date | None = None,
    query_id: str | None = None,
    time: AskedTime = UNSAID,
) -> Question:
    """Return a checked question with the time it asks for: what the asker set, else what its words say, else None.

    Raises:
        InvalidQuestion: it is empty, too long, holds control characters, or no day satisfies the time it asks for.
    """
    stripped = text.strip()
    longest = settings.limits.question_characters
    if not stripped:
        raise InvalidQuestion("the question is empty; write one")
    if len(stripped) > longest:
        raise InvalidQuestion(f"the question has {len(stripped)} characters, at most {longest} are read; shorten it")
    if bad := next((c for c in stripped if unicodedata.category(c) in _NO_TEXT and c not in _ALLOWED_CONTROLS), None):
        raise InvalidQuestion(f"the question holds the control character U+{ord(bad):04X}; remove it")
    return Question(
        query_id=QueryId(query_id or uuid.uuid4().hex[:12]),
        text=stripped,
        asked_on=asked_on,
        as_of=as_of,
        time=_time_of(stripped, asked_on, time),
        reads_time=time.is_read,
    )


def reworded(question: Question, text: str) -> Question:
    """Return a follow-up with the words that it stands for and the time they ask for; a period that was set stays.

    Raises:
        ContradictoryTime: no day satisfies the time that the words ask for.
    """
    if question.time is not None and not question.time.surface:
        read = read_time(text, asked_on=question.asked_on)
        time: TimeConstraint | None = replace(question.time, rest=read.rest if read else text)
    else:
        time = read_time(text, asked_on=question.asked_on) if question.reads_time else None
    return replace(question, text=text, time=time, original=question.text)


def read_time(text: str, *, asked_on: date) -> TimeConstraint | None:
    """Return the time that the words of a question ask for, None where they ask for none; no model has a part.

    Raises:
        ContradictoryTime: no day satisfies it.
    """
    return RuleTimeReader().read(text, asked_on=asked_on, run=Run())


def _time_of(text: str, asked_on: date, time: AskedTime) -> TimeConstraint | None:
    if not time.is_read:
        return None
    if time.constraint is None:
        return read_time(text, asked_on=asked_on)
    try:
        read = read_time(text, asked_on=asked_on)
    except ContradictoryTime:
        read = None
    return replace(time.constraint, rest=read.rest if read else text)


def _ends(first: TimeSpan, last: TimeSpan) -> TimeSpan | None:
    """Return the days from the start of one to the end of the other, None where that is before."""
    return replace(first, end=None).intersection(replace(last, start=None))
