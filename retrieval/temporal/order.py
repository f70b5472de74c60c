"""Words of order in a question: `the first`, `latest`, `the 3rd`; not those of names, of texts, of ranks."""

import re
from dataclasses import dataclass

from app.core.timespan import Relation
from retrieval.temporal.found import starts_sentence, word_after, word_before
from retrieval.temporal.numerals import CARDINAL, ORDINAL, ordinal_value
from retrieval.temporal.tense import tense_of
from retrieval.temporal.words import FUNCTION_WORDS, pattern

_ORDER = pattern(
    rf"(?<![\w-])(?P<article>the (?:very )?)?(?P<word>most recent(?:ly)?|latest|newest|earliest|last|{ORDINAL})"
    r"(?:-(?:ever|known))?(?![\w-])(?!['’]s)"
)
_LAST = frozenset({"last", "latest", "newest"})
_FIRST = frozenset({"first", "earliest", "1st"})
# parts of texts and of space, ranks, fixed phrases: in all of them the order is not one of time
_ORDERED_OTHERWISE = frozenset(
    """name names surname aid class lady degree gear hand language opinion party base amendment estate grade art rule
    cousin principle principles derivative half violin sight glance place prize string officer mate finger toe nature
    floor storey chapter verse stanza line paragraph section clause article page row column digit letter word
    words sentence edition argument parameter element item character bullet step harmonic dimension quarter
    act scene planet lane seat exit street avenue door
    world wall sense heaven wheel note responder responders lieutenant sergeant""".split()
)
_TITLES = frozenset({"minister", "secretary"})  # "first minister of Scotland", but "the first minister of labour"
_LAST_OTHERWISE = frozenset("resort minute straw rites orders call will testament supper season ones".split())
_NOBLES = frozenset("baron baronet count countess duke duchess earl lord marquess marquis viscount viscountess".split())
_NAMES_AFTER_FIGURES = frozenset(
    """avenue street floor fleet army division regiment airborne cavalry infantry battalion brigade corps squadron
    amendment symphony circuit district wing""".split()
)
_NOT_AFTER = frozenset("a an in one two three four five per every each another at twenty thirty".split())
_RANKED = frozenset("came come comes coming finish finished finishes placed place ranked rank ranks".split())
# what may stand between an ordinal and its noun: "the first and the second edition", "the first ten digits"
_BESIDE = pattern(rf" (?:(?:and|or|to) (?:the )?{ORDINAL}|(?!an?\b){CARDINAL})(?=\s)")
_AT_THE = pattern(r"\bat the $")
_NAMED_THE = re.compile(r"(?<=\w\s)[A-Z]\w+\s+the\s+$|\bon\s+the\s+$")  # Friday the 13th, on the 3rd
_SUPERLATIVE = pattern(r"(?:most|least|best|worst|\w{2,}est)$")
_NO_SUPERLATIVES = frozenset(
    """forest request test guest interest conquest priest harvest protest contest quest nest arrest west northwest
    rest""".split()
)
_OF_ALL = pattern(r" of all\b")
_ELSEWHERE = pattern(
    r"\b(?:from|on|at) the (?:left|right|top|bottom|sun|front|back|label|list|menu|map|shelf)\b"
    r"|\bin the (?:alphabet|list|queue)\b"
    r"|\blaws? of (?:thermodynamics|motion|robotics|nature)\b"
)
_ASKED_FOR = pattern(r"\b(?:who|what|which) (?:is|was|were|became|will be) $")
# with these words somewhere before it, or right before it, `last` is the verb
_LASTS = pattern(
    r"\bhow (?:long|many|much|can|do|does|to)\b|^\W*(?:do|does|did|can|could|will|would|while|as long as)\b|\bmakes? "
    r"|\b(?:to|will|would|can|could|may|might|not|n['’]t) $"
)
_CLAUSE_END = pattern(r"\s*(?:[?.!,;]|$|(?:longer|more|less)\b)")
_HOW_LONG_FROM = pattern(r"\bhow (?:long|many (?:days|weeks|months|years))\b.* (?:since|until|before|after) (?:the )?$")
_PERSON_OF_VERBS = pattern(r" person(?: (?:singular|plural|narrat\w+|pronouns?|view\w*|perspective|shooters?)|\W*$)")
_POINTS = frozenset("time age date day point hour".split())  # the earliest age at which one may drive


@dataclass(frozen=True, slots=True)
class Order:
    """A word of order; `start` to `end` are its characters with the article before it, half-open."""

    relation: Relation
    ordinal: int | None
    start: int
    end: int


def order_in(text: str, taken: list[tuple[int, int]]) -> Order | None:
    """Return the first word of order that counts events, outside of the places already taken; None without one."""
    for match in _ORDER.finditer(text):
        start, end = match.start("word"), match.end("word")
        if not any(start < right and left < end for left, right in taken) and _counts(text, match):
            return _order(match)
    return None


def _order(match: re.Match[str]) -> Order:
    word = re.sub(r"\s+", " ", match["word"].lower())
    start = match.start("article") if match["article"] else match.start("word")
    if word in _LAST or word.startswith("most recent"):
        return Order("last", None, start, match.end())
    if word in _FIRST or ordinal_value(word) == 1:
        return Order("first", None, start, match.end())
    return Order("nth", ordinal_value(word), start, match.end())


def _counts(text: str, match: re.Match[str]) -> bool:
    word, start, end = match["word"].lower(), match.start("word"), match.end("word")
    beside = _BESIDE.match(text, end)
    before, after = word_before(text, start).lower(), word_after(text, beside.end() if beside else end)
    is_name = text[start].isupper() and (after[:1].isupper() or not starts_sentence(text, match.start()))
    if is_name or (before in _NOT_AFTER and after != "time") or after.lower() in _ORDERED_OTHERWISE:
        return False  # the First Amendment
    if any(form.match(text, end) for form in (_OF_ALL, _PERSON_OF_VERBS)) or _ELSEWHERE.search(text, end):
        return False
    if _HOW_LONG_FROM.search(text, 0, start):
        return False
    if word in ("latest", "newest", "earliest"):
        is_point = after in _POINTS and tense_of(text) == "present"
        return not is_point and _AT_THE.search(text, 0, start) is None
    if word == "last":
        ends = _CLAUSE_END.match(text, end) or after in FUNCTION_WORDS
        lasts = match["article"] is None and ends and _LASTS.search(text, 0, start)
        return not lasts and after.lower() not in _LAST_OTHERWISE and before not in _RANKED
    return _is_of_time(text, match, before, after)


def _is_of_time(text: str, match: re.Match[str], before: str, after: str) -> bool:
    """Tell whether an ordinal counts in time: not `second-largest`, `came third`, `5th Avenue`, `the 3rd`."""
    is_first = match["word"].lower() == "first"
    is_bare = is_first and match["article"] is None
    if _is_step(text, after) if is_bare else before in _RANKED and not is_first:
        return False
    if after == "" or after.lower() in FUNCTION_WORDS:
        owned = match["article"] is not None or is_first  # not "second in command"
        return owned and _NAMED_THE.search(text, 0, match.start("word")) is None
    if is_bare and after.lower() in _TITLES:
        return False
    if _SUPERLATIVE.match(after) and after.lower() not in _NO_SUPERLATIVES:
        return False
    if not match["word"][0].isdigit() or not after[:1].isupper():
        return True
    is_asked_for = _ASKED_FOR.search(text, 0, match.start()) is not None
    return is_asked_for and after.lower() not in _NAMES_AFTER_FIGURES | _NOBLES


def _is_step(text: str, after: str) -> bool:
    """Tell whether a bare `first` is the first step of what one does: `which key do I press first`."""
    is_adverb = after == "" or after in FUNCTION_WORDS or tense_of(after) == "past"
    return is_adverb and tense_of(text) == "present"
