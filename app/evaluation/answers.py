"""How right a short answer is: exact match and token F1 after SQuAD's normalisation.

Normalised: lower case, accents kept, punctuation to spaces, articles out, spaces joined (Rajpurkar et al., EMNLP 2016,
whose script deletes punctuation; a space in its place also serves tokenised text, 'Tucson , Arizona').
"""

import re
from collections import Counter
from collections.abc import Sequence

_PUNCTUATION = re.compile(r"[^\w\s]|_")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def normalise(text: str) -> str:
    """Return the text as it is compared."""
    return " ".join(_ARTICLES.sub(" ", _PUNCTUATION.sub(" ", text.lower())).split())


def exact_match(answer: str, golds: Sequence[str]) -> float:
    """Return 1.0 if the answer equals one of the golds after normalisation, else 0.0; no gold, 0.0."""
    return float(normalise(answer) in {normalise(gold) for gold in golds})


def token_f1(answer: str, golds: Sequence[str]) -> float:
    """Return the best harmonic mean of token precision and recall over the golds, 0 to 1; no gold, 0.0."""
    return max((_f1(normalise(answer).split(), normalise(gold).split()) for gold in golds), default=0.0)


def _f1(answer: list[str], gold: list[str]) -> float:
    if not answer or not gold:
        return float(answer == gold)
    shared = sum((Counter(answer) & Counter(gold)).values())
    return 2 * shared / (len(answer) + len(gold))
