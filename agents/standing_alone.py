"""Sees by rules whether a question can be understood without the conversation that it was asked in.

In doubt it can: a question that stands alone is to be left as it was typed. What leans on earlier turns is a pronoun or
'the second one' that nothing in the question explains, a fragment ('and by whom?'), or a thing spoken of before without
a name ('the rocket').
"""

import re
from collections.abc import Collection

from agents.names import content_words, names_in, stem, words_of

_TIES = "and|but|or|also|then|so|yes|yeah|no|ok|okay|well|thanks|what about|how about|what of|same for"
_OPENING = re.compile(rf"\W*(?:(?:{_TIES})\b[\s,:]*)+", re.IGNORECASE)
_INSTEAD = re.compile(r"\W*(?:(?:and|but|so|ok)\s+)?(?:what about|how about|what of|same for)\b", re.IGNORECASE)
_TIE = re.compile(r"\W*(?:yes\W+|no\W+|ok\W+)?(?:and|but|or|also|then)\b", re.IGNORECASE)
_YES = r"(?:yes|yeah|yep|sure|ok|okay|please|go on|go ahead|do so|do it|do that|of course|again|try again|try)"
_AGREEMENT = re.compile(rf"\W*{_YES}(?:[\s,]+{_YES})*\W*", re.IGNORECASE)
_REFUSAL = re.compile(r"\W*(?:no|nope|thanks|thank you|stop|nothing)(?:[\s,]+(?:thanks|thank you))*\W*", re.IGNORECASE)
_BOUNDARY = re.compile(
    r"[,;:]|\b(?:and|but|or|when|while|after|before|because|that|which|who|where|if|since|until|as|how)\b"
)
_EMPTY_IT = re.compile(r"it (?:takes?|took) .*\bto\b|it (?:true|possible|known|correct) (?:that|to)\b")

ASKING = frozenset("who whom whose what which when where why how".split())
"""Words that ask for something, in lower case."""
AUXILIARY = frozenset(
    "is are was were be been did do does has have had can could will would shall should may might must".split()
)
"""Words that a question for yes or no begins with, in lower case."""
_ORDERS = frozenset("name list tell give show find explain describe compare".split())
_PREPOSITIONS = frozenset(
    "in on at by for from to with of about before after during since until under over between near".split()
)
_POSSESSIVE = frozenset("his her its their".split())
_PRONOUNS = _POSSESSIVE | frozenset("he she it they him them hers theirs former latter others".split())
_POINTING = frozenset("that this these those".split())
_AT_THE_END = _POINTING | frozenset("one ones then else too instead afterwards later earlier there".split())
_SPOKEN = frozenset("tell me us more please give show list explain know you i know".split())
_NOW = frozenset("year month week day century decade morning evening".split())
_FRAGMENT = 5  # words; a longer question without a verb is a list of words to look up
OPENERS = ASKING | AUXILIARY | _ORDERS | _PREPOSITIONS
"""Words that a question begins with, capitalised or not."""


def is_agreement(text: str) -> bool:
    """Tell whether a text says yes and nothing else."""
    return _AGREEMENT.fullmatch(text) is not None


def without_opening(text: str) -> str:
    """Return a question without the words that tie it to the one before: `and`, `what about`, `yes,`."""
    opening = _OPENING.match(text)
    return text[opening.end() :] if opening else text


def stands_alone(text: str, *, spoken_of: Collection[str] = ()) -> bool:
    """Tell whether a question means something by itself; `spoken_of` are the stems of what was spoken of before."""
    if _REFUSAL.fullmatch(text):
        return True
    rest = without_opening(text)
    if is_agreement(text) or _INSTEAD.match(text) or not set(map(str.lower, content_words(rest))) - _SPOKEN:
        return False
    if not _has_name(rest) and (_TIE.match(text) or _is_about(rest, spoken_of)):
        return False
    return not (_is_fragment(rest, has_opening=len(rest) < len(text)) or _points_back(rest))


def _is_fragment(text: str, *, has_opening: bool) -> bool:
    words = words_of(text)
    asks = bool(ASKING & set(words))
    begins = words[0] in ASKING | AUXILIARY | _ORDERS or (words[0] in _PREPOSITIONS and asks)
    if not begins:
        is_short = len(words) <= _FRAGMENT and (text.rstrip().endswith("?") or words[0] in _PREPOSITIONS)
        return not AUXILIARY & set(words) and (has_opening or is_short)
    return not _has_name(text) and not AUXILIARY & set(words) and len(content_words(text)) <= 1


def _points_back(text: str) -> bool:
    words = [(match[0].lower(), match.start()) for match in re.finditer(r"[^\W_]+(?:['’-]\w+)*", text)]
    for at, (word, start) in enumerate(words):
        before = words[at - 1][0] if at else ""
        after = words[at + 1][0] if at + 1 < len(words) else ""
        if word in _PRONOUNS and not _is_explained(text, word, start):
            return True
        if word in _POINTING and _points(before, after):
            return True
        if not after and word in _AT_THE_END and not (word == "there" and before in AUXILIARY):
            return True
        if word in ("one", "ones") and before in ("which", "that", "this", "other") and after != "of":
            return True
    return False


def _is_explained(text: str, pronoun: str, start: int) -> bool:
    """Tell whether the question itself says what a pronoun stands for, in an earlier part of it."""
    if pronoun == "it" and _EMPTY_IT.match(text[start:].lower()):
        return True
    head = text[:start]
    if names := names_in(head):
        between = head[head.find(names[0]) + len(names[0]) :]
        return pronoun in _POSSESSIVE or _BOUNDARY.search(between) is not None
    clause = re.split(r",|\band\b", head)
    return len(clause) > 1 and len(content_words(clause[0])) > 1


def _points(before: str, after: str) -> bool:
    """Tell whether 'that' points at something: 'at that time', not 'the rocket that flew', not 'this year'."""
    if after in _NOW and before not in ("in", "of"):
        return False
    return (not before or before in _PREPOSITIONS | AUXILIARY) and after not in ("who", "which", "that")


def _has_name(text: str) -> bool:
    return bool(names_in(text)) or re.search(r"\d", text) is not None


def _is_about(text: str, spoken_of: Collection[str]) -> bool:
    things = re.findall(r"\bthe (\w+)", text, re.IGNORECASE)
    return any(stem(thing) in spoken_of for thing in things if content_words(thing))
