"""Decides from a question's form alone whether it asks for one fact or for several."""

import re

from agents.names import content_words, names_in

_ONE_FACT_WORDS = 6  # up to so many content words a question without a sign of several facts asks for one
_COMPARES = re.compile(
    r"\b(?:both|same|either|neither|or|than|older|younger|earlier|later|longer|shorter|taller|larger|bigger|smaller|"
    r"more|fewer|less|difference|common)\b",
    re.IGNORECASE,
)
_RELATES = re.compile(
    r"\b(?:who|whom|whose|which|that|where|when)\b(?!\s*\?)|\b\w+ed by\b|['’]s\b|\bof the\b|\bin which\b", re.IGNORECASE
)


# words inside a question that tie another fact to it: "the rocket that launched", "Mozart's country", "written by"
_TIES = re.compile(
    r"(?<=\w )(?:that|which|who|whom|whose|where)\b(?!\s*\?)|\b\w+ed by\b(?! (?:who|whom|what|which)\b)|\w['\u2019]s\b",
    re.IGNORECASE,
)


def is_nested(question: str) -> bool:
    """Tell whether a question describes what it asks about by another fact, which must be looked up before."""
    return _TIES.search(question) is not None and not _COMPARES.search(question)


def needs_plan(question: str) -> bool:
    """Tell whether a question may ask for several facts: it compares, or relates one thing to another.

    It errs towards yes, since a plan of one step costs one short call and a missing plan the answer.
    """
    if _COMPARES.search(question):
        return True
    relations = len(_RELATES.findall(question))
    return relations > 1 or len(names_in(question)) > 1 or len(content_words(question)) > _ONE_FACT_WORDS
