"""Reads from a question's form what kind of thing answers it, so that a small model does not say yes to 'who'."""

import re

YES_NO = "yes or no"
_ASKS_YES_NO = re.compile(
    r"^(?:and |but |so )?(?:are|is|was|were|do|does|did|have|has|had|can|could|will|would|should)\b(?!.*\bor\b)",
    re.IGNORECASE,
)
_HOW = re.compile(r"\bhow (many|much|long|old|far|tall|high|often|big|large|deep|heavy|fast)\b", re.IGNORECASE)
_NOUN = re.compile(
    r"\b(?:which|what) (?:of the (?:two |three |following )?|other |kind of |type of |sort of )?([a-z][a-z-]+)",
    re.IGNORECASE,
)
_NO_NOUN = frozenset(
    """is are was were do does did has have had can could will would should may might must the a an of in on to be been
    he she it they you we his her its their this that these those there happened happens caused came comes led made
    makes took takes gave gives else were part""".split()
)
_ASKED = (("who", "a name"), ("whom", "a name"), ("whose", "a name"), ("when", "a date"), ("where", "a place"))


def kind_asked(question: str) -> str:
    """Return what answers the question, in words: `a date`, `a city`, `a number`, `yes or no`; else `a few words`.

    The first word that asks decides: of 'in which city was the man who ...' it is `a city`.
    """
    text = " ".join(question.split())
    if _ASKS_YES_NO.match(text):
        return YES_NO
    places = {kind: match.start() for word, kind in _ASKED if (match := re.search(rf"\b{word}\b", text, re.IGNORECASE))}
    if how := _HOW.search(text):
        places["a number" if how[1].lower() == "many" else "an amount"] = how.start()
    noun = next((match for match in _NOUN.finditer(text) if match[1].lower() not in _NO_NOUN), None)
    if noun:
        places[_with_article(noun[1].lower())] = noun.start()
    return min(places, key=places.__getitem__, default="a few words")


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
