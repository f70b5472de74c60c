"""Years in text: a number of four digits is a year only if its neighbours do not make it something else."""

import re
from datetime import date

from app.core.timespan import TimeSpan
from retrieval.temporal.days import year_of_apostrophe
from retrieval.temporal.found import (
    APOSTROPHES,
    Rule,
    Setting,
    figures,
    heads,
    starts_sentence,
    word_after,
    word_before,
)
from retrieval.temporal.months import MONTH, MONTH_IN_FULL
from retrieval.temporal.yearlike import NAMED_BY_YEAR, is_told_as_year

EARLIEST, LATEST = 1000, 2199  # of years told by nothing but four digits
_SURE_LATEST = 2999  # after a word that goes with times
_MONTHS_IN_YEAR = 12

_TIME_WORDS = frozenset(
    """in since until till before after by during from of throughout through around circa about between to and
    or early late mid pre post mid- year years onwards prior following spring summer autumn fall winter""".split()
)
_SURE_WORDS = frozenset({"in", "since", "until", "till", "before", "after", "circa", "year"})
_COMPARATIVES = frozenset("earlier later older newer younger recent".split())
# what carries a number that is no year, and what is compared with one
_NUMBERED = frozenset(
    """page pages p pp chapter verse article section clause paragraph rule figure table no nos number numbers nr line
    room route highway road flight model type version release step level lot unit series rfc iso din order
    least most nearly almost over under exactly only above below top another many x times
    film movie novel book song album game error code bug ticket port gate bus train item id grant form""".split()
)
_UNITS = frozenset(
    """km m cm mm metres meters metre meter kilometres kilometers miles mile feet foot ft yards inches kg g grams tons
    tonnes pounds lbs litres liters gallons watts w kw mw volts v amps ohm ohms hz khz mhz ghz bytes kb mb gb tb bits
    px pixels ms seconds second sec minutes minute min hours hour days day weeks months years year dollars dollar
    euros euro cents pence yen percent per people persons men women children times degrees calories rpm bhp hp
    square cubic million billion thousand""".split()
)
_MEASURES = frozenset(
    """power sum total product number population altitude height depth distance speed price cost weight length width
    fine salary maximum minimum average capacity amount value score temperature range rate root
    percent percentage share multiple cube square factor factors digits remainder double logarithm divisor
    divisors""".split()
)
# what recurs and is told apart by its year: "World Cup 2018", "the Olympics 2012"
EDITIONS = frozenset(
    """olympics games cup championship championships election elections open prix expo census budget season tour
    festival conference congress summit awards oscars eurovision referendum edition draft euro report survey
    olympiad bowl marathon league final finals christmas easter""".split()
)
_OWNERS = frozenset("the our your his her its their my this that".split())
_ENDINGS_OF_NO_PLURAL = ("ss", "us", "is", "'s", "’s", "as", "wards")
_NO_PLURALS = frozenset(
    """hangs stands shows lies tells bears mentions describes records contains remains was is has does its his this us
    yes thus perhaps across towards always whose besides""".split()
)
# "a quarter of 2000"
_IS_SHARE = re.compile(r"\b(?:an?|one|two|three|is|by)\s+(?:half|third|quarter)s?\s+$", re.IGNORECASE)
_SHORT = 3
_TWO_DIGITS = 2
_ANOTHER_NUMBER = re.compile(r"\s*(?:-|–|and|or|to)\s*\d[\d.,]*(?=[\s-])")


def _is_count(match: re.Match[str], before: str, *, is_pair: bool) -> bool:
    """Tell whether what follows a number, or the next of two, is what it counts or measures."""
    if match.string[max(0, match.start() - 1)] == "-":
        return False
    another = _ANOTHER_NUMBER.match(match.string, match.end())
    after = word_after(match.string, another.end() if another else match.end())
    if not after or after.lower() in EDITIONS:
        return False
    if after in _UNITS:
        return True
    if is_pair or before.lower() in _OWNERS or before.endswith(("'s", "’s")):
        return False
    plural = after.islower() and after.endswith("s") and len(after) > _SHORT
    return plural and after not in _NO_PLURALS and not after.endswith(_ENDINGS_OF_NO_PLURAL)


def _is_numbered(match: re.Match[str], before: str, *, is_pair: bool) -> bool:
    """Tell whether the word before a number is a name that it belongs to, or says that it is no year."""
    text, word = match.string, before.lower()
    start = text.rfind(before, 0, match.start())
    further = word_before(text, start).lower()
    if word in EDITIONS or word in _TIME_WORDS:
        return word == "of" and (further in _MEASURES or _IS_SHARE.search(text, 0, start) is not None)
    if word == "than":
        return further not in _COMPARATIVES
    if word == "least":
        return further != "at" or word_before(text, text.rfind("at", 0, start)).lower() not in _TIME_WORDS
    if word in _NUMBERED:
        return not (is_pair and word in ("over", "under"))
    if is_pair or word_after(text, match.end()).lower() in EDITIONS or re.fullmatch(MONTH_IN_FULL, word):
        return False
    return before[:1].isupper() and not starts_sentence(text, start)


def _is_year(match: re.Match[str], year: int, setting: Setting, *, is_pair: bool = False) -> bool:
    before = word_before(match.string, match.start())
    if setting.in_passage and not is_told_as_year(match, before, is_pair=is_pair):
        return False
    sure = before.lower() in _TIME_WORDS
    if not EARLIEST <= year <= (_SURE_LATEST if sure else LATEST):
        return False
    if setting.in_passage and before.lower() in NAMED_BY_YEAR:
        return True
    return not _is_count(match, before, is_pair=is_pair) and not _is_numbered(match, before, is_pair=is_pair)


def _four_digits(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    year = int(match["y"])
    return TimeSpan.year(year) if _is_year(match, year, setting) else None


def _three_digits(match: re.Match[str], _setting: Setting) -> TimeSpan | None:
    """Return the year of `in 476`; a number of three digits needs a word of time before and nothing to count after."""
    sure = word_before(match.string, match.start()).lower() in _SURE_WORDS
    return TimeSpan.year(int(match["y"])) if sure and not word_after(match.string, match.end()) else None


def _years(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    """Return the years of `1990–93`. `2010-11` with a hyphen may be a month: the years hold both, approximate.

    In a passage `1898–02` runs into the next century, and a stroke does not say where in the years the time lies.
    """
    first, last = int(match["y"]), int(match["z"])
    if not _is_year(match, first, setting, is_pair=True):
        return None
    unsure = setting.in_passage and match["dash"] == "/"
    if len(match["z"]) == _TWO_DIGITS:
        unsure = unsure or (match["dash"] not in "–—" and 1 <= last <= _MONTHS_IN_YEAR)
        rolls_over = last == (first + 1) % 100 == 0 or (setting.in_passage and match["dash"] in "–—")
        if last <= first % 100 and not rolls_over:
            return None
        last += first - first % 100 + (100 if last <= first % 100 else 0)
    elif not EARLIEST <= last <= _SURE_LATEST:
        return None
    return TimeSpan(start=date(first, 1, 1), end=date(last, 12, 31), granularity="year", approximate=unsure)


def _month_of_figures(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    """Return the month of `2021-04`, which cannot be two years."""
    year = int(match["y"])
    return TimeSpan.month(year, int(match["m"])) if _is_year(match, year, setting, is_pair=True) else None


def _named_year(match: re.Match[str], _setting: Setting) -> TimeSpan | None:
    """Return the year of `the year 79`; without the article a year has four digits, since classes are numbered too."""
    has_article = word_before(match.string, match.start()).lower() == "the"
    return TimeSpan.year(int(match["y"])) if has_article or len(match["y"]) == len("1999") else None


def _of_era(match: re.Match[str], _setting: Setting) -> TimeSpan:
    return TimeSpan.year(int(match["y"]))


def _apostrophe(match: re.Match[str], setting: Setting) -> TimeSpan:
    span = TimeSpan.year(year_of_apostrophe(match[0], setting))
    return TimeSpan(start=span.start, end=span.end, granularity="year", approximate=True)


_NOT_INSIDE = r"(?<![\w$£€#./:+=@])(?<!\d,)(?<![A-Za-z]\d-)"
_AFTER = r"(?![\w%°]|[.,:]\d|['’]\d|-[A-Za-z\d])"
_AFTER_PAIR = r"(?![\w%°]|[-/.,:]\d)"
_PREFIX = r"(?:(?<!-)|(?<=pre-)|(?<=post-)|(?<=mid-)|(?<=early-)|(?<=late-)|(?<=end-))"
_YEAR_FIGURES = figures(4)

RULES = (
    Rule(r"years?\s+(?P<y>\d{1,6})\b(?!\s?[.,–/-]\s?\d)", heads("year"), _named_year),
    Rule(r"(?:AD|A\.\s?D\.|CE)\s*(?P<y>\d{1,4})\b", heads("a", "ad", "ce"), _of_era),
    Rule(r"(?P<y>\d{1,4})\s*(?:AD\b|CE\b|A\.\s?D\.|C\.\s?E\.)", figures(1, 2, 3, 4), _of_era),
    Rule(
        rf"{_NOT_INSIDE}{_PREFIX}(?P<y>\d{{4}})\s{{0,2}}(?P<dash>[-–—/])\s{{0,2}}(?P<z>\d{{4}}|\d\d){_AFTER_PAIR}"
        rf"(?!\s+{MONTH}|\s-\s\d\d\b)",
        _YEAR_FIGURES,
        _years,
        "range",
    ),
    Rule(
        rf"{_NOT_INSIDE}{_PREFIX}(?P<y>\d{{4}})[-/](?P<m>0[1-9]|1[0-2]){_AFTER_PAIR}",
        _YEAR_FIGURES,
        _month_of_figures,
    ),
    Rule(rf"{_NOT_INSIDE}{_PREFIX}(?P<y>\d{{4}}){_AFTER}", _YEAR_FIGURES, _four_digits, "number"),
    Rule(rf"{_NOT_INSIDE}(?<!-)(?P<y>\d{{3}}){_AFTER}(?!-)", figures(3), _three_digits, "number"),
    Rule(r"(?<![\w'’])['’]\d\d(?![\w'’]|[.,]\d)", APOSTROPHES, _apostrophe),
)
