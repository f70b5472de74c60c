"""Names a corpus by its passages: what the store publishes and what an index holds must agree on it."""

import hashlib
from collections.abc import Iterable

from app.core.types import PassageId


def corpus_digest(passage_ids: Iterable[PassageId]) -> str:
    """Return the SHA-256 of the sorted ids; an id names one text, so this names the corpus."""
    digest = hashlib.sha256()
    for passage_id in sorted(passage_ids):
        digest.update(passage_id.encode())
        digest.update(b"\n")
    return digest.hexdigest()
