"""A time found in a text, and how a rule of the grammar reads one."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from app.core.timespan import TimeSpan

Form = Literal["number", "calendar", "relative", "yearless", "range", "reversed", "open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A time that a text names; `start` and `end` are characters of the text, half-open.

    `span` is None where the words name a time that no span can hold: 30 February, the year 0, 44 BC, another calendar,
    a range that ends before it starts (`reversed`). A `number` is a year told by its digits alone, without a month, an
    era or the word: it is a year by its surroundings only. A `relative` time counts from the day of reading; a
    `yearless` one, `in May`, is the last up to that day, unless the text around it tells the year.
    """

    start: int
    end: int
    span: TimeSpan | None
    form: Form


@dataclass(frozen=True, slots=True)
class Setting:
    """What a date depends on besides its words: the day it is read on, and the order of 03/04/2021 if it is known.

    In a passage, unlike in a question, today is the day of its publication and times also count from the one named
    last, `near`: "three years later". `is_lost` tells that no span could hold that one.
    """

    today: date | None = None
    day_first: bool | None = None
    in_passage: bool = False
    near: TimeSpan | None = None
    is_lost: bool = False

    @property
    def origin(self) -> TimeSpan | None:
        """What "three years later" counts from; None where nothing tells."""
        if self.near is not None or self.is_lost or self.today is None:
            return self.near
        return TimeSpan(start=self.today, end=self.today)

    def after(self, span: TimeSpan | None) -> "Setting":
        """Return the setting of the words behind a time."""
        return replace(self, near=span, is_lost=span is None)


APOSTROPHES = frozenset("'’")
_HEAD = 3  # letters by which the rules for a word are found
_TWO = 2  # figures behind an apostrophe

Reader = Callable[[re.Match[str], Setting], TimeSpan | None]


def heads(*words: str) -> frozenset[str]:
    """Return what words begin with, by which a rule is found; one of one or two letters is the whole word."""
    return frozenset(word.lower() for word in words)


def figures(*lengths: int) -> frozenset[str]:
    """Return the heads of words that begin with so many figures."""
    return frozenset("0" * length for length in lengths)


@dataclass(frozen=True, slots=True)
class Rule:
    """A form of times: a pattern, the heads of the words it can begin with, and what it means.

    The reader returns None where the words are no time, and raises ValueError or OverflowError where they name a time
    that does not exist.
    """

    pattern: str
    heads: frozenset[str]
    read: Reader
    form: Form = "calendar"


class Scanner:
    """Finds the times of a text from left to right; of the rules that fit a word, the first that reads one wins."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules: dict[str, list[tuple[re.Pattern[str], Rule]]] = {}
        for rule in rules:
            regex = re.compile(rule.pattern, re.IGNORECASE)
            for key in {head[:_HEAD] if head[0].isalpha() else head for head in rule.heads}:
                self._rules.setdefault(key, []).append((regex, rule))
        words = [head for rule in rules for head in rule.heads if head[0].isalpha()]
        # the look ahead is cheap, and most places are inside of a word or between two
        self._word = re.compile(rf"(?<!\w)(?=\w)(?:(?P<figures>\d+)|{_beginning(words)})\w*")

    def scan(self, text: str, setting: Setting) -> list[Found]:
        """Return the times of a text in order; no two share a character."""
        found: list[Found] = []
        position = 0
        for word in self._word.finditer(text):
            if word.start() < position:
                continue
            one = self._found_at(text, word, position, setting)
            if one is not None:
                found.append(one)
                position = one.end
                if setting.in_passage:
                    setting = setting.after(one.span)
        return found

    def _found_at(self, text: str, word: re.Match[str], position: int, setting: Setting) -> Found | None:
        """Return the time that begins with a word, or with an apostrophe before two figures."""
        start, figures = word.start(), len(word["figures"] or "")
        if figures == _TWO and start > position and text[start - 1] in APOSTROPHES:
            found = _read(text, start - 1, self._rules.get(text[start - 1], []), setting)
            if found is not None:
                return found
        return _read(text, start, self._rules.get("0" * figures or word[0][:_HEAD].lower(), []), setting)


def _beginning(words: Sequence[str], depth: int = 0) -> str:
    """Return a pattern of the words, letter by letter in either case, so that another word fails at once."""
    tails: dict[str, list[str]] = {}
    for word in words:
        tails.setdefault(word[:1], []).append(word[1:])
    if "" in tails and depth >= _HEAD:
        return ""
    ways = [f"[{first}{first.upper()}]{_beginning(rest, depth + 1)}" for first, rest in tails.items() if first]
    if "" in tails:
        ways.append(r"(?!\w)")
    return f"(?:{'|'.join(ways)})"


def _read(text: str, start: int, rules: list[tuple[re.Pattern[str], Rule]], setting: Setting) -> Found | None:
    for regex, rule in rules:
        match = regex.match(text, start)
        if match is None:
            continue
        try:
            span = rule.read(match, setting)
        except (ValueError, OverflowError):
            return Found(start=start, end=match.end(), span=None, form=rule.form)
        if span is not None:
            return Found(start=start, end=match.end(), span=span, form=rule.form)
    return None


def word_before(text: str, position: int) -> str:
    """Return the word that ends right before a position, with one separating space; '' where punctuation parts them."""
    match = _LAST_WORD.search(text, max(0, position - 24), position)
    return match[1] if match else ""


def word_after(text: str, position: int) -> str:
    """Return the word that begins right after a position and spaces or one hyphen; '' where punctuation parts them."""
    match = _NEXT_WORD.match(text, position)
    return match[1] if match else ""


def starts_sentence(text: str, position: int) -> bool:
    """Tell whether only the end of another sentence, or nothing, stands before a position."""
    return _OPENING.search(text, max(0, position - 8), position) is not None


_LAST_WORD = re.compile(r"([^\W_][\w'’-]*)\s+$")
_NEXT_WORD = re.compile(r"(?:\s+|-)([^\W\d_][\w'’]*)")
_OPENING = re.compile(r"(?:^|[.?!:;][\"”’)]*\s+|\n\s*)$")
