"""Free checks of a draft: what code can see without asking a model."""

import re
from collections.abc import Mapping, Sequence

from agents.names import NUMBER_WORDS, content_words, names_in, numbered_names_in, speaks_of, stem, words_of
from agents.state import Check, Claim, Draft, Verification
from app.core.months import MONTH_NAMES
from app.core.types import EvidenceNote, Passage, PassageId, Verdict

_FIGURE = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD = re.compile(r"\w+")
_YES_NO = frozenset({"yes", "no"})
_SHORTEST_SENTENCE = 4  # words; less is the bare answer again
_SMALL_WORDS = frozenset("a an and as at by for from in is it of on or the to was were with".split())


def verify(
    draft: Draft, notes: Sequence[EvidenceNote], passages: Mapping[PassageId, Passage], *, question: str
) -> Verification:
    """Return what the free checks say of the draft and the notes that it cites.

    `unsupported`: a quote is not in its passage, what tells the answer speaks of a near miss ('Apollo 13' for 'Apollo
    16'), or a figure or a word of the short answer is in no cited quote; `partly`: only a figure of an explaining
    sentence is unseen, see `verdict_of`.
    """
    cited = [notes[number - 1] for number in draft.cited]
    texts = _texts(cited, passages)
    seen = " ".join([*texts, *map(str, draft.dates), question])
    checks = (
        _quotes_exist(cited, passages),
        _is_no_near_miss(draft.short, question, texts),
        _figures_occur("figures of the answer", draft.short, seen),
        _words_occur(draft.short, seen),
        _figures_occur("figures of the sentences", " ".join(claim.text for claim in draft.claims), seen),
    )
    verdict: Verdict = "supported"
    if not all(check.passed for check in checks[:-1]):
        verdict = "unsupported"
    elif not checks[-1].passed:
        verdict = "partly"
    return Verification(verdict=verdict, checks=checks)


def verdict_of(
    claim: Claim, notes: Sequence[EvidenceNote], passages: Mapping[PassageId, Passage], *, known: str
) -> Verdict:
    """Return the verdict on one sentence: `supported` when its figures and names are in its own quotes or `known`.

    `unsupported` when a figure is not, `partly` when only a name is not, or it is no sentence. `known` are the
    question and the dates that code has put in.
    """
    cited = [notes[number - 1] for number in claim.cited]
    seen = " ".join([*_texts(cited, passages), known])
    if not cited or figures_unseen(claim.text, seen):
        return "unsupported"
    says_nothing = len(words_of(claim.text)) < _SHORTEST_SENTENCE
    return "partly" if says_nothing or words_unseen(" ".join(names_in(claim.text)), seen) else "supported"


def figures(text: str) -> set[str]:
    """Return the numbers of a text as digits: `1,233` as 1233, `eight` as 8, `May` as 5, `05` as 5."""
    found = {match.replace(",", "").lstrip("0") or "0" for match in _FIGURE.findall(text)}
    words = set(_WORD.findall(text.lower()))
    found |= {str(value) for value, word in enumerate(NUMBER_WORDS) if word in words}
    return found | {str(value) for value, month in enumerate(MONTH_NAMES, start=1) if month in words}


def _texts(notes: Sequence[EvidenceNote], passages: Mapping[PassageId, Passage]) -> list[str]:
    """Return each note's quote with the title of its document, which belongs to what it says."""
    return [f"{note.quote} {passages[note.passage_id].title}" for note in notes]


def _quotes_exist(notes: Sequence[EvidenceNote], passages: Mapping[PassageId, Passage]) -> Check:
    wrong = [n.note_id for n in notes if passages[n.passage_id].text[n.start : n.end] != n.quote]
    return Check(name="quotes", passed=not wrong, finding=f"not in its passage: {', '.join(wrong)}" if wrong else "")


def _is_no_near_miss(short: str, question: str, texts: Sequence[str]) -> Check:
    """An answer on 'Apollo 13' is none for 'Apollo 16': what tells it must not have another number of the same name."""
    words = {stem(word) for word in content_words(short)}
    telling = " ".join(text for text in texts if words & {stem(word) for word in words_of(text)})
    others = {words_of(name)[0]: name for name in numbered_names_in(telling)}
    missed = [
        f"{others[words_of(name)[0]]} for {name}"
        for name in numbered_names_in(question)
        if words_of(name)[0] in others and not speaks_of(name, telling)
    ]
    finding = f"a quote on {', '.join(missed)}" if missed else ""
    return Check(name="names of the question", passed=not missed, finding=finding)


def part_seen(text: str, seen: str) -> str:
    """Return the longest run of a text's words that another has, more than half of them; else nothing."""
    words = text.split()
    is_seen = [not words_unseen(word, seen) and not figures_unseen(word, seen) for word in words]
    runs = [
        words[start:end]
        for start in range(len(words))
        for end in range(start + 1, len(words) + 1)
        if all(is_seen[start:end])
    ]
    best = max(runs, key=len, default=[])
    return " ".join(best).strip(" ,;()") if len(best) * 2 > len(words) else ""


def figures_unseen(text: str, seen: str) -> list[str]:
    """Return the figures of a text, in parts, that another does not have."""
    written = {match.replace(",", "").lstrip("0") or "0" for match in _FIGURE.findall(text)}
    known = _parts(seen) if written else set()
    return sorted(part for figure in written for part in re.split(r"[:.]", figure) if part not in known)


def _figures_occur(name: str, text: str, seen: str) -> Check:
    unseen = figures_unseen(text, seen)
    return Check(name=name, passed=not unseen, finding=f"in no quote: {', '.join(unseen)}" if unseen else "")


def words_unseen(text: str, seen: str) -> list[str]:
    """Return the words of a text that another does not have, in order, without small words, yes and no, and figures."""
    known = {stem(word) for word in _WORD.findall(seen.lower())}
    words = [w for w in _WORD.findall(text.lower()) if w not in _SMALL_WORDS | _YES_NO and not w.isdigit()]
    rest = [w for w in words if stem(w) not in known]
    parts = _parts(seen) if rest else set()
    return [w for w in rest if not figures(w) & parts]


def _words_occur(short: str, seen: str) -> Check:
    unseen = words_unseen(short, seen)
    return Check(
        name="words of the answer", passed=not unseen, finding=f"in no quote: {', '.join(unseen)}" if unseen else ""
    )


def _parts(text: str) -> set[str]:
    return {part.lstrip("0") or "0" for figure in figures(text) for part in re.split(r"[:.]", figure)} | figures(text)
