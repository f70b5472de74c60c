"""Turns a follow-up question into one that stands alone, so that search and reading need no conversation.

Code sees whether it is needed and does what rules can do; the rest is one short call. A model of 1.5 B parameters
invents names, answers, or repeats the last question, so what it writes is checked against the conversation.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from agents.names import content_words, names_in, stem, words_of
from agents.reading import one_line
from agents.standing_alone import ASKING, AUXILIARY, OPENERS, is_agreement, stands_alone, without_opening
from app.core.errors import BudgetExhausted
from app.core.prompts import load_prompt
from app.core.protocols import LanguageModel
from app.core.run import Run
from app.core.types import EvidenceNote, Prompt, Sampling

_TURNS = 3  # a follow-up leans on the turn before it, seldom on an earlier one
_CLAIMS = 2
_LONGEST = 240  # characters of one line of the conversation in the prompt
_LONGEST_JOINED = 600
_MAX_TOKENS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One question of a conversation, as it was understood, with its bare answer (empty for none) and its notes."""

    question: str
    answer: str = ""
    notes: tuple[EvidenceNote, ...] = ()

    @property
    def claims(self) -> tuple[str, ...]:
        """The first claims of the notes that say more than the answer."""
        told = dict.fromkeys(note.claim for note in self.notes if note.claim not in self.answer)
        return tuple(told)[:_CLAIMS]


class _Rewritten(BaseModel):
    question: str


def rewrite(text: str, history: Sequence[Turn], model: LanguageModel, run: Run) -> str:
    """Return the question that a follow-up stands for; the same text where it stands alone or nothing came before.

    At most one model call. Where its reply is no rewriting, or the budget is spent, the last question stands before
    the follow-up's own words.

    Raises:
        Cancelled: the caller stopped the work.
        ModelError: the model failed.
    """
    if not history or is_understood(text, history):
        return text
    last = history[-1].question
    if is_agreement(text):
        return last
    if swapped := with_other_name(text, last):
        return swapped
    try:
        [completion] = model.generate([_prompt(text, history, run)], sampling=Sampling(max_tokens=_MAX_TOKENS), run=run)
        written = asking_alike(" ".join(_Rewritten.model_validate_json(completion.text).question.split()), text)
    except (ValidationError, BudgetExhausted):
        written = ""
    if is_rewriting(written, text, history):
        return written
    joined = f"{last} {text}"
    return joined if len(joined) <= _LONGEST_JOINED else text


def is_understood(text: str, history: Sequence[Turn]) -> bool:
    """Tell whether a question can be understood without the conversation; a question that can costs no call."""
    last = history[-1:]
    return stands_alone(text, spoken_of={stem(word) for turn in last for word in words_of(_said(turn))})


def with_other_name(text: str, last: str) -> str | None:
    """Return the last question with the name in `and Mir?` in place of its only name, None where that is unclear."""
    asked, known = names_in(without_opening(text)), names_in(last)
    if len(asked) != 1 or len(known) != 1 or " of " in known[0] or last.count(known[0]) != 1:
        return None
    bare = re.sub(r"^(?:the|a|an)\s+", "", without_opening(text).strip(" ?.!"), flags=re.IGNORECASE)
    return last.replace(known[0], asked[0]) if bare == asked[0] else None


def asking_alike(written: str, text: str) -> str:
    """Return a rewriting with the question word of the follow-up where they differ in that alone: who, not what."""
    (first, *rest), own = written.split(" "), without_opening(text).split()
    differs = rest and len(own) > 1 and own[1] == rest[0] and ASKING.issuperset((own[0].lower(), first.lower()))
    return " ".join([own[0].capitalize(), *rest]) if differs else written


def is_rewriting(written: str, text: str, history: Sequence[Turn]) -> bool:
    """Tell whether a model's words may stand for a follow-up.

    They stand alone, are not the last question again, have no name or number that neither conversation nor follow-up
    has, keep the follow-up's names and numbers and a word of it to look up, if it has one, and ask for yes or no where
    it does.
    """
    if not written or written == history[-1].question or not stands_alone(written):
        return False
    known = set(words_of(" ".join([text, *(_said(turn) for turn in history[-_TURNS:])])))
    own = without_opening(text)
    kept, wanted = set(words_of(written)), {_head(word) for word in content_words(own)}
    keeps_a_word = not wanted or bool(wanted & {_head(word) for word in kept})
    stays_polar = AUXILIARY.isdisjoint(words_of(own)[:1]) or not AUXILIARY.isdisjoint(words_of(written)[:1])
    return keeps_a_word and stays_polar and _bound_words(written) <= known and _bound_words(own) <= kept


def _bound_words(text: str) -> set[str]:
    """Return the words of names and the numbers of a question, in lower case."""
    first, *rest = text.split(" ", 1)
    plain = " ".join([first.lower() if first.lower() in OPENERS else first, *rest])
    numbers = {word for word in words_of(text) if any(c.isnumeric() for c in word)}
    return numbers | {word for name in names_in(plain) for word in words_of(name)}


def _head(word: str) -> str:
    """Return the letters by which 'land' and 'landing' are one."""
    return stem(word)[:4]


def _said(turn: Turn) -> str:
    return " ".join([turn.question, turn.answer, *turn.claims])


def _prompt(text: str, history: Sequence[Turn], run: Run) -> Prompt:
    turns = "\n".join(_shown(turn) for turn in history[-_TURNS:])
    return load_prompt("agents", "follow_up").render(turns=turns, nonce=run.nonce, question=_short(text))


def _shown(turn: Turn) -> str:
    answer = _short(turn.answer) or "not found"
    noted = [f"Noted: {_short(claim)}" for claim in turn.claims]
    return " ".join([f"Question: {_short(turn.question)}", f"Answer: {answer}", *noted])


def _short(text: str) -> str:
    return one_line(text)[:_LONGEST]
