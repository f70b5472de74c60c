"""Judges whether what was read establishes a goal, and what the next query for it is.

(Reflection after each search after RE-Searcher, arXiv 2509.26048, section 3; there the model judges itself. Here its
own word and the words of the quotes must agree, since a small model’s yes means little.)
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from agents.answer_kind import YES_NO, kind_asked
from agents.bridging import next_query, uncovered_words
from agents.names import content_words, names_in, stem, words_of
from agents.state import Goal
from agents.values import only_repeats
from agents.verify import figures_unseen, part_seen, words_unseen
from app.core.types import EvidenceNote

_YEAR = re.compile(r"\b\d{4}\b")
_CHOICE = re.compile(r"\b(?:or|which of)\b", re.IGNORECASE)
_UNKNOWN = frozenset({"", "unknown", "none", "not stated", "n/a", "not specified", "not mentioned", "no answer"})


def is_unknown(answer: str) -> bool:
    """Tell whether a short answer says that there is none."""
    return answer.strip().strip(".").lower() in _UNKNOWN


def is_truth(answer: str) -> bool:
    """Tell whether a short answer is yes or no."""
    return answer.strip().strip(".").lower() in ("yes", "no")


def judged(goal: Goal, notes: Sequence[EvidenceNote], titles: Sequence[str], *, rests_on: Sequence[str] = ()) -> Goal:
    """Return the goal with its status; of an answer that is only partly in the quotes the part that is stays.

    `rests_on` are the answers of earlier goals that its question names: what tells its answer must speak of them.
    `satisfied`: the quotes hold all words and figures of the answer; `partly`: more than half, in a row.
    `unsatisfied`: less, no answer, no quote, or one that cannot answer the question.
    """
    if not notes or is_unknown(goal.answer) or not _is_of_the_kind(goal):
        return replace(goal, status="unsatisfied")
    seen = " ".join([*(note.quote for note in notes), *titles])
    if not all(tells_of(answer, seen) for answer in rests_on):
        return replace(goal, status="unsatisfied")
    if not words_unseen(goal.answer, seen) and not figures_unseen(goal.answer, seen):
        return replace(goal, status="satisfied")
    part = part_seen(goal.answer, seen)
    return replace(goal, status="partly", answer=part) if part else replace(goal, status="unsatisfied")


def tells_of(answer: str, seen: str) -> bool:
    """Tell whether a text speaks of what an answer names: a word of the name, and each mark such as V, IB or 14.

    Dates and what is no name are not looked for.
    """
    words = [word for name in names_in(answer) for word in re.findall(r"\w+", name)]
    if not words or _YEAR.search(answer):
        return True
    known = set(words_of(seen))
    marks = [word for word in words[1:] if word.isdigit() or (word.isupper() and len(word) > 1) or word in "IVX"]
    named = [word for word in words if word not in marks]
    return all(mark.lower() in known for mark in marks) and (
        not named or any(stem(word) in {stem(one) for one in known} for word in named)
    )


def _is_of_the_kind(goal: Goal) -> bool:
    """Tell whether an answer can be one: yes or no just where that is asked, and more than the question's own words."""
    if is_truth(goal.answer) != (kind_asked(goal.text) == YES_NO):
        return False
    return bool(_CHOICE.search(goal.text)) or not only_repeats(goal.answer, goal.text)


def rewritten(goal: Goal, question: str, notes: Sequence[EvidenceNote], titles: Sequence[str]) -> str:
    """Return another query for a goal whose search brought nothing, or nothing where there is no other to write.

    The names that the notes brought with the words they do not cover, else the goal with the words of the question that
    it leaves out: what tells the documents meant from others of the same kind.
    """
    bridged = next_query(goal.text, notes, titles) or ""
    own = {stem(word) for word in words_of(goal.text)}
    rest = [word for word in uncovered_words(question, notes, titles) if stem(word) not in own]
    widened = " ".join([goal.text, *rest]) if rest else ""
    known = {normal_query(query) for query in goal.queries}
    return next((query for query in (bridged, widened) if query and normal_query(query) not in known), "")


def normal_query(query: str) -> tuple[str, ...]:
    """Return what tells a query from others: its content words, stemmed, by the alphabet."""
    return tuple(sorted(stem(word) for word in content_words(query)))
