"""What each figure of an evaluation means, in a sentence, and in which table it stands."""

from dataclasses import dataclass

HEADLINES = ("nDCG@10", "full@10", "EM", "F1", "citation_precision", "refusal_F1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Figures that answer one question about a system; `metrics` are their sentences by name, in the table's order."""

    title: str
    about: str
    metrics: dict[str, str]


FAMILIES = (
    Family(
        title="Finding",
        about="Are the documents that hold the answer found, and do they stand at the top?",
        metrics={
            "nDCG@10": "How well the first ten documents are ordered: 1 is the best order there is, and a relevant "
            "document counts less the lower it stands.",
            "R@10": "The share of a question's relevant documents among the first ten.",
            "R@100": "The share of a question's relevant documents among the first hundred.",
            "full@10": "The share of questions with every relevant document among the first ten.",
            "RR": "One divided by the rank of the first relevant document: 1 if it stands first, 0.5 if second.",
            "AP": "The precision at each relevant document's rank, averaged over all that are relevant.",
            "P@5": "The share of the first five places that a relevant document takes.",
        },
    ),
    Family(
        title="Answering",
        about="Are the answers right? An abstention from a question that has an answer counts as wrong.",
        metrics={
            "EM": "The share of answers that equal a gold answer: dates and numbers by value, all else but for case, "
            "punctuation and articles.",
            "F1": "How many words an answer shares with the nearest gold answer: 1 if all, 0 if none.",
            "temporal_accuracy": "EM over the questions that depend on a time.",
            "wrong_time": "The share of questions on a time answered as if of another time; lower is better.",
        },
    ),
    Family(
        title="Citing",
        about="Do the sources that an answer names bear it out?",
        metrics={
            "citation_precision": "The share of cited documents that hold evidence for the answer.",
            "citation_recall": "The share of documents with evidence that are cited.",
            "quoted": "The share of an answer's sentences with a cited quote that stands word for word in its passage.",
            "figures_supported": "The share of dates and numbers in cited sentences that a passage cited there tells.",
        },
    ),
    Family(
        title="Abstaining",
        about="Does it stay silent when there is no answer, and only then?",
        metrics={
            "refusal_precision": "The share of abstentions that were due: the question has no answer.",
            "refusal_recall": "The share of questions without an answer from which it abstained.",
            "refusal_F1": "The harmonic mean of refusal precision and recall.",
            "abstained_answerable": "The share of questions with an answer from which it abstained; lower is better.",
            "answered_unanswerable": "The share of questions without an answer that it answered; lower is better.",
        },
    ),
    Family(
        title="Confidence",
        about="Is it surer of right answers than of wrong ones, and is it worth asking where errors are dear?",
        metrics={
            "AURC": "The share of wrong answers among the surest, averaged over how many are given; lower is better.",
            "utility@0": "Points a question where a wrong answer costs nothing: right 1, abstained 0, wrong 0.",
            "utility@1": "Points a question where a wrong answer costs one: right 1, abstained 0, wrong minus 1.",
            "utility@20": "Points a question where a wrong answer is dear: right 1, abstained 0, wrong minus 20.",
        },
    ),
    Family(
        title="Finding and using",
        about="Where does it fail: in finding the evidence, in using what it found, or in knowing that it lacks some?",
        metrics={
            "search_score": "The share of the documents with evidence that were read, in any search.",
            "knowledge_sufficiency": "The share of questions of which all documents with evidence were read.",
            "good_refusal_F1": "Whether it abstains exactly where evidence was not read: precision with recall.",
            "knowledge_utilisation_F1": "Whether it answers rightly exactly where all evidence was read, likewise.",
        },
    ),
)
