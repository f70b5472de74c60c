"""Publication dates as they are written in metadata: read exactly, at their own granularity, never guessed."""

import re
from datetime import date, datetime

from app.core.months import MONTH_NUMBERS
from app.core.timespan import TimeSpan

_ISO = re.compile(r"(\d{4}(?:-\d{2}(?:-\d{2})?)?)(?:[T ]\d{2}:?\d{2}.*)?")
_PDF = re.compile(r"D:(\d{4})(\d{2})?(\d{2})?[\d+\-'Zz]*")
_DAY_FIRST = re.compile(r"(?:(\d{1,2})(?:st|nd|rd|th)? )?([A-Za-z]+)\.?,? (\d{4})")
_MONTH_FIRST = re.compile(r"([A-Za-z]+)\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")


def parse_published(value: object) -> TimeSpan:
    """Return the span of a date: ISO 8601 (a time of day is dropped), a PDF date, or English words.

    Raises:
        ValueError: the value is no such date.
    """
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        return TimeSpan(start=value, end=value)
    text = " ".join(str(value).split())
    if iso := _ISO.fullmatch(text):
        return TimeSpan.parse(iso[1])
    if pdf := _PDF.fullmatch(text):
        return TimeSpan.parse("-".join(part for part in pdf.groups() if part))
    return _in_words(text)


def published_or_warning(value: object) -> tuple[TimeSpan | None, tuple[str, ...]]:
    """Return the span of a date and no warning, or None and what is wrong; an empty value is an unknown date."""
    if value is None or not str(value).strip():
        return None, ()
    try:
        return parse_published(value), ()
    except ValueError:
        return None, (f"'{str(value)[:60]}' is no date, so it counts as unknown; write YYYY, YYYY-MM or YYYY-MM-DD",)


def _in_words(text: str) -> TimeSpan:
    if words := _DAY_FIRST.fullmatch(text):
        day, month, year = words.groups()
    elif words := _MONTH_FIRST.fullmatch(text):
        month, day, year = words.groups()
    else:
        raise ValueError(f"'{text}' is no date")
    number = MONTH_NUMBERS.get(month.casefold())
    if number is None:
        raise ValueError(f"'{text}' names no month")
    return TimeSpan.parse(f"{year}-{number:02d}" + (f"-{int(day):02d}" if day else ""))
