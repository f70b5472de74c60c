"""Text to lexical tokens: lower case, accents folded, English stop words out, Snowball stems."""

import re
import unicodedata
from collections.abc import Sequence

import Stemmer

_WORD = re.compile(r"\w+")
# the 33 English stop words of Lucene's StandardAnalyzer
STOP_WORDS = frozenset(
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they "
    "this to was will with".split()
)


class Tokenizer:
    """Turns texts into stems; one-character tokens stay, since 'Apollo 8' is not 'Apollo 9'."""

    recipe = "lower-fold-lucene33-snowball-english-1"

    def __init__(self) -> None:
        self._stemmer = Stemmer.Stemmer("english")

    def tokenize(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the stems of each text, in order."""
        return [self._stemmer.stemWords(words) for words in map(_words, texts)]


def _words(text: str) -> list[str]:
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return [word for word in _WORD.findall(text.lower()) if word not in STOP_WORDS]
