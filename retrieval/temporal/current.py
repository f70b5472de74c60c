"""Words that ask for what holds on the day of asking: `current`, `still`, `no longer`, `today`."""

import re
from dataclasses import dataclass

from retrieval.temporal.found import starts_sentence, word_after, word_before
from retrieval.temporal.tense import tense_of
from retrieval.temporal.words import FUNCTION_WORDS, pattern

_CURRENT = pattern(
    r"(?<![\w-])(?:(?P<adjective>(?:the )?(?:current|present-day|modern-day|incumbent|present))(?=\s+\w)"
    r"|(?P<adverb>currently|presently|at present|at the (?:moment|present time)|right now|just now|nowadays"
    r"|(?:in )?these days|to this day|as (?:things|matters) stand|anymore|no longer(?! than)"
    r"|any\s?(?:more|longer)(?=\s*(?:$|[?.!,]))|(?P<often>now|today(?:['’]s)?|still)))(?![\w-])"
)
# with other words beside it, the word is a thing: alternating current, current account, still life
_THINGS_BEFORE = frozenset(
    """electric electrical ocean alternating direct sea tidal air water rip gulf eddy strong weak what which does do
    much""".split()
)
_THINGS_AFTER = frozenset(
    """account accounts affairs asset assets liabilities ratio flow flows density limiter limiting transformer source
    draw life image images photo photos frame water wine camera video waters perfect tense continuous participle
    value simple that""".split()
)
_NOUN_BEFORE = frozenset("a an the stand sit keep be hold apocalypse usa".split())
_ASKS_THE_DATE = pattern(r"\bwhat(?:['’]s| is)? (?:the )?(?:day|date|time|year)\b")


@dataclass(frozen=True, slots=True)
class Current:
    """A word for today; `start` to `end` are its characters with an article directly before it, half-open."""

    start: int
    end: int
    is_adverb: bool


def current_in(text: str, taken: list[tuple[int, int]]) -> Current | None:
    """Return the first word for today outside of the places already taken, None without one."""
    for match in _CURRENT.finditer(text):
        start, end = match.span()
        if not any(start < right and left < end for left, right in taken) and _asks_for_today(text, match):
            return Current(start, end, match["adverb"] is not None)
    return None


def _asks_for_today(text: str, match: re.Match[str]) -> bool:
    last_word = match[0].split()[-1]
    before, after = word_before(text, match.start()).lower(), word_after(text, match.end()).lower()
    if after in _THINGS_AFTER or (last_word[0].isupper() and not starts_sentence(text, match.start())):
        return False
    if _ASKS_THE_DATE.search(text):
        return False
    if match["adjective"]:
        bare_present = match[0].lower() == "present"  # "the present owner", but "present value", "Present day"
        no_noun = after in FUNCTION_WORDS or tense_of(after) == "past"  # how is current measured?
        return not (no_noun or before in _THINGS_BEFORE or bare_present)
    if match["often"] is None:
        return True
    return before not in _NOUN_BEFORE and (last_word.lower() != "still" or tense_of(text) != "past")
