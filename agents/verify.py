"""Free checks of a draft: what code can see without asking a model."""

import re
from collections.abc import Mapping, Sequence

from agents.names import NUMBER_WORDS, numbered_names_in, speaks_of
from agents.state import Check, Draft, Verification
from app.core.types import EvidenceNote, Passage, PassageId, Verdict

_FIGURE = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD = re.compile(r"\w+")
_MARKER = re.compile(r"\[\d+\]")
_YES_NO = frozenset({"yes", "no"})
_SMALL_WORDS = frozenset("a an and as at by for from in is it of on or the to was were with".split())
_MONTHS = "january february march april may june july august september october november december".split()


def verify(
    draft: Draft, notes: Sequence[EvidenceNote], passages: Mapping[PassageId, Passage], *, question: str
) -> Verification:
    """Return what the free checks say of the draft and the notes that it cites.

    `unsupported`: a quote is not in its passage, no note speaks of a numbered name of the question ('Apollo 16'), a
    figure of the answer is in no cited quote, or a word of the short answer is in none; `partly`: only a figure of
    the explaining sentence is unseen.
    """
    cited = [notes[number - 1] for number in draft.cited]
    seen = " ".join(f"{n.quote} {passages[n.passage_id].title}" for n in cited)
    told = " ".join(f"{n.quote} {passages[n.passage_id].title}" for n in notes)
    checks = (
        _quotes_exist(cited, passages),
        _numbered_names_occur(question, told),
        _figures_occur("figures of the answer", draft.short, seen + " " + question),
        _words_occur(draft.short, seen + " " + question),
        _figures_occur("figures of the sentence", _MARKER.sub("", draft.text), seen + " " + question),
    )
    verdict: Verdict = "supported"
    if not all(check.passed for check in checks[:-1]):
        verdict = "unsupported"
    elif not checks[-1].passed:
        verdict = "partly"
    return Verification(verdict=verdict, checks=checks)


def figures(text: str) -> set[str]:
    """Return the numbers of a text as digits: `1,233` as 1233, `eight` as 8, `May` as 5, `05` as 5."""
    found = {match.replace(",", "").lstrip("0") or "0" for match in _FIGURE.findall(text)}
    words = set(_WORD.findall(text.lower()))
    found |= {str(value) for value, word in enumerate(NUMBER_WORDS) if word in words}
    return found | {str(value) for value, month in enumerate(_MONTHS, start=1) if month in words}


def _quotes_exist(notes: Sequence[EvidenceNote], passages: Mapping[PassageId, Passage]) -> Check:
    wrong = [n.note_id for n in notes if passages[n.passage_id].text[n.start : n.end] != n.quote]
    return Check(name="quotes", passed=not wrong, finding=f"not in its passage: {', '.join(wrong)}" if wrong else "")


def _numbered_names_occur(question: str, told: str) -> Check:
    """A near miss differs by a number: 'Apollo 16' is not answered by notes on Apollo 13."""
    unseen = [name for name in numbered_names_in(question) if not speaks_of(name, told)]
    finding = f"no note on {', '.join(unseen)}" if unseen else ""
    return Check(name="names of the question", passed=not unseen, finding=finding)


def _figures_occur(name: str, text: str, seen: str) -> Check:
    written = {match.replace(",", "").lstrip("0") or "0" for match in _FIGURE.findall(text)}
    unseen = sorted(part for figure in written for part in re.split(r"[:.]", figure) if part not in _parts(seen))
    return Check(name=name, passed=not unseen, finding=f"in no quote: {', '.join(unseen)}" if unseen else "")


def _words_occur(short: str, seen: str) -> Check:
    known = {_stem(word) for word in _WORD.findall(seen.lower())}
    words = [w for w in _WORD.findall(short.lower()) if w not in _SMALL_WORDS | _YES_NO and not w.isdigit()]
    unseen = [w for w in words if _stem(w) not in known and not (figures(w) & _parts(seen))]
    return Check(
        name="words of the answer", passed=not unseen, finding=f"in no quote: {', '.join(unseen)}" if unseen else ""
    )


def _parts(text: str) -> set[str]:
    return {part.lstrip("0") or "0" for figure in figures(text) for part in re.split(r"[:.]", figure)} | figures(text)


def _stem(word: str) -> str:
    return word[:6]
