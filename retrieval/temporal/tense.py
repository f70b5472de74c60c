"""Whether a clause speaks of the past: by its first finite verb, from word lists and the ending -ed. No parser."""

import re
from typing import Literal

from retrieval.temporal.words import pattern

Tense = Literal["past", "perfect", "present", "none"]

_PAST = frozenset(
    """was were did had wasn't weren't didn't hadn't wasn’t weren’t didn’t hadn’t arose ate awoke became befell
    began beheld bent bled bore bought bound bred broke brought built came caught chose clung crept dealt drank
    drew drove dug dwelt fed fell felt fled flew flung forbade foresaw foretold forgot fought found froze gave
    got grew heard held hid hung kept knew laid leapt learnt led left lent lit lost made meant met misled
    mistook outdid outran overcame overran overthrew overtook paid partook ran rang rebuilt redid resold rode
    rose said sang sank sat saw sent shone shook shot shrank slept slew slid slung sold sought spat sped spent
    spoke sprang stank stole stood strode strove struck strung stuck stung swam swept swore swung taught thought
    threw told took tore trod understood undertook underwent undid upheld wed went wept withdrew withheld woke
    won wore wound wove wrote wrung""".split()
)
_SAME_IN_PAST = frozenset("beat bet burst cast cost cut hit hurt let put quit read set shed shut split spread".split())
_PRESENT = frozenset(
    """is are am isn't aren't isn’t aren’t 'm ’m do does don't doesn't don’t doesn’t can can't can’t cannot may must
    shall should will won't won’t goes happens comes becomes says means takes makes looks gets i'm i’m it's
    it’s""".split()
)
_POLITE = frozenset({"could", "would", "might"})  # before `you` and `I`; else of the past
_PERFECT = frozenset("has have hasn't haven't hasn’t haven’t who's who’s i've i’ve we've we’ve they've they’ve".split())
_NO_PAST = frozenset(
    """need speed seed feed weed deed breed bleed bed red shed sled hundred sacred naked wicked united indeed
    exceed proceed succeed embed so-called""".split()
)
_PARTICIPLE = pattern(r"\b(?:been|done|gone|seen|known|become|come|run|begun|won|led|grown|\w+ed|\w+en|\w+own)\b")
_WORD = re.compile(r"[\w'’-]+")
_CLAUSE = pattern(r"[,:;]|\b(?:who|what|which|where|when|why|how|whom|whose|that|if|whether)\b")
_SUBJECT = frozenset("i you he she it we they".split())
_ED = 4  # the shortest word with the ending: 'died', 'used'


def tense_of(text: str) -> Tense:
    """Return the tense of a text's clauses: past if one is, else perfect, else present; none where no verb is known."""
    tenses = [_of_clause(clause) for clause in _CLAUSE.split(text)]
    order: tuple[Tense, ...] = ("past", "perfect", "present")
    return next((tense for tense in order if tense in tenses), "none")


def may_be_past(text: str) -> bool:
    """Tell whether a text has a verb that sounds the same in the past: hit, quit, burst."""
    return not _SAME_IN_PAST.isdisjoint(text.lower().split()[1:])


def _of_clause(clause: str) -> Tense:
    words = [word.lower() for word in _WORD.findall(clause)]
    for position, word in enumerate(words):
        if word in _PRESENT or (word in _POLITE and words[position + 1 : position + 2] in (["you"], ["i"], ["we"])):
            return "present"
        if word in _PERFECT:
            return "perfect" if _PARTICIPLE.search(clause) or _has_past(words[position + 1 :]) else "present"
        if word in _PAST or word in _POLITE or _ends_past(word):
            return "past"
    return "present" if words and words[0] in _SUBJECT else "none"


def _has_past(words: list[str]) -> bool:
    return any(word in _PAST or word in _SAME_IN_PAST for word in words)


def _ends_past(word: str) -> bool:
    return word.endswith("ed") and len(word) >= _ED and "-" not in word and word not in _NO_PAST
