"""What a time is for in its sentence: a birth, a death, a deadline, the start or end of validity, a yardstick.

Words of the same sentence before the time decide, from the time before it on; a word or two behind it at most.
"""

import re

from app.core.timespan import Role
from retrieval.temporal.found import Found
from retrieval.temporal.words import pattern

_REACH = 90  # characters before a time that may tell its role
_SENTENCE_END = re.compile(r"[.?!](?=\s+[A-Z])|\n\s*\n|;")
_ABBREVIATION = re.compile(r"\b(?:b|d|c|ca|r|no|vs|[A-Z])$")

_COMPARED = pattern(
    r"(?:\bthan(?<!more\sthan)(?<!less\sthan)(?<!fewer\sthan)(?<!rather\sthan)(?<!other\sthan)"
    r"|(?:more|less|fewer) than(?= (?:in|on|at|during|for|the)\b)"
    r"|\b(?:compared (?:with|to)|versus|vs\.?|relative to|in contrast (?:to|with)|up from|down from|as in)"
    r"|\b(?:twice|half|double|thrice) (?:that|those|the \w+) (?:of|in)|\bunlike(?: in)?)\b(?:[^.;]|\.\d){0,40}$"
)
_AGAINST = pattern(r"\bagainst (?:(?:the|that|those|same|period|million|billion|of|in|for|\d[\d.,%]*) )*$")
_RECORD = pattern(r"\b(?:first|last|best|worst|most|(?<!at\s)least|fewest|\w{3,}est)\b[^.;]{0,40}$")
_BESIDE_FIGURE = pattern(r"\b(?:than|from|against|compared with|compared to)\b[^.;]{0,40}$")
_DUE = pattern(
    r"\b(?:(?<!was\s)(?<!were\s)due(?! to\b)|deadline|closing date"
    r"|(?:applications?|submissions?|entries) close)\b[^.;]{0,30}$"
)
_BY = pattern(r"(?:by|no later than|not later than|at the latest|on or before) ")
_LATEST = pattern(r"(?:no later than|not later than|at the latest) ")
_MUST = pattern(
    r"\b(?:must|shall|should|please|required|requires?|has to|have to|need(?:s|ed)? to|is to|are to|to [a-z]+|deadline"
    r"|due|action|obliged|ensure|requested)\b"
    r"|^\W*(?:return|send|submit|register|reply|respond|pay|file|complete|deliver|bring|book|sign|renew|contact|hand|post"
    r"|apply|confirm|order|finish|remit|vacate|get|give|let|collect|email|mail|upload|claim)\b"
)
_HAD = pattern(r"\b(?:had|was|were|has been|have been|did)\b")
_BORN = pattern(
    r"(?:\b(?:born|née|christened|baptised|baptized)|\bbirth (?:in|on|of)|(?-i:\bb\.))"
    r"(?!.*\b(?:died|moved|and)\b)[^;]{0,60}$"
)
_DIED = pattern(
    r"(?:\b(?:died|dies|drowned|perished|passed away|committed suicide)\b"
    r"|\b(?:was|were|is|been|be|being|got) (?:\w+ )?"
    r"(?:killed|murdered|assassinated|executed|hanged|beheaded|shot dead|slain)\b"
    r"|\b(?:(?:his|her|their|whose|the|\w+['’]s?) )?(?:death|assassination|murder|execution)\b(?! toll| penalty| rate)"
    r"|(?-i:\bd\.)|\bdeceased\b)[^;]{0,70}$"
)
_UNTIL = pattern(r"(?:up until|until|till|['’]til|through|thru|up to)\b")
_EXPIRED = pattern(
    r"\b(?:expires?|expired|expiry|expiration|lapses?|lapsed|repealed|revoked|rescinded|abolished|terminates?|terminated"
    r"|valid until|ceases? to (?:apply|have effect)|withdrawn)\b[^.;]{0,30}$"
)
_ENDS = pattern(r"\b(?:ends?|ended|runs? out)\b[^.;]{0,20}$")
_CONTRACT = pattern(
    r"\b(?:leases?|contracts?|agreement|permits?|secondment|licen[cs]es?|support|warranty|guarantee|policy|tenancy"
    r"|subscription|membership|insurance|ticket|patent|statute|visa|concession|voucher|duty-free)\b"
)
_IN_FORCE = pattern(
    r"\b(?:takes? effect|took effect|taking effect|effective|(?:enter|enters|entered|entry|entering|come|comes"
    r"|came|coming|put|brought) into (?:force|effect|operation)|valid|in force)\b[^.;]{0,30}$"
)
_BEGINS = pattern(r"\b(?:begins?|commences?|starts?|runs?|appl(?:y|ies))\b[^.;]{0,20}$")
_SINCE = pattern(r"(?:ever )?since\b|as from\b|with effect from\b|from\b")
_AS_OF = pattern(r"\bas (?:of|at) $")  # what a text knows on a day holds until it says otherwise


def role_of(text: str, time: Found, *, floor: int) -> Role:
    """Return the role of a time; `floor` is where the time before it ends, from which on words may be its own."""
    start = max(floor, time.start - _REACH)
    left = text[_sentence_start(text, start, time.start) : time.start]
    sentence = text[_sentence_start(text, max(0, time.start - 3 * _REACH), time.start) : time.start]
    words = text[time.start : time.end]
    if _is_yardstick(left, words):
        return "comparison"
    if _is_deadline(sentence, left, words):
        return "deadline"
    if time.form not in ("range", "open"):
        if _BORN.search(left):
            return "birth"
        if _DIED.search(left):
            return "death"
    return _validity(sentence, left, words, time)


def _is_yardstick(left: str, words: str) -> bool:
    if words.lower().startswith("since"):
        return _RECORD.search(left) is not None
    if words.lower().endswith(("earlier", "before")):
        return _BESIDE_FIGURE.search(left) is not None
    return (_COMPARED.search(left) or _AGAINST.search(left)) is not None


def _is_deadline(sentence: str, left: str, words: str) -> bool:
    if _LATEST.match(words):
        return True
    if _BY.match(words):
        return _MUST.search(sentence) is not None and _HAD.search(left) is None
    return _DUE.search(left) is not None and _UNTIL.match(words) is None and _HAD.search(left) is None


def _validity(sentence: str, left: str, words: str, time: Found) -> Role:
    if time.form == "range":
        is_term = _IN_FORCE.search(left) or (_CONTRACT.search(sentence) and not _EXPIRED.search(left))
        return "valid_from" if is_term else "event"
    if _UNTIL.match(words) or _EXPIRED.search(left) or (_ENDS.search(left) and _CONTRACT.search(sentence)):
        return "valid_until"
    is_open = time.span is not None and time.span.end is None
    if is_open and (_SINCE.match(words) or not words[:1].isalpha()):
        return "valid_from"
    if _AS_OF.search(left) or _IN_FORCE.search(left) or (_BEGINS.search(left) and _CONTRACT.search(sentence)):
        return "valid_from"
    return "event"


def _sentence_start(text: str, start: int, end: int) -> int:
    """Return where the sentence that goes on at `end` begins, at `start` at the earliest."""
    position = start
    for stop in _SENTENCE_END.finditer(text, start, min(len(text), end + 1)):
        if not _ABBREVIATION.search(text, max(0, stop.start() - 3), stop.start()):
            position = min(stop.end(), end)
    return position
