"""How a passage is shown to a model that judges it: safe, on one line, cut to a number of words."""

from app.core.types import Passage
from app.core.untrusted import neutralise

WORDS = 300
"""Words of a passage that are shown; the value of RankGPT, FIRST and ICR."""
CONTENT_FREE = "N/A"
"""The query that asks nothing: what a passage gets for it is the model's prior, to be subtracted (ICR, section 3)."""


def shown(passage: Passage, *, words: int = WORDS) -> str:
    """Return title and text as one line of at most `words` words: no chat tokens, no bracketed keys, never empty."""
    text = f"{passage.title}. {passage.text}" if passage.title else passage.text
    return " ".join(neutralise(text).split()[:words]) or "(empty)"


def shown_query(text: str) -> str:
    """Return a query as one safe line."""
    return " ".join(neutralise(text).split()) or "(empty)"
