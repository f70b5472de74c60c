"""Whether four digits of a passage are a year: a passage is full of numbers, so the words around must allow it."""

import re

from retrieval.temporal.found import word_after
from retrieval.temporal.months import MONTH
from retrieval.temporal.tense import tense_of
from retrieval.temporal.words import DETERMINERS, FUNCTION_WORDS

# what recurs, and what is passed: named with their year, "World Cup 2018", "the Patents Act 1977"
NAMED_BY_YEAR = frozenset(
    """olympics games cup championship championships election elections open prix expo census budget season tour
    festival conference congress summit awards oscars eurovision referendum edition euro report survey olympiad bowl
    marathon league final finals christmas easter act acts law order ordinance treaty convention constitution
    charter statute regulations rules bill directive agreement protocol copyright day eve""".split()
)
_TIME_WORDS = frozenset(
    """year years early mid late mid- end year-end onwards circa spring summer autumn fall winter season pre post born
    died est founded established built dated since until till approximately roughly""".split()
)
_NO_TIME_BEFORE = frozenset(
    "with at than over under above below exactly least most only nearly almost another many".split()
)
_COMPARED = frozenset("compared comparison contrast line consistent together along tied beginning starting".split())
_ABBREVIATION = re.compile(
    r"\b(?:pp?|nos?|nrs?|vols?|figs?|arts?|sec|ch|chap|paras?|ext|tel|fax|ref|cf|eq|l{1,2}|cat|inv|art|rm)\.\s*(?:\d+\s?[-–—]\s?)?$",
    re.IGNORECASE,
)
_NUMBER_BEFORE = re.compile(r"[\d+]\s+$")
_NUMBER_AFTER = re.compile(r"\s+\d{3,}(?!\w|\s?[-–—/])|\s*[×x*]\s*\d|\s+[NESWA-Z](?![\w'’])")
_STREET = re.compile(
    r"\s+(?:[A-Z][\w.'’]*,?\s+){1,3}(?i:road|street|avenue|lane|drive|boulevard|highway|way|st|rd|ave|blvd)\b"
)
_MONTH = re.compile(rf"(?:{MONTH})$", re.IGNORECASE)
_UNIT = re.compile(r"\s+[a-z]{0,2}[A-Z][a-z]?(?![\w'’-])|\s+(?:revolutions|rpm|hours|hrs|kilojoules|euros?|dollars?)\b")
_BEHIND_OTHERS = (_NUMBER_AFTER, _UNIT, _STREET)
_WINDOW = 24


def is_told_as_year(match: re.Match[str], before: str, *, is_pair: bool) -> bool:
    """Tell whether the words around the digits, with `before` the word in front of them, let them be a year.

    That is so after punctuation, words that bind a sentence and the past tense; after any other noun a number counts
    or names something, apart from what is known by its year. Two years with a dash need no word.
    """
    text, start = match.string, match.start()
    head = text[max(0, start - _WINDOW) : start]
    if _ABBREVIATION.search(head):
        return False
    word = before.lower()
    if is_pair:
        return word not in ("part", "parts", "lines", "verses", "item")
    is_other = _NUMBER_BEFORE.search(head) or any(form.match(text, match.end()) for form in _BEHIND_OTHERS)
    return not is_other and (not word or _allows_year(match, head, before))


def _allows_year(match: re.Match[str], head: str, before: str) -> bool:
    """Tell whether a year may stand behind a word, which ends the `head` of the text in front of the digits."""
    word = before.lower()
    if word.endswith(("'s", "’s")):  # Orwell's 1984
        after = word_after(match.string, match.end()).lower()
        return after != "" and after not in FUNCTION_WORDS
    if word in _NO_TIME_BEFORE:
        return not _COMPARED.isdisjoint(head.lower().split()) or word in ("than", "least")
    return word in FUNCTION_WORDS or word in DETERMINERS or word in _TIME_WORDS or _goes_with_years(before)


def _goes_with_years(before: str) -> bool:
    if before.lower() in NAMED_BY_YEAR or _MONTH.match(before):
        return True
    return tense_of(before) == "past"
