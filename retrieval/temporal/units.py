"""Months, quarters, halves, seasons, decades, centuries and fiscal years in text."""

import re
from dataclasses import replace
from datetime import date

from app.core.timespan import TimeSpan
from retrieval.temporal.days import year_of_apostrophe
from retrieval.temporal.found import APOSTROPHES, Rule, Setting, figures, heads, word_after, word_before
from retrieval.temporal.months import MONTH, MONTH_HEADS, SEASON, SEASON_HEADS, month_number, season_named
from retrieval.temporal.numerals import ORDINAL, ORDINAL_HEADS, ordinal_value

_ERA = r"\s*(?:AD|CE|BC|A\.\s?D|B\.\s?C)"
_YEAR = rf"(?P<y>\d{{4,5}}|['’]\d\d|\d{{1,3}}(?={_ERA}))(?!\w)(?![.,]\d)"
_FULL_YEAR = r"(?P<y>\d{4})(?!\w)(?![.,]\d)"
_DECADES = "twenties|thirties|forties|fifties|sixties|seventies|eighties|nineties"
_BEFORE_DECADE = frozenset("the early mid late mid-late middle nineteen eighteen".split())
_TWENTIES = 20
_TWO_THOUSANDS = 2000  # "the 2000s" are a decade
_OCTOBER = 10
_EARLIEST, _LATEST = 1500, 2199  # of years told by figures and a slash


def _month(match: re.Match[str], setting: Setting) -> TimeSpan:
    if match["y"][0] in APOSTROPHES:
        span = TimeSpan.month(year_of_apostrophe(match["y"], setting), month_number(match["m"]))
        return replace(span, approximate=True)
    return TimeSpan.month(int(match["y"]), month_number(match["m"]))


def _month_and_year(match: re.Match[str], _setting: Setting) -> TimeSpan | None:
    """Return the month of `03/2018`."""
    year = int(match["y"])
    return TimeSpan.month(year, int(match["m"])) if _EARLIEST <= year <= _LATEST else None


def _quarter(match: re.Match[str], _setting: Setting) -> TimeSpan:
    return TimeSpan.quarter(int(match["y"]), int(match["q"]))


def _half(match: re.Match[str], setting: Setting) -> TimeSpan:
    half = half_of(int(match["y"]), int(match["h"]))
    return replace(half, granularity="quarter") if setting.in_passage else half


def half_of(year: int, number: int) -> TimeSpan:
    """Return the first or second six months of a year, in months."""
    if number == 1:
        return TimeSpan(start=date(year, 1, 1), end=date(year, 6, 30), granularity="month")
    return TimeSpan(start=date(year, 7, 1), end=date(year, 12, 31), granularity="month")


def _season(match: re.Match[str], setting: Setting) -> TimeSpan:
    if match["y"][0] in APOSTROPHES:
        span = TimeSpan.season(year_of_apostrophe(match["y"], setting), season_named(match["season"]))
        return replace(span, approximate=True)
    return TimeSpan.season(int(match["y"]), season_named(match["season"]))


def _decade(match: re.Match[str], setting: Setting) -> TimeSpan:
    """Return the decade of `the 1990s`; in a passage `the 1800s` are a century, since no decade is named so."""
    year = int(match["y"])
    if setting.in_passage and year % 100 == 0 and year < _TWO_THOUSANDS:
        return TimeSpan(start=date(year, 1, 1), end=date(year + 99, 12, 31), granularity="century", approximate=True)
    return TimeSpan.decade(year)


def _short_decade(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    """Return the decade of `the '90s`, `the 90s` or `the nineties`: the last one that was over, approximate."""
    before = word_before(match.string, match.start()).lower()
    if setting.in_passage and match["mark"] is None:
        return None  # "the 90s" may be degrees
    if before.removeprefix("mid-") not in _BEFORE_DECADE and match["mark"] is None:
        return None
    if match["word"] is not None:
        tens = 10 * _DECADES.split("|").index(match["word"].lower()) + _TWENTIES
    else:
        tens = int(match["tens"])
    over = setting.today.year - 10 if setting.today is not None else 1999
    year = over - over % 100 + tens
    span = TimeSpan.decade(year if year <= over else year - 100)
    return replace(span, approximate=True)


def _century(match: re.Match[str], _setting: Setting) -> TimeSpan | None:
    if "Century" in match[0] and word_after(match.string, match.end())[:1].isupper():
        return None  # 20th Century Fox
    return TimeSpan.century(ordinal_value(match["n"]))


def _centuries(match: re.Match[str], setting: Setting) -> TimeSpan | None:
    """Return the centuries of `12th and 13th centuries`; in a passage these are two times, as all that `and` joins."""
    if setting.in_passage and match["and"].strip().split()[0].lower() in ("and", "or"):
        return None
    first, last = TimeSpan.century(ordinal_value(match["n"])), TimeSpan.century(ordinal_value(match["k"]))
    return TimeSpan(start=first.start, end=last.end, granularity="century")


def _fiscal(match: re.Match[str], _setting: Setting) -> TimeSpan:
    """Return a fiscal year of the government of the United States: it ends with September."""
    written = match["z"] or match["y"]
    year = int(written) if len(written) > len("99") else 2000 + int(written)
    return TimeSpan(start=date(year - 1, _OCTOBER, 1), end=date(year, 9, 30), granularity="year", approximate=True)


_YEAR_FIGURES = figures(4)
_HALVES, _QUARTERS = heads("H1", "H2"), heads("Q1", "Q2", "Q3", "Q4")
_AND = r"(?:\s+(?:and|to|or|through|until)\s+|\s*[-–]\s*)(?:the\s+)?"

RULES = (
    Rule(rf"(?<![\w/.:,-])(?P<m>0[1-9]|1[0-2])/{_FULL_YEAR}(?!/)", figures(2), _month_and_year),
    Rule(rf"(?P<m>{MONTH})(?:\s+of|\s?,)?[\s-]+(?:the\s+year\s+)?{_YEAR}", MONTH_HEADS, _month),
    Rule(rf"Q(?P<q>[1-4])(?:\s+of\s+|[\s/,-]*){_FULL_YEAR}", _QUARTERS, _quarter),
    Rule(r"(?P<y>\d{4})[\s-]?Q(?P<q>[1-4])\b", _YEAR_FIGURES, _quarter),
    Rule(rf"(?P<q>[1-4])Q[\s/-]?{_FULL_YEAR}", figures(1), _quarter),
    Rule(rf"H(?P<h>[12])(?:\s+of\s+|[\s/,-]*){_FULL_YEAR}", _HALVES, _half),
    Rule(r"(?P<y>\d{4})[\s-]?H(?P<h>[12])\b", _YEAR_FIGURES, _half),
    Rule(rf"(?P<h>[12])H[\s/-]?{_FULL_YEAR}", figures(1), _half),
    Rule(
        rf"(?P<season>{SEASON})(?:\s+of|,)?\s+(?P<y>\d{{4}}|['’]\d\d)(?!\w)(?![.,]\d)(?:[-–/]\d\d(?:\d\d)?\b)?",
        SEASON_HEADS,
        _season,
    ),
    Rule(r"(?P<y>\d{3}0)['’]?s\b", _YEAR_FIGURES, _decade),
    Rule(
        rf"(?:(?P<mark>['’])(?=\d))?(?:(?P<tens>[1-9]0)['’]?s|(?P<word>{_DECADES}))\b",
        figures(2) | APOSTROPHES | heads(*_DECADES.split("|")),
        _short_decade,
    ),
    Rule(
        rf"(?P<n>{ORDINAL})(?P<and>{_AND})(?P<k>{ORDINAL})[\s-]+centur(?:y|ies)\b", ORDINAL_HEADS, _centuries, "range"
    ),
    Rule(rf"(?P<n>{ORDINAL})[\s-]+centur(?:y|ies)\b", ORDINAL_HEADS, _century),
    Rule(
        r"(?:FY\s?|(?:fiscal|financial)\s+(?:years?\s+)?)['’]?(?P<y>\d{4}|\d\d)(?:[-–/](?P<z>\d{4}|\d\d))?(?!\w)",
        heads("fy", "fy0", "fy1", "fy2", "fy9", "fiscal", "financial"),
        _fiscal,
    ),
)
