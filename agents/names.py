"""Names in English text: runs of capitalised words, with the numbers that belong to them ('Apollo 8', 'STS-107')."""

import re

_PART = r"(?:[A-Z]\.\s?)*[A-Z][\w’-]*"
_NAME = re.compile(rf"{_PART}(?:\s+(?:(?:of|de|da|van|von|der|al)\s+)?{_PART})*(?:\s+\d+\b)?")
_WORD = re.compile(r"\w+")
_MONTHS = frozenset("january february march april may june july august september october november december".split())
# capitalised at the head of a sentence, part of no name
_OPENERS = frozenset(
    """a according after all although an and as at because before both but by despite did do does during each for from
    had has have he her his how however if in into is it its later many most no of on once one only or she since so
    some that the their then there these they this those though to two until was were what when where which while who
    whom whose why with within""".split()
)


def names_in(text: str) -> list[str]:
    """Return the names of a text in order of appearance, each once; dates such as 'July 2008' are none."""
    found: dict[str, None] = {}
    for match in _NAME.finditer(text):
        words = match[0].split()
        while words and words[0].lower() in _OPENERS:
            words.pop(0)
        if words and words[0][0].isupper() and words[0].lower() not in _MONTHS:
            found.setdefault(" ".join(words).strip(" .,’'"))
    return list(found)


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return _WORD.findall(text.lower())
