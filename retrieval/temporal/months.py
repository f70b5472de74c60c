"""The names of months, weekdays and seasons."""

from app.core.months import MONTH_NAMES, MONTH_NUMBERS
from app.core.timespan import Season
from retrieval.temporal.found import heads

MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
MONTH_IN_FULL = rf"(?:{'|'.join(MONTH_NAMES)})\b"
WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day\b"
SEASON = r"(?:spring|summer|autumn|fall|winter)\b"

MONTH_HEADS = heads(*(name[:3] for name in MONTH_NAMES))
WEEKDAY_HEADS = heads(*"mon tue wed thu fri sat sun".split())
SEASON_HEADS = heads("spring", "summer", "autumn", "fall", "winter")

_WEEKDAYS = "mon tue wed thu fri sat sun".split()
_SEASONS: dict[str, Season] = {
    "spring": "spring",
    "summer": "summer",
    "autumn": "autumn",
    "fall": "autumn",
    "winter": "winter",
}


def month_number(name: str) -> int:
    """Return 1 to 12 for a MONTH."""
    return MONTH_NUMBERS[name[:3].lower()]


def weekday_number(name: str) -> int:
    """Return 0 for Monday to 6 for Sunday, as `date.weekday` does."""
    return _WEEKDAYS.index(name[:3].lower())


def season_named(name: str) -> Season:
    """Return the season that a SEASON names."""
    return _SEASONS[name.lower()]
