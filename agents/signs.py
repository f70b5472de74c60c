"""Reads off a finished draft and the work on it the signs that it is right."""

from collections.abc import Iterable, Mapping, Sequence

from agents.confidence import Signs
from agents.dated import told_in, told_times, window
from agents.names import lookup_words, names_in, stem, words_of
from agents.state import Draft, Goal, State, Verification
from agents.sufficiency import is_truth
from agents.verify import figures_unseen, words_unseen
from app.core.types import EvidenceNote, Hit, Passage, PassageId, Verdict

_VERDICTS: dict[Verdict, float] = {"supported": 1.0, "partly": 0.5}
_STATUSES = {"satisfied": 1.0, "partly": 0.5}


def signs_of(state: State, draft: Draft, verification: Verification) -> Signs:
    """Return every sign of `agents.confidence.SIGNS`, each 0 to 1, the margin -1 to 1, None where it is unknown.

    The order of goals, notes and hits changes nothing. Cheap: words are compared, no model is asked.
    """
    notes, goals = state["notes"], state.get("goals", ())
    passages = {passage.passage_id: passage for passage in state["passages"]}
    cited = [passages[notes[number - 1].passage_id] for number in draft.cited]
    retries = sum(max(0, goal.tries - 1) for goal in goals)
    asked = window(state.get("time"))
    return {
        "answer_probability": draft.confidence,
        "goals": _share(goals),
        "retries": 1.0 - 1.0 / (1 + retries),
        "quoted": _quoted(draft, notes, passages),
        "covered": _covered(state["question"].text, _seen(draft.cited, notes, passages)),
        "by_code": float(draft.by == "code"),
        "margin": _margin(state.get("hits", {}).values(), cited),
        "agreement": _agreement(draft.short, notes),
        "verified": _VERDICTS.get(verification.verdict, 0.0),
        "in_time": None if asked is None else float(told_in(asked, (t for one in cited for t in told_times(one)))),
    }


def _share(goals: Sequence[Goal]) -> float | None:
    """Return the share of the goals that are satisfied, one that is partly so a half."""
    return sum(_STATUSES.get(goal.status, 0.0) for goal in goals) / len(goals) if goals else None


def _quoted(draft: Draft, notes: Sequence[EvidenceNote], passages: Mapping[PassageId, Passage]) -> float | None:
    """Return the share of the sentences' words that their own quotes and titles have; figures are checked elsewhere."""
    counts = [0, 0]
    for claim in draft.claims:
        seen = _seen(claim.cited, notes, passages)
        words = lookup_words(claim.text)
        counts[0] += sum(stem(word) in seen for word in words)
        counts[1] += len(words)
    return counts[0] / counts[1] if counts[1] else None


def _covered(question: str, seen: set[str]) -> float | None:
    """Return the share of the question's words and names that quotes and titles have; a name counts as one more."""
    items = [{stem(word)} for word in lookup_words(question)]
    items += [{stem(word) for word in words_of(name)} for name in names_in(question)]
    return sum(item <= seen for item in items) / len(items) if items else None


def _margin(found: Iterable[Sequence[Hit]], cited: Sequence[Passage]) -> float | None:
    """Return by how much the best cited hit leads the best other one, in spreads of the scores; the least of all goals.

    None where nothing is to be compared: no search found a cited passage, or all that it found is cited.
    """
    ids = {passage.passage_id for passage in cited}
    leads = [lead for hits in found if (lead := _lead(hits, ids)) is not None]
    return min(leads, default=None)


def _lead(hits: Sequence[Hit], cited: set[PassageId]) -> float | None:
    source = min(hits, key=lambda hit: hit.rank).source if hits else ""
    scores = [(hit.score, hit.passage.passage_id in cited) for hit in hits if hit.source == source]
    own, others = ([score for score, is_cited in scores if is_cited is wanted] for wanted in (True, False))
    if not own or not others:
        return None
    spread = max(*own, *others) - min(*own, *others)
    return (max(own) - max(others)) / spread if spread > 0 else 0.0


def _agreement(short: str, notes: Sequence[EvidenceNote]) -> float | None:
    """Return 1 - 1/n where notes of n documents hold the answer; None where it has no words to be held."""
    if not short or is_truth(short):
        return None
    holding = {
        note.doc_id for note in notes if not words_unseen(short, note.quote) and not figures_unseen(short, note.quote)
    }
    return 1.0 - 1.0 / len(holding) if holding else 0.0


def _seen(numbers: Sequence[int], notes: Sequence[EvidenceNote], passages: Mapping[PassageId, Passage]) -> set[str]:
    """Return the heads of the words that these notes, numbers from 1, and their titles have."""
    cited = [notes[number - 1] for number in numbers]
    return {stem(word) for note in cited for word in words_of(f"{note.quote} {passages[note.passage_id].title}")}
