"""Where sentences begin and end, for English prose and plain enough for the rest: a pure function of the text.

Every newline ends a sentence (headings, list items, chat lines), so readers join the lines of a wrapped paragraph
before they hand text over.
"""

import re

from app.core.types import Offsets

_END = re.compile(
    r"""(?<![.!?\u2026])[.!?\u2026]++                     # the stop itself, looked at once: rows of dots may be long
        (?:["'\u2019\u201d\u00bb)\]] | \s(?:''|[)\]\u201d\u00bb]))*   # what it closes, tokenised or not
        (?=\s+\S)
      | [\u3002\uff01\uff1f][\u300d\u300f\u201d)]*      # CJK stops need no space
    """,
    re.VERBOSE,
)
_WORD_BEFORE = re.compile(r"[^\s(\[\"'\u201c\u2018/]*$")
_INITIALS = re.compile(r"(?:[A-Z]\.)*[A-Z]")
_NEXT = re.compile(r"[\s\"'\u201c\u2018\u00ab(\[`\u00bf\u00a1]*(\w*)")

_TITLES = frozenset(
    """adm brig capt cf cmdr col dr e.g eg esp ft gen gov hon i.e ie incl lt maj messrs mr mrs ms mt mx pres prof rep
    rev sen sgt st supt viz vs""".split()
)
_BEFORE_NUMBERS = frozenset(
    """apr art aug c ca ch chap circa dec eq feb fig figs jan jul jun mar no nos nov oct p par pp sec sep sept
    vol""".split()
)
_MAY_END = frozenset("a.d a.m ave b.c bros co corp dept est et al etc inc jr ltd p.m ph.d sr univ".split())
_STARTERS = frozenset(
    """a after all although an and another as at because before both but by during each for from he her his how however
    i if in instead it its later many most on one our she since so some that the their then there these they this those
    though to today two until we what when where which while who why with you""".split()
)


def sentence_spans(text: str) -> list[Offsets]:
    """Return the sentences as half-open character spans: in order, disjoint, trimmed, covering all but white space."""
    spans: list[Offsets] = []
    for line in re.finditer(r"[^\n]+", text):
        start = line.start()
        for end in _ends(text, line.start(), line.end()):
            _append_trimmed(spans, text, start, end)
            start = end
    return spans


def _ends(text: str, start: int, end: int) -> list[int]:
    found = [stop.end() for stop in _END.finditer(text, start, end) if _ends_sentence(text, start, stop, end)]
    return [*found, end]


def _ends_sentence(text: str, line: int, stop: re.Match[str], end: int) -> bool:
    follows = _NEXT.match(text, stop.end(), end)
    following = follows[1] if follows else ""
    if stop[0][0] in "\u3002\uff01\uff1f":
        return True
    if following[:1].islower():
        return False
    if stop[0] != ".":
        return True
    before = _WORD_BEFORE.search(text, max(line, stop.start() - 24), stop.start())
    word = before[0] if before else ""
    if word.isdigit() and not text[line : stop.start() - len(word)].strip():
        return False  # "1." opens a list item
    return _word_ends_sentence(word, following)


def _word_ends_sentence(word: str, following: str) -> bool:
    """Tell whether `word.` before a capitalised word or a number closes a sentence."""
    lower = word.casefold()
    if lower in _TITLES:
        return False
    if lower in _BEFORE_NUMBERS:
        return not following[:1].isdigit() and (lower == "no" or following.casefold() in _STARTERS)
    if lower in _MAY_END or _INITIALS.fullmatch(word):
        return following.casefold() in _STARTERS
    return True


def _append_trimmed(spans: list[Offsets], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    bare = piece.strip()
    if bare:
        first = start + len(piece) - len(piece.lstrip())
        spans.append((first, first + len(bare)))
