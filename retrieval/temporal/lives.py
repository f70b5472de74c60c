"""The two ends of a life in brackets after a name: `Marie Holt (1912–1954)`; of anything else they are a range."""

import re
from collections.abc import Callable

from app.core.timespan import TimeSpan
from retrieval.temporal.found import Found

_WINDOW = 64
_NAME = re.compile(
    r"(?P<the>\b[Tt]he\s+)?(?P<name>(?:[A-Z][\w.'’-]*|v[ao]n|de[rn]?|d[aiu]|l[ae]|of)(?:\s+(?:[A-Z][\w.'’-]*|v[ao]n|de[rn]?|d[aiu]|l[ae]|of))*)\s*\(\s*(?:(?:born|b\.)\s*)?$"
)
_CLOSING = re.compile(r"\s*[);,]")
_DASH = re.compile(r"\s*[-–—]\s*")
_OFFICE = re.compile(r"\s+in\s+office|\s+reigned", re.IGNORECASE)
_NO_PERSON = frozenset(
    """war wars battle republic empire kingdom dynasty revolution rebellion rising crisis age era period reign
    government ministry cabinet parliament congress administration company railway line line school college university
    institute museum church cathedral bridge station hospital theatre team club fc united city county district
    championship cup league series season tour album party union society association movement agency programme program
    mission expedition treaty act law plan depression campaign siege occupation protectorate county province state
    states tv channel radio bbc nbc cbs abc fox hbo itv show""".split()
)
_DAYS_OF_LIFE = (15 * 365, 111 * 366)
_WORDS_OF_A_NAME = 2
_End = tuple[Found, TimeSpan]


def life_of(text: str, time: Found, read_one: Callable[[str], TimeSpan | None]) -> tuple[_End, _End] | None:
    """Return birth and death, each with its days, where a range is the life of a person, else None."""
    if time.form != "range" or time.span is None or not _is_life(text, time, time.span):
        return None
    dash = _DASH.search(text, time.start, time.end)
    if dash is None:
        return None
    first, second = text[time.start : dash.start()], text[dash.end() : time.end]
    if len(second) == len("54"):
        second = first[-4:-2] + second
    born, died = read_one(first), read_one(second)
    if born is None or died is None:
        return None
    return (
        (Found(start=time.start, end=dash.start(), span=born, form="calendar"), born),
        (Found(start=dash.end(), end=time.end, span=died, form="calendar"), died),
    )


def _is_life(text: str, time: Found, span: TimeSpan) -> bool:
    low, high = _DAYS_OF_LIFE
    if span.days is None or not low <= span.days <= high or _CLOSING.match(text, time.end) is None:
        return False
    match = _NAME.search(text, max(0, time.start - _WINDOW), time.start)
    if match is None or match["the"]:
        return False
    name = match["name"].split()
    is_name = len(name) >= _WORDS_OF_A_NAME and _NO_PERSON.isdisjoint(word.lower() for word in name)
    return is_name and _OFFICE.match(text, time.end) is None
