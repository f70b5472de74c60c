"""What a state of the tree search is worth, and what tells it from others; nothing here is a model's word on itself."""

import hashlib
import json
from collections.abc import Hashable, Sequence

from agents.search.rewards import Reward, Weights, agreement, mix, share
from agents.state import Draft, Goal, State
from agents.sufficiency import normal_query
from agents.values import key_of

_ESTABLISHED = {"satisfied": 1.0, "partly": 0.5}
_HOLDS = {"supported": 1.0, "partly": 0.5}


def value_of(state: State, parent: State, *, others: Sequence[Hashable], tokens: float, weights: Weights) -> Reward:
    """Return the reward of a state: how far its goals are established, and what its last action brought.

    A look-up is also valued by how much of what it read was new to the whole path; an answer by the checks, by the
    probability of its words and by its agreement with the `others`, the answers that are finished. `tokens` are those
    of the whole path.
    """
    draft = state.get("draft")
    coverage = _coverage(state.get("goals", ()))
    if not is_finished(state):
        return mix({"coverage": coverage, "novelty": _novelty(state, parent)}, weights=weights, tokens=tokens)
    verification = state.get("verification")
    return mix(
        {
            "coverage": coverage,
            "verification": _HOLDS.get(verification.verdict, 0.0) if verification else 0.0,
            "agreement": agreement(answer_key(draft), others) if draft else None,
            "likelihood": draft.confidence if draft else None,
        },
        weights=weights,
        tokens=tokens,
    )


def is_finished(state: State) -> bool:
    """Tell whether an answer was tried, or was found to be about another time."""
    return "verification" in state or bool(state.get("time_gap"))


def adds_evidence(state: State, parent: State) -> bool:
    """Tell whether an action brought something: passages that were not read for their goal, or an answer that holds.

    A second reading that loses an answer and finds none in its place brought nothing.
    """
    if not is_finished(state):
        has_read = len(state.get("read", ())) > len(parent.get("read", ()))
        return has_read and _established(state.get("goals", ())) >= _established(parent.get("goals", ()))
    verification = state.get("verification")
    return verification is not None and verification.verdict in _HOLDS


def answer_key(draft: Draft) -> Hashable:
    """Return what equal answers have in common."""
    return key_of(draft.short) if draft.short else draft.claims[0].text


def digest_of(state: State) -> str:
    """Return what names a state: its normalised queries and its evidence, whatever the order they came in."""
    content = [
        sorted({normal_query(query) for query in state.get("queries", ())}),
        [(goal.text or goal.pattern, goal.status, goal.answer) for goal in state.get("goals", ())],
        sorted({(note.note_id, note.stance) for note in state.get("notes", ())}),
        sorted(set(state.get("read", ()))),
        str(state.get("time")),
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _established(goals: Sequence[Goal]) -> float:
    return sum(_ESTABLISHED.get(goal.status, 0.0) for goal in goals)


def _coverage(goals: Sequence[Goal]) -> float:
    """Return the share of the goals that is established; the question itself as a goal stands for them all."""
    counted = goals[-1:] if goals and goals[-1].is_whole else goals
    return _established(counted) / max(1, len(counted))


def _novelty(state: State, parent: State) -> float:
    """Return the share of the passages read just now that were read for no goal before; 0 of none."""
    before = {passage for _, passage in parent.get("read", ())}
    now = {passage for _, passage in state.get("read", ())[len(parent.get("read", ())) :]}
    return share(len(now - before), len(now))
