"""Which times of a passage count: one told where the passage speaks of what is asked counts more than another."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from math import log2

from app.core.sentences import sentence_spans
from app.core.timespan import TimeConstraint
from app.core.types import Offsets, Passage
from retrieval.temporal.scoring import Factor, Mode, Times, TimeScorer
from retrieval.temporal.told import times_of
from retrieval.temporal.words import FUNCTION_WORDS

HALVING = 0.1  # of a score spread from 0 to 1: the best of some hundred candidates is 2^10 times as likely as the last

_WORD = re.compile(r"\w{3,}")
_ENDING = re.compile(r"(?:ing|ed|es|s|e)$")


@dataclass(frozen=True, slots=True)
class Weight:
    """What the times of a passage add to its score, 0 for none told, and the best of them."""

    value: float
    factor: Factor

    @property
    def explanation(self) -> str:
        """The weight and the time it comes from: `+0.12: 2004 to 2005 inside 'until 2006'`."""
        return f"{self.value:+.2f}: {self.factor.explanation}"

    def moved(self, score: float) -> float | None:
        """Return a score with the weight added, None for what must not be found."""
        return score + self.value if self.factor.value else None


class IntervalJudge:
    """Judges passages by one constraint: the mean of their best time and of the best where the question's words are.

    A time in a sentence with some of the words counts by the share of what the sentence with most of them has.
    """

    def __init__(self, constraint: TimeConstraint, *, mode: Mode = "soft") -> None:
        self._scorer = TimeScorer(constraint, mode=mode)
        self._words = content_words(constraint.rest)

    def judge(self, passage: Passage) -> Weight:
        """Return the weight of a passage's times, in HALVINGs of its odds."""
        times = times_of(passage)
        factor = self._scorer.factor(times)
        if not factor.evidence or not factor.value:
            return Weight(0.0, factor)
        doublings = log2(factor.value)
        return Weight(HALVING * (doublings + self._at_the_words(times, passage, doublings)) / 2, factor)

    def _at_the_words(self, times: Times, passage: Passage, otherwise: float) -> float:
        """Return the best doublings of a sentence by its share of the words, `otherwise` where no sentence has any."""
        sentences = sentence_spans(passage.text)
        if len(sentences) < 2:  # noqa: PLR2004  # a single sentence is the whole
            return otherwise
        words = self._words - content_words(passage.title)  # what all of it is about, no sentence more than another
        shared = [len(words & content_words(passage.text[start:end])) for start, end in sentences]
        most = max(shared)
        if not most:
            return otherwise
        return max(
            share / most * log2(self._scorer.factor(_in_and_around(times, sentence)).value)
            for share, sentence in zip(shared, sentences, strict=True)
            if share
        )


@lru_cache(maxsize=4096)
def content_words(text: str) -> frozenset[str]:
    """Return the words of a text but for function words, without their endings."""
    return frozenset(_ENDING.sub("", word) for word in _WORD.findall(text.lower()) if word not in FUNCTION_WORDS)


def _in_and_around(times: Times, sentence: Offsets) -> Times:
    """Return the times of a sentence and its headings, with the last before it and the first after it.

    What began before goes on: "He joined it in 1990. He was its head. He left in 1995."
    """
    start, end = sentence
    before = [one for one in times.mentions if 0 <= one.start < start]
    inside = [one for one in times.mentions if one.start < 0 or start <= one.start < end]
    after = [one for one in times.mentions if one.start >= end]
    return replace(times, mentions=(*before[-1:], *inside, *after[:1]))
