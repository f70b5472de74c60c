"""Where a wrong answer was lost: the earliest stage that let go of a document with evidence."""

from collections.abc import Mapping
from typing import Literal

from app.evaluation.records import Given, Gold, Record

Loss = Literal[
    "",
    "failed",
    "not_retrieved",
    "lost_by_reranking",
    "not_noted",
    "wrongly_abstained",
    "not_used",
    "answer_wrong",
    "wrongly_answered",
]

LOSSES: Mapping[Loss, str] = {  # in the order of the stages
    "failed": "the run failed or was cancelled before it could answer",
    "not_retrieved": "a document that is needed was found by no search",
    "lost_by_reranking": "every document needed was found, but one was never among those read after reranking",
    "not_noted": "every document needed was read, but one is in no note",
    "wrongly_abstained": "all of the evidence was noted, yet no answer was given",
    "not_used": "all of the evidence was noted, but the answer does not cite all of it",
    "answer_wrong": "all of the evidence is cited, but the answer is wrong",
    "wrongly_answered": "a question that the collection cannot answer was answered",
}


def lost(gold: Gold, record: Record, *, right: bool, relevant_from: int = 1) -> Loss:
    """Return the stage that lost the answer: empty if it is right or there is nothing to judge, else one of `LOSSES`.

    Nothing to judge: the set does not say whether the question can be answered, or the system only retrieves. A
    document judged `relevant_from` or higher is evidence; the stage is the first that lost any of it, whether the
    system then answered or abstained. Where no document is judged so, no stage before the answer can have lost one.
    An unanswerable question is lost by answering it, or by a failure, never by abstaining.
    """
    given = record.given
    if right or gold.answerable is None or given is None:
        return ""
    if given.status in ("failed", "cancelled"):
        return "failed"
    if not gold.answerable:
        return "wrongly_answered" if given.is_answer else ""
    return _first_loss({doc_id for doc_id, grade in gold.relevant.items() if grade >= relevant_from}, record, given)


def _first_loss(evidence: set[str], record: Record, given: Given) -> Loss:
    kept: list[tuple[Loss, set[str]]] = [
        ("not_retrieved", {doc_id for hop in record.hops for doc_id in hop.found}),
        ("lost_by_reranking", {doc_id for hop in record.hops for doc_id in hop.read}),
        ("not_noted", set(given.noted)),
    ]
    if given.is_answer:
        kept.append(("not_used", {citation.doc_id for citation in given.cited}))
    for loss, documents in kept:
        if not evidence <= documents:
            return loss
    return "answer_wrong" if given.is_answer else "wrongly_abstained"
