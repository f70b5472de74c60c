"""How right a short answer is: exact match and token F1, by value where the answer is a date or a number.

Texts are compared as in SQuAD (Rajpurkar et al., EMNLP 2016): lower case, without punctuation and articles. Its script
deletes punctuation; here a space takes its place, so that tokenised text is the same text ('Tucson , Arizona', '1 -
year'), except in abbreviations ('U.S.' is 'us'), thousands ('1,233' is '1233') and decimals ('6.8' stays).

An answer to a question of yes or no is right or wrong by its first word, as in HotpotQA's script, and has no partial
score. Where there is no gold answer the metric is None: the question is excluded, never scored 0.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from app.evaluation.records import Gold
from app.evaluation.values import same_value

_ABBREVIATION = re.compile(r"(?<!\w)([^\W\d_](?:\.[^\W\d_])+)(?!\w)\.?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_PUNCTUATION = re.compile(r"(?<!\d)\.|\.(?!\d)|[^\w\s.]|_")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_YES_NO = ("yes", "no")


def normalise(text: str) -> str:
    """Return the text as it is compared; one that is all articles or punctuation ('The The', '+') keeps them."""
    lower = _spaced(unicodedata.normalize("NFKC", text).lower())
    joined = _ABBREVIATION.sub(lambda found: found[1].replace(".", "") + " ", lower)
    words = _spaced(_PUNCTUATION.sub(" ", _THOUSANDS.sub("", joined)))
    return _spaced(_ARTICLES.sub(" ", words)) or words or lower


def exact_match(answer: str, golds: Sequence[str]) -> float | None:
    """Return 1.0 if the answer is one of the golds, else 0.0; None without golds.

    Two dates or numbers are the same by value, at the same granularity (`app.evaluation.values`), all else as
    normalised text.
    """
    return max((float(_is(answer, gold)) for gold in golds), default=None)


def token_f1(answer: str, golds: Sequence[str]) -> float | None:
    """Return the best harmonic mean of token precision and recall over the golds, 0 to 1; None without golds.

    Tokens are those of the normalised texts, counted as often as both have them. An exact match has 1.0.
    """
    return max((_f1(answer, gold) for gold in golds), default=None)


def wrong_time(answer: str, gold: Gold) -> float | None:
    """Return 1.0 if the answer is wrong but exactly right at another time, else 0.0.

    None if the question has no time, or nothing is known of other times.
    """
    if not gold.has_time or not gold.answers_at_other_times:
        return None
    return float(not exact_match(answer, gold.answers) and exact_match(answer, gold.answers_at_other_times) == 1.0)


def temporal_accuracy(answer: str, gold: Gold) -> float | None:
    """Return the exact match on a question with a time; None on another one or without gold answers."""
    return exact_match(answer, gold.answers) if gold.has_time else None


def _is(answer: str, gold: str) -> bool:
    given, right = normalise(answer), normalise(gold)
    if right in _YES_NO:
        return given.split(" ")[0] == right
    same = same_value(answer, gold)
    return bool(given) and (given == right if same is None else same)


def _f1(answer: str, gold: str) -> float:
    if _is(answer, gold):
        return 1.0
    given, right = normalise(answer).split(), normalise(gold).split()
    if not given or not right or right in ([word] for word in _YES_NO):
        return 0.0
    shared = sum((Counter(given) & Counter(right)).values())
    return 2 * shared / (len(given) + len(right))


def _spaced(text: str) -> str:
    return " ".join(text.split())
