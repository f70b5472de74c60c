"""The times by which a question is bound: those it names, each with the relation that the words around it tell."""

import re
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from app.core.timespan import Relation, TimeSpan
from retrieval.temporal.cues import Cue, cue_of
from retrieval.temporal.found import Found, starts_sentence, word_after, word_before
from retrieval.temporal.months import MONTH_IN_FULL, WEEKDAY
from retrieval.temporal.tense import tense_of
from retrieval.temporal.words import DETERMINERS, FUNCTION_WORDS, pattern
from retrieval.temporal.years import EDITIONS

_TITLE_GOES_ON = re.compile(r":\s+(?:A|An|The)\s+[A-Z]")  # 2001: A Space Odyssey
_SOME_OF = pattern(r"\b(?:how many|most|some|all|none|half|each|one) of (?:the|these|those|its|their|his|her|our) $")
# what a number before it counts or names
_NUMBERED = frozenset("piece pieces page pages form forms seat seats model models version versions word words".split())
_RECURRING = re.compile(rf"{MONTH_IN_FULL}|{WEEKDAY}", re.IGNORECASE)
_TODAY = pattern("today|tonight|now")
_YEAR_END = pattern(r"(?:year[ -]?end|end)\b")
_JOINER = pattern(r"\s*,?\s*(?:(?:and|but|yet|as well as) )?(?:(?:also|still|only) )?")
_OR = pattern(r"\s*,?\s*or ")
_OR_ELSE = pattern(r"[^?!]*\bor [^?!]*")  # "hers in 1961 or his in 1962"
_DESCRIBES = pattern(r"\b(?:do|does|did|will|was|were|is|are|has|have|had)\b[^,;]*\w (?:that|which|who|whose) [^,;]*$")
_UNTIL_EVENT = pattern(r" (?:until|till|up to|to) ")  # "from 1990 until the merger"
_ASKS = pattern(r"\W*(?:who|what|which|where|when|why|how|whose|name|list)\b")
_NAMED_BY_YEAR = frozenset(
    "act acts law treaty war panic code constitution charter statute convention compromise".split()
)
_IS = frozenset("is was are were equals equal does did do be has have can could will would".split())
_IN_A_ROW = frozenset("come comes number numbers follows precedes".split())
_SIDES: frozenset[Relation] = frozenset({"before", "after", "since", "until"})


@dataclass(frozen=True, slots=True)
class Bound:
    """A time that bounds: `start` to `end` are the words that say so, half-open.

    `word` is the first of them if they begin before the time, '' for a time that stands bare. An attribute belongs to a
    noun: the 2018 budget.
    """

    relation: Relation
    span: TimeSpan
    start: int
    end: int
    word: str = ""
    is_attribute: bool = False


def bounds_in(text: str, times: list[Found], asked_on: date) -> list[Bound]:
    """Return the bounds in the order of their times; a time in a name, and a bare `today`, is none."""
    found = (_bound(text, time, asked_on) for time in times)
    return [bound for bound in found if bound is not None]


def is_attribute(text: str, time: Found) -> bool:
    """Tell whether a time belongs to the noun behind it: `the 2018 World Cup`, `the 19th-century painter`."""
    before, after = word_before(text, time.start), word_after(text, time.end)
    if before.lower() not in DETERMINERS and not before.endswith(("'s", "’s")):
        return False
    is_noun = after != "" and after.lower() not in FUNCTION_WORDS and tense_of(after) == "none"
    return is_noun and (time.form == "number" or after.islower())


def is_today(text: str, time: Found) -> bool:
    """Tell whether a time is only a word for the day of asking."""
    return _TODAY.fullmatch(text, time.start, time.end) is not None


def both_sides(text: str, bounds: list[Bound]) -> tuple[Bound, Bound] | None:
    """Return the first two neighbours that bound from two sides: `after 1990 and before 2000`; None without such."""
    for one, other in pairwise(bounds):
        sides = {bound.relation in ("after", "since") for bound in (one, other)}
        both = _SIDES.issuperset((one.relation, other.relation)) and len(sides) > 1
        if both and _JOINER.fullmatch(text, one.end, other.start):
            return one, other
    return None


def chief_of(text: str, bounds: list[Bound]) -> Bound | None:
    """Return the bound that counts where several stand apart: one that opens the question, a range, else the last told.

    None stands for alternatives, `before 1990 or after 2000`: one bound would be wrong.
    """
    told = [bound for bound in bounds if bound.word and not bound.is_attribute]
    if any(_are_alternatives(text, one, other) for one, other in pairwise(told)):
        return None
    between = [bound for bound in told if bound.relation == "between"]
    if told:
        return told[0] if told[0].start == 0 else (between or told)[-1]
    return bounds[-1] if bounds else None


def _are_alternatives(text: str, one: Bound, other: Bound) -> bool:
    if _OR.fullmatch(text, one.end, other.start):
        return True
    both_are_times = one.relation == other.relation == "during"
    return both_are_times and _OR_ELSE.fullmatch(text, one.end, other.start) is not None


def _describes(text: str, time: Found, start: int) -> bool:
    """Tell whether a time only says which thing is meant: `did the crew of the station that fell in 1979 spend`.

    Its clause begins within another, whose verb follows the time.
    """
    after = word_after(text, time.end)
    goes_on = after.islower() and after not in FUNCTION_WORDS
    return goes_on and _DESCRIBES.search(text, 0, start) is not None


def _bound(text: str, time: Found, asked_on: date) -> Bound | None:
    if time.span is None or _is_title(text, time) or (time.form == "number" and _is_numbered(text, time)):
        return None
    if is_attribute(text, time):
        relation: Relation = "between" if time.form == "range" else "during"
        return Bound(relation, time.span, time.start, time.end, is_attribute=True)
    cue = cue_of(text, time.start, time.end)
    if cue is None:
        bound = Bound("during", time.span, _with_article(text, time), time.end)
    else:
        bound = Bound(_relation(text, time, cue), time.span, cue.start, cue.end, cue.word)
    if not _is_meant(text, time, cue, bound.relation) or _describes(text, time, bound.start):
        return None
    return _named_whole(text, time, bound, asked_on) if bound.relation == "during" else bound


def _named_whole(text: str, time: Found, bound: Bound, asked_on: date) -> Bound:
    """Return a bound by a time itself: a range bounds between its ends, the end of a year is a day to look at as of."""
    if time.form in ("open", "range"):
        until = bound.span.end or max(asked_on, bound.span.start or asked_on)
        return replace(bound, relation="between", span=replace(bound.span, end=until), word=bound.word or "to")
    if _YEAR_END.match(text, time.start) and bound.word in ("", "at"):
        return replace(bound, relation="as_of", word=bound.word or "end")
    return bound


def _relation(text: str, time: Found, cue: Cue) -> Relation:
    return "since" if cue.word == "from" and _UNTIL_EVENT.match(text, time.end) else cue.relation


def _with_article(text: str, time: Found) -> int:
    return time.start - len("the ") if text[max(0, time.start - 4) : time.start].lower() == "the " else time.start


def _is_meant(text: str, time: Found, cue: Cue | None, relation: Relation) -> bool:
    """Tell whether the words are a time of the question: no name, no house number, no word for today, not any May."""
    if cue is None and not _stands_alone(text, time):
        return False
    if cue is not None and (_is_name(text, cue) or (time.form == "number" and _is_count(text, cue))):
        return False
    return relation != "during" or not (is_today(text, time) or _is_any(text, time))


def _is_title(text: str, time: Found) -> bool:
    """Tell whether capitals or a colon make a title of a time: `2001: A Space Odyssey`, `Last Week Tonight`."""
    if time.form == "relative":
        words = text[time.start : time.end]
        return " " in words and words.istitle() and not starts_sentence(text, time.start)
    return time.form == "number" and _TITLE_GOES_ON.match(text, time.end) is not None


def _is_numbered(text: str, time: Found) -> bool:
    """Tell whether digits count or name what stands behind them: `a 2000 piece puzzle`, `how many of the 1800 men`."""
    after = word_after(text, time.end)
    is_part = text[max(0, time.start - 1) : time.start] == "-"  # pre-1975 models
    if not is_part and (after.lower() in _NUMBERED or (len(after) == 1 and after.isupper())):  # a 1500 W heater
        return True
    return _SOME_OF.search(text, 0, time.start) is not None


def _is_count(text: str, cue: Cue) -> bool:
    """Tell whether the words before digits go with numbers and places: `at 1600 …`, `what comes after 1999`."""
    return cue.word == "at" or (cue.word in ("before", "after") and word_before(text, cue.start).lower() in _IN_A_ROW)


def _is_any(text: str, time: Found) -> bool:
    """Tell whether a time without its year may be any, or one to come: `how warm is Rome in May`."""
    recurs = time.form == "yearless" or _RECURRING.fullmatch(text, time.start, time.end) is not None
    return recurs and tense_of(text) in ("present", "none") and _ASKS.match(text) is not None


def _is_name(text: str, cue: Cue) -> bool:
    """Tell whether `of 1812` belongs to a name: the War of 1812, the oil pollution act of 1990."""
    if cue.word != "of":
        return False
    before = word_before(text, cue.start)
    in_name = before[:1].isupper() and not starts_sentence(text, text.rfind(before, 0, cue.start))
    return in_name or before.lower() in _NAMED_BY_YEAR


def _stands_alone(text: str, time: Found) -> bool:
    """Tell whether a time without a preposition is one: all but digits, which need a noun, an edition or a bare query.

    A bare query has neither a verb nor a question word: `population of berlin 1939`.
    """
    if time.form != "number" or (time.span is not None and time.span.approximate):
        return True
    before, after = word_before(text, time.start).lower(), word_after(text, time.end)
    if before in EDITIONS or text[max(0, time.start - 2) : time.start] == ", ":
        return True
    is_noun = after != "" and after.lower() not in FUNCTION_WORDS and tense_of(after) == "none"
    if tense_of(text) == "none" and _ASKS.match(text) is None:
        return after == "" or is_noun
    return is_noun and (time.start == 0 or before in DETERMINERS or (tense_of(before) == "past" and before not in _IS))
