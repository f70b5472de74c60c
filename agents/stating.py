"""Gets statements from sentences: the model says which value each tells, code checks it and attaches the times.

The question is asked without its time, so that one call reads all versions of a fact, whatever time is asked for.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import RootModel

from agents.asking import ask
from agents.dated import BESIDE
from agents.lasting import kind_of
from agents.notes import write_note
from agents.reading import headed, one_line
from agents.state import Sentence, Tools
from agents.timeline import Source, Statement
from agents.values import occurs_in, only_repeats
from app.core.errors import UnparsableOutput
from app.core.prompts import load_prompt
from app.core.timespan import LONGEST_DAYS, TimeMention, TimeSpan
from app.core.types import EvidenceNote

_SPEAKS_OF_NOW = re.compile(r"\b(?:is|are|has|have|holds|heads|leads|runs|serves|remains|now|currently|today)\b")
_LONGEST = 60
_TOKENS_A_VALUE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A time that a sentence tells its value for, and whether the value lasts on from there."""

    span: TimeSpan
    lasts: bool = True


class Values(RootModel[dict[str, str | None]]):
    """The value that each sentence tells, by its number."""


def statements_in(
    tools: Tools, sentences: Sequence[Sentence], *, question: str
) -> tuple[list[Statement], list[EvidenceNote]]:
    """Return the statements of the sentences and a note for each sentence that makes one; one model call.

    A value is dropped unless its words stand in its sentence and are not all the question's. A reply of another shape
    tells nothing.
    """
    prompt = load_prompt("agents", "versions").render(
        schema=_schema(len(sentences)),
        nonce=tools.run.nonce,
        sentences="\n".join(
            f"{number}. {headed(one.passage.title, None, one.text)}" for number, one in enumerate(sentences, start=1)
        ),
        question=one_line(question),
    )
    try:
        values = ask(tools, prompt, shape=Values, max_tokens=_TOKENS_A_VALUE * (len(sentences) + 1)).root
    except UnparsableOutput:
        return [], []
    statements: list[Statement] = []
    notes: list[EvidenceNote] = []
    for number, sentence in enumerate(sentences, start=1):
        value = (values.get(str(number)) or "").strip(" .,;:")
        if occurs_in(value, sentence.text) and not only_repeats(value, question):
            note = write_note(sentence.passage, sentence.start, sentence.end, claim=value)
            notes.append(note)
            statements.extend(_statements(value, sentence, note))
    return statements, notes


def times_of(sentence: Sentence) -> tuple[list[Told], Source]:
    """Return the times that a sentence tells its value for, and where they were read.

    These are the times it mentions, else those its passage holds for, else, if it speaks of the present, the day its
    document was published. Times of birth, death, deadlines and comparisons are beside the point. What only happened
    at a time does not last.
    """
    mentions = sentence.passage.mentions
    inside = [one for one in mentions if sentence.start <= one.start < sentence.end and one.role not in BESIDE]
    if inside:
        return _joined([_told(sentence, one) for one in inside]), "mention"
    if sentence.passage.holds is not None:
        return [Told(span=sentence.passage.holds)], "holds"
    published = sentence.passage.published
    speaks_of_now = published is not None and _SPEAKS_OF_NOW.search(sentence.text) is not None
    return ([Told(span=published)] if published is not None and speaks_of_now else []), "published"


def _statements(value: str, sentence: Sentence, note: EvidenceNote) -> list[Statement]:
    found, source = times_of(sentence)
    times: list[Told | None] = [*found] or [None]
    return [
        Statement(
            value=value,
            when=time.span if time else None,
            told=source,
            lasts=time.lasts if time else True,
            note_id=note.note_id,
            passage_id=note.passage_id,
            doc_id=note.doc_id,
            published=note.published,
            superseded_by=sentence.passage.superseded_by,
        )
        for time in times
    ]


def _told(sentence: Sentence, mention: TimeMention) -> Told:
    span = mention.holds
    if mention.role != "event" or span.days is None or span.is_range:
        return Told(span=span)
    kind = kind_of(sentence.text, mention.start - sentence.start)
    return Told(span=replace(span, start=None) if kind == "end" else span, lasts=kind != "event")


def _joined(times: Sequence[Told]) -> list[Told]:
    """Return the times of one sentence, a beginning and the end that follows it joined: 'in 1990 … until 1997'."""
    joined: list[Told] = []
    for time in times:
        span, begun = time.span, joined[-1].span.start if joined else None
        if span.start is None and span.end is not None and begun is not None and begun <= span.end:
            coarser = max(joined[-1].span, span, key=lambda one: LONGEST_DAYS[one.granularity])
            joined[-1] = Told(span=replace(coarser, start=begun, end=span.end))
        else:
            joined.append(time)
    return joined


def _schema(sentences: int) -> dict[str, Any]:
    value = {"type": ["string", "null"], "maxLength": _LONGEST}
    numbers = [str(number) for number in range(1, sentences + 1)]
    return {
        "type": "object",
        "properties": dict.fromkeys(numbers, value),
        "required": numbers,
        "additionalProperties": False,
    }
