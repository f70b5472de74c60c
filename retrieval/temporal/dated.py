"""Whether the words after `before`, `when`, `during` or `at the end of` stand for an event whose date can be found."""

from collections.abc import Callable
from dataclasses import dataclass

from app.core.timespan import Relation
from retrieval.temporal import events
from retrieval.temporal.tense import Tense, may_be_past, tense_of
from retrieval.temporal.words import pattern


@dataclass(frozen=True, slots=True)
class Place:
    """A possible anchor in its question: the words before, the cue, the event, and what decides besides.

    `main` is the tense of the question without the event, `tense` that of the event; `asks` tells whether the question
    opens with a question word.
    """

    before: str
    cue: str
    event: str
    main: Tense
    tense: Tense
    asks: bool


def _clause(place: Place) -> bool:
    """Tell whether `when he died` bounds: a clause of the past that is not itself what is asked."""
    is_past = place.tense == "past" or (place.main in ("past", "perfect") and may_be_past(place.event))
    if not is_past or _INVERTED.match(place.event):
        return False
    if place.cue in ("when", "once") and tense_of(place.event.split()[0]) == "past":
        return False  # when compared with, once called
    if place.cue == "once":
        return _ONCE_ADVERB.search(place.before) is None
    return not place.cue.endswith("when") or _ASKS_WHEN.search(place.before) is None


def _bound(place: Place) -> bool:
    """Tell whether `before …` bounds by an event: a clause of the past, or a noun phrase in a question of the past."""
    if place.tense in ("present", "perfect") or _HOW_LONG.search(f"{place.before} {place.cue}"):
        return False
    if _PHRASAL.search(place.before) and place.cue in ("after", "up to"):
        return False
    if place.tense == "past":
        return not (place.cue == "since" and _is_cause(place))
    return _is_dated(place)


def _is_cause(place: Place) -> bool:
    """Tell whether `since` means because: a reason is asked, or it opens what does not reach up to today."""
    return _ASKS_WHY.match(place.before) is not None or (not place.before.strip(" ,") and place.main != "perfect")


def _is_dated(place: Place) -> bool:
    """Tell whether a noun phrase stands for an event with a date, not for a place, a rank or a step of a manual."""
    event = place.event
    if not (event[0].isalpha() or _OWN_DATE.match(event)) or events.names_no_event(event):
        return False
    if place.main in ("past", "perfect"):
        return place.cue not in _NEED_EVENT or events.names_event(event)
    if place.main == "none" and not _HAPPENS_NOW.match(place.before):
        return events.names_event(event) or (event[0].isupper() and not place.asks)
    return events.names_event(event) and any(letter.isupper() for letter in event)


def _as_of(place: Place) -> bool:
    """Tell whether `as of …` names an event: it goes with nothing else, but for a few set phrases."""
    is_phrase = place.event.lower() in ("late", "yet", "right", "course")
    return place.tense in ("past", "none") and place.event[0].isalpha() and not is_phrase


def _on_the_day(place: Place) -> bool:
    return place.tense == "past"


def _in_time(place: Place) -> bool:
    """Tell whether `in the Middle Ages`, `at the end of the war`, `on his death` name a period or a moment."""
    event = place.event
    if place.main == "present" and not any(letter.isupper() for letter in event):
        return False
    is_period = events.names_period(event) or _TIME_OF.match(event) is not None
    if is_period and place.cue in ("in", "within", "under"):
        return _TAKES_PART.search(place.before) is None
    part = _PART_OF.match(event)
    if part is not None:
        return place.main != "present" and (events.names_event(event[part.end() :]) or part["date"] is not None)
    return place.cue in ("at", "on", "upon") and place.main in ("past", "perfect") and _HAPPENS.match(event) is not None


def _both(place: Place) -> bool:
    """Tell whether `between … and …`, `from … to …` joins two events, and no two places or parties."""
    if _PARTIES.search(place.before) or _HOW_LONG.search(place.before):
        return False
    parts = _JOINT.split(place.event, maxsplit=1)
    if len(parts) == 1:  # "between the wars"
        return place.main in ("past", "perfect") and place.event.endswith("s") and events.names_event(place.event)
    tenses = [(tense_of(event), event) for event in parts]
    return all(tense == "past" or (tense == "none" and events.names_event(event)) for tense, event in tenses)


_DATE = r"day|date|night|morning|evening|week|month|year|decade|moment|time"
_PART = r"end|start|beginning|outbreak|close|middle"
# how the words before an event bound, and what the words after them must be; the first that matches counts
CUES: tuple[tuple[Relation, str, Callable[[Place], bool]], ...] = (
    ("between", r"between(?= )|from(?= (?:the|his|her) .+? (?:until|till|to) )", _both),
    ("until", r"by the time(?: (?:that|when))?(?! of\b)", _clause),
    ("during", r"(?:at|around|about) the (?:time|moment)(?: (?:that|when))?(?! of\b)", _clause),
    ("during", r"when|while|whilst|as long as", _clause),
    ("after", r"once|as soon as", _clause),
    ("as_of", r"as (?:of|at)", _as_of),
    ("before", r"before|prior to|ahead of|on the eve of|in the run-up to", _bound),
    ("after", r"after|subsequent to|following|in the (?:aftermath|wake) of", _bound),
    ("since", r"(?:ever )?since", _bound),
    ("until", r"up until|up to|until|till|['’]til|by the time of", _bound),
    ("during", r"(?:at|around|about) the time of|during|throughout|amid", _bound),
    ("until", rf"by(?= (?:the )?(?:{_PART}) of)", _in_time),
    ("during", rf"(?:on|in|at)(?= the (?:same |very )?(?:{_DATE}) (?!of\b)\w)", _on_the_day),
    ("during", r"in|within|under|at|on|upon", _in_time),
)
_NEED_EVENT = frozenset({"following", "up to", "ahead of", "amid"})
_JOINT = pattern(" (?:and|until|till|to) ")
_INVERTED = pattern(r"(?:did|do|does|was|were|is|are|has|have|had|will|would|can|could|should|exactly)\b")
# verbs that take the word with them: "look after", "named after", "day after day"
_PHRASAL = pattern(
    r"\b(?:look(?:s|ed|ing)?|named?|called|took|takes?|taken|modelled|modeled|patterned|ask(?:s|ed)?|inquire[sd]?|chase[sd]?"
    r"|sought|seek|run|ran|christened|titled|comes?|goes|go|day|week|time|one) (?:straight )?$"
)
# a question within the question: "tell me when", "since when"
_ASKS_WHEN = pattern(
    r"\b(?:knows?|knew|tell|says?|said|me|us|asks?|asked|remember|recall|out|sure|idea|wonder(?:ing)?|see|check|explain"
    r"|determine|establish|since|until|till|by|from|of|about|and|or|to|exactly|is|was|on|shows?) $"
)
_ONCE_ADVERB = pattern(r"\b(?:was|were|had|is|are|at|who|that|which|than|only|it|he|she|they|more) $")
_ASKS_WHY = pattern(r"\W*(?:why|how come)\b")
_HOW_LONG = pattern(r"\bhow (?:long|soon|many (?:days|weeks|months|years|decades))\b")
_TAKES_PART = pattern(r"\b(?:fight|fought|serve[sd]?|win|won|lose|lost|die[sd]?|killed|took part|participated) $")
_HAPPENS_NOW = pattern(r"\W*(?:who|what|which \w+) \w+s\b")  # "which step follows after …"
_PARTIES = pattern(
    r"\b(?:differences?|distances?|similarit(?:y|ies)|relations?|relationship|comparison|links?|connections?|war|match"
    r"|game|treaty|agreement|peace|border|talks|gap|interval|time|choice|distinguish|choose|compare|contrast) $"
)
_PART_OF = pattern(rf"(?:the )?(?:very )?(?:{_PART}|height|(?P<date>{_DATE}|eve)) of (?=\w)")
_TIME_OF = pattern(r"(?:the )?(?:days|times?|years|reign|era|age) of |\w+['’]s (?:days?|times?)$|(?!recent)\w+ times$")
_OWN_DATE = pattern(r"9/11\b|\d{4} \w")
_HAPPENS = pattern(
    r"(?:the )?(?:(?:his|her|its|their|\w+['’]s) )?(?:death|birth|accession|coronation|abdication|independence"
    r"|retirement|founding|surrender|signing|outbreak|armistice|launch)\b"
)
