"""How well an answer is sourced: citations against the documents that hold the evidence."""

from collections.abc import Collection


def citation_precision(cited: Collection[str], gold: Collection[str]) -> float | None:
    """Return the share of cited documents that are gold, or None when nothing is cited."""
    return len(set(cited) & set(gold)) / len(set(cited)) if cited else None


def citation_recall(cited: Collection[str], gold: Collection[str]) -> float | None:
    """Return the share of gold documents that are cited, or None when there is no gold."""
    return len(set(cited) & set(gold)) / len(set(gold)) if gold else None
