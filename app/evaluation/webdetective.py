"""Whether a wrong answer was lost in searching, in using what was found, or in not refusing without it.

WebDetective's factors (Song et al., arXiv 2510.05137): knowledge sufficiency, search score, good refusal and knowledge
utilisation. A document counts once the reasoner was shown it (`Hop.read`), not when it was merely found. Parametric
knowledge is not probed, as their benchmark does: what was not read is not known.

The evidence of a question is its judged documents from the grade `relevant_from` up, all of them needed: so it is in
multi-hop sets, and not where documents are alternatives. Questions without any are excluded; unanswerable ones are
not, for no evidence can be sufficient there.
"""

import numpy as np

from app.evaluation.records import Gold, Record
from app.evaluation.selective import Flags, refusal_f1


def search_score(gold: Gold, record: Record, *, relevant_from: int = 1) -> float | None:
    """Return the share of the evidence that was read, in any hop; None for a question without evidence."""
    needed = {doc_id for doc_id, grade in gold.relevant.items() if grade >= relevant_from}
    read = {doc_id for hop in record.hops for doc_id in hop.read}
    return len(needed & read) / len(needed) if needed and gold.answerable is not False else None


def knowledge_sufficiency(gold: Gold, record: Record, *, relevant_from: int = 1) -> float | None:
    """Return 1.0 if all the evidence was read, else 0.0, and so for an unanswerable question; None without evidence."""
    if gold.answerable is False:
        return 0.0
    score = search_score(gold, record, relevant_from=relevant_from)
    return None if score is None else float(score == 1.0)


def good_refusal_f1(sufficient: Flags, refused: Flags) -> float | None:
    """Return the F1 of refusing exactly where knowledge is not sufficient; None if no question is either."""
    return refusal_f1(np.logical_not(sufficient), refused)


def knowledge_utilisation_f1(sufficient: Flags, correct: Flags) -> float | None:
    """Return the F1 of answering correctly exactly where knowledge is sufficient; None if no question is either."""
    return refusal_f1(sufficient, correct)
