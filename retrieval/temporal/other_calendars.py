"""Times that no span can hold: years before the first, other calendars."""

import re

from app.core.timespan import TimeSpan
from retrieval.temporal.found import Rule, Setting, figures, heads
from retrieval.temporal.words import pattern

_HIJRI = "muharram|safar|rabi|jumada|rajab|sha['’]ban|ramadan|shawwal"
_HEBREW = "nisan|iyar|sivan|tammuz|elul|tishrei|tishri|cheshvan|kislev|tevet|shevat"
_REPUBLICAN = (
    "vend[eé]miaire|brumaire|frimaire|niv[oô]se|pluvi[oô]se|vent[oô]se|germinal|floreal|floréal|prairial|messidor"
    "|thermidor|fructidor"
)
_CALENDARS = (
    "hebrew|jewish|islamic|hijri|muslim|buddhist|persian|iranian|coptic|ethiopian|chinese|hindu|mayan|republican"
)
_JAPANESE = "meiji|taish[oō]|sh[oō]wa|heisei|reiwa"

BEFORE_CHRIST = pattern(r"\s*(?:(?-i:BCE?)\b|B\.\s?C\.(?:\s?E\.)?|before Christ\b)")
CHRISTIAN = re.compile(r"\s*(?:(?:AD|CE)\b|A\.\s?D\.|C\.\s?E\.)")
OTHER_CALENDAR = pattern(
    rf"\s*(?:(?-i:AH|BE)\b|A\.\s?H\.|of the hijra\b|(?:in|of|by) the (?:{_CALENDARS}) (?:calendar|era)\b)"
)
OTHER_YEAR = pattern(rf"\b(?:the )?(?:{_CALENDARS}) (?:year |(?:calendar|era)\b[^.;]* the (?:year )?)?$")


def _none(match: re.Match[str], _setting: Setting) -> TimeSpan | None:
    raise ValueError(f"no span can hold '{match[0]}'")


_MONTHS = rf"(?:{_HIJRI}|{_HEBREW}|{_REPUBLICAN})\b"
_NUMBER = r"(?:\d{1,4}\b|(?-i:[IVX]+)\b)"
_MONTH_HEADS = heads(*re.findall(r"(?:^|\|)(\w+)", f"{_HIJRI}|{_HEBREW}|{_REPUBLICAN}"))

RULES = (
    Rule(r"\d{1,6}\s*(?:(?-i:BCE?|AH)\b|B\.\s?C\.(?:\s?E\.)?|A\.\s?H\.)", figures(1, 2, 3, 4, 5, 6), _none),
    Rule(rf"\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTHS}(?:,?\s+{_NUMBER})?", figures(1, 2), _none),
    Rule(rf"{_MONTHS}\s+{_NUMBER}", _MONTH_HEADS, _none),
    Rule(rf"(?:{_JAPANESE})\s+\d{{1,2}}\b", heads("meiji", "taisho", "showa", "shōwa", "heisei", "reiwa"), _none),
)
