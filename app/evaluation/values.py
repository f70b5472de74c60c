"""Dates and numbers by value: '6 May 2021' is 2021-05-06, '1.5 million' is 1500000, 'eight' is 8.

A value is canonical text: a number as a fraction in lowest terms (`1233`, `3/2`), an ordinal as `#3`, a date as ISO
8601 at its own granularity (`2021-05-06`, `1958-03`, `--05-06` without a year). Only what a strict pattern admits is
one; no unit and no order of day and month is guessed, so '8 minutes' and '03/04/2021' are none.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction

from app.core.months import MONTH_NUMBERS

_ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen""".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth
    fifteenth sixteenth seventeenth eighteenth nineteenth""".split()
_CARDINAL_OF = dict(zip(_ORDINALS, _ONES[1:], strict=True)) | {f"{word[:-1]}ieth": word for word in _TENS}
_SMALL = {word: n for n, word in enumerate(_ONES)} | {word: 10 * n for n, word in enumerate(_TENS, start=2)}
_SCALES = {"trillion": 10**12, "billion": 10**9, "million": 10**6, "thousand": 1000, "hundred": 100}
_LONGEST = 12  # words of a spelt number
_NO_FIGURES = frozenset({"one", "first", "second"})  # more often a pronoun, an adverb and a unit than a number

_NAME = rf"(?P<name>{'|'.join(sorted(MONTH_NUMBERS, key=len, reverse=True))})\b\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?(?!\w)"
_YEAR = r"(?: ?, ?| )(?P<year>\d{4})(?!\w)"
_DATES = [
    re.compile(r"(?<!\w)(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?!\d)"),
    re.compile(r"(?<!\w)(?P<year>1\d{3}|20\d{2})(?P<month>\d{2})(?P<day>\d{2})(?!\d)"),
    re.compile(rf"(?<!\w){_DAY} (?:of )?{_NAME}(?:{_YEAR})?"),
    re.compile(rf"\b{_NAME} {_DAY}(?:{_YEAR})?"),
    re.compile(rf"\b{_NAME}{_YEAR}"),
]
_ISO = re.compile(r"(?P<year>\d{4}|-)-(?P<month>\d{2})(?:-(?P<day>\d{2}))?")
_ISO_MONTH = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})")  # of a whole text only: in prose '2010-11' is a season
_MONTH_NAME = re.compile(rf"\b{_NAME}", re.IGNORECASE)
_DIGITS = r"(?P<digits>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d{1,30})(?:\.\d{1,30})?)"
_SCALE = r"(?: (?P<scale>thousand|million|billion|trillion)\b)?"
_NUMBER = re.compile(rf"(?P<sign>[-\u2212]?)(?!0\d){_DIGITS}{_SCALE}")  # '007' is a name
_ORDINAL = re.compile(r"([1-9]\d{0,3})(?:st|nd|rd|th)")
_WORD = rf"(?:{'|'.join([*_SMALL, *_SCALES, *_CARDINAL_OF])})\b"
_FIGURE = re.compile(rf"{_DIGITS}{_SCALE}|\b{_WORD}(?:[ -](?:and )?{_WORD})*")


def values_of(text: str) -> frozenset[str]:
    """Return what the whole text is as a number, an ordinal or a date; empty if it is none of them.

    '20210506' is a number and a date; a bare year is a number.
    """
    bare = _plain(text).lower().strip(" \"'`.,;:!").removeprefix("the ")
    return frozenset(value for value in (_number(bare), _ordinal(bare), _date(bare)) if value)


def same_value(one: str, other: str) -> bool | None:
    """Tell whether two texts are one number or one date of the same granularity; None if either is neither."""
    first, second = values_of(one), values_of(other)
    return bool(first & second) if first and second else None


def figures(text: str) -> list[str]:
    """Return the dates and then the numbers that a text states, in order; ordinals are numbers, signs are left out.

    'one', 'first' and 'second' alone are no figures, nor is a month without a year or day.
    """
    dates, numbers = _figures(text)
    return [*dates, *(value for value, written in numbers if written not in _NO_FIGURES)]


def known_figures(text: str) -> frozenset[str]:
    """Return all figures that a text tells: those that it states, the parts of its dates, and its months as `--05`."""
    dates, numbers = _figures(text)
    months = (match for match in _MONTH_NAME.finditer(_plain(text)) if match[0][0].isupper())
    return frozenset(
        {
            *dates,
            *(value for value, _ in numbers),
            *(part for value in dates for part in _parts(value)),
            *(f"--{MONTH_NUMBERS[match['name'].lower()]:02d}" for match in months),
        }
    )


def is_known(figure: str, known: frozenset[str]) -> bool:
    """Tell whether a figure is among the known ones; the year of a date may stand apart from its day or month.

    '2021-05-06' is known from 'on 6 May ... in 2021', not from 'May 2021'.
    """
    date_parts = _ISO.fullmatch(figure)
    apart = date_parts and {date_parts["year"], f"--{figure[5:]}"}
    return figure in known or bool(apart and apart <= known)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _number(text: str) -> str | None:
    if found := _NUMBER.fullmatch(text):
        value = _in_digits(found)
        return f"-{value}" if found["sign"] and value != "0" else value
    return _spelt(re.split(r"[ -]", text))


def _ordinal(text: str) -> str | None:
    if found := _ORDINAL.fullmatch(text):
        return f"#{int(found[1])}"
    *before, last = re.split(r"[ -]", text)
    value = _spelt([*before, _CARDINAL_OF[last]]) if last in _CARDINAL_OF else None
    return f"#{value}" if value else None


def _date(text: str) -> str | None:
    found = next((match for pattern in (*_DATES, _ISO_MONTH) if (match := pattern.fullmatch(text))), None)
    return _iso(found) if found else None


def _iso(found: re.Match[str]) -> str | None:
    parts = found.groupdict()
    year, day = parts.get("year"), parts.get("day")
    month = int(parts["month"]) if "month" in parts else MONTH_NUMBERS[parts["name"]]
    try:
        date(int(year or 2000), month, int(day or 1))  # a leap year: 29 February is a day
    except ValueError:
        return None
    return (f"{int(year):04d}" if year else "-") + f"-{month:02d}" + (f"-{int(day):02d}" if day else "")


def _parts(value: str) -> Iterator[str]:
    ((year, month, day),) = _ISO.findall(value)
    yield f"--{month}"
    if year != "-":
        yield from (year, f"{year}-{month}")
    if day:
        yield from (f"--{month}-{day}", str(int(day)))


def _in_digits(found: re.Match[str]) -> str:
    return str(Fraction(found["digits"].replace(",", "")) * _SCALES.get(found["scale"], 1))


def _spelt(words: Sequence[str]) -> str | None:
    """Return the number that words spell in English, 'two hundred and five'; None if they spell none."""
    value = _count(words) if len(words) <= _LONGEST else None
    return None if value is None else str(value)


def _count(words: Sequence[str]) -> int | None:
    for scale, size in _SCALES.items():
        if scale in words:
            at = words.index(scale)
            rest = words[at + 2 :] if words[at + 1 : at + 2] == ["and"] else words[at + 1 :]
            times = _count(words[:at])
            more = _count(rest) if words[at + 1 :] else 0
            return times * size + more if times and more is not None and more < size else None
    if len(words) == 2 and words[0] in _TENS and words[1] in _ONES[1:10]:  # noqa: PLR2004  # a ten and a one
        return _SMALL[words[0]] + _SMALL[words[1]]
    return _SMALL.get(words[0]) if len(words) == 1 else None


def _figures(text: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the dates of a text, and its numbers with the words they are written in."""
    dates: list[str] = []

    def take(found: re.Match[str]) -> str:
        value = _iso(found)
        dates.extend([value] if value else [])
        return ";" if value else found[0]

    rest = _plain(text).lower()
    for pattern in _DATES:
        rest = pattern.sub(take, rest)
    return dates, [pair for found in _FIGURE.finditer(rest) for pair in _numbers(found)]


def _numbers(found: re.Match[str]) -> list[tuple[str, str]]:
    if found["digits"]:
        return [(_in_digits(found), found[0])]
    words = re.split(r"[ -]", found[0])
    whole = _spelt([*words[:-1], _CARDINAL_OF.get(words[-1], words[-1])])
    if whole:
        return [(whole, found[0])]
    return [(value, word) for word in words if (value := _spelt([_CARDINAL_OF.get(word, word)]))]
