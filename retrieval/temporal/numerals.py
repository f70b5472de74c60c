"""Numbers in words: `three`, `third`, `twenty-first`, `3rd`."""

import re

from retrieval.temporal.found import figures, heads

_ONES = "one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_IRREGULAR = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}

_CARDINALS = {word: number for number, word in enumerate(_ONES + _TEENS, start=1)}
_CARDINALS |= {word: 10 * number for number, word in enumerate(_TENS, start=2)}
_CARDINALS |= {"hundred": 100, "a": 1, "an": 1, "couple": 2, "few": 3, "several": 3, "dozen": 12}
_LOOSE = frozenset({"couple", "few", "several"})


def _ordinal(word: str) -> str:
    return _IRREGULAR.get(word) or f"{word.removesuffix('y')}{'ie' if word.endswith('y') else ''}th"


_ORDINALS = {_ordinal(word): _CARDINALS[word] for word in (*_ONES, *_TEENS, *_TENS, "hundred")}


def _either(words: list[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_PLAIN = _either(list(_ORDINALS))
ORDINAL = (
    rf"(?:(?:(?:{_either(_TENS)})[\s-])?(?:{_either([_ordinal(word) for word in _ONES])})|{_PLAIN}"
    r"|\d{1,4}(?:st|nd|rd|th))\b"
)
CARDINAL = (
    rf"(?:\d{{1,4}}|(?:an?\s+)?(?:couple(?:\s+of)?|dozen)|(?:a\s+)?few|several|(?:{_either(_TENS)})-(?:{_either(_ONES)})"
    rf"|(?:a\s+)?hundred|{_either(_ONES + _TEENS + _TENS)}|an?)\b"
)


ORDINAL_HEADS = figures(1, 2, 3, 4) | heads(*_ORDINALS, *_TENS)
CARDINAL_HEADS = figures(1, 2, 3, 4) | heads(*_CARDINALS)


def ordinal_value(text: str) -> int:
    """Return the number of an ORDINAL: 3 for `third` and `3rd`, 21 for `twenty-first`."""
    words = text.lower()
    digits = re.match(r"\d+", words)
    if digits:
        return int(digits[0])
    return sum(_ORDINALS.get(word) or _CARDINALS[word] for word in re.split(r"[\s-]+", words))


def cardinal_value(text: str) -> int:
    """Return the number of a CARDINAL; `a couple of` is 2, `a few` and `several` are 3."""
    if text.isdigit():
        return int(text)
    words = [word for word in re.split(r"[\s-]+", text.lower()) if word != "of"]
    return sum(_CARDINALS[word] for word in (words[1:] if len(words) > 1 and words[0] in ("a", "an") else words))


def is_loose(text: str) -> bool:
    """Tell whether a CARDINAL is not meant to the unit: `a few`, `several`, `a couple of`."""
    return not _LOOSE.isdisjoint(text.lower().split())
