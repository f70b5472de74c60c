"""Small real records and an in-memory passage source, for tests of every package."""

from collections.abc import Iterable, Sequence
from datetime import date

from app.core.errors import NotFound
from app.core.timespan import TimeSpan
from app.core.types import DocId, Filter, Hit, Passage, PassageId, Query, QueryId, Question, StageScore

ASKED_ON = date(2026, 1, 15)


def a_passage(
    text: str = "Skylab was launched by a Saturn V.",
    *,
    passage_id: str = "skylab.md@00000000#0",
    doc_id: str | None = None,
    title: str = "Skylab",
    published: TimeSpan | None = None,
) -> Passage:
    return Passage(
        passage_id=PassageId(passage_id),
        doc_id=DocId(doc_id or passage_id.split("@", maxsplit=1)[0]),
        document_version="v1",
        title=title,
        text=text,
        start=0,
        end=len(text),
        published=published,
    )


def a_hit(passage: Passage | None = None, *, rank: int = 1, score: float = 1.0, source: str = "lexical") -> Hit:
    return Hit(passage=passage or a_passage(), stages=(StageScore(name=source, rank=rank, score=score),))


def a_question(text: str = "Which rocket launched Skylab?", *, as_of: date | None = None) -> Question:
    return Question(query_id=QueryId("q1"), text=text, asked_on=ASKED_ON, as_of=as_of)


def a_query(text: str = "Which rocket launched Skylab?") -> Query:
    return Query(query_id=QueryId("q1"), text=text)


class PassageShelf:
    """Passages in memory; implements PassageSource."""

    def __init__(self, passages: Iterable[Passage] = ()) -> None:
        self.by_id = {p.passage_id: p for p in passages}

    def put(self, passages: Iterable[Passage]) -> None:
        self.by_id |= {p.passage_id: p for p in passages}

    def get(self, passage_ids: Sequence[PassageId]) -> list[Passage]:
        missing = [key for key in passage_ids if key not in self.by_id]
        if missing:
            raise NotFound(f"no passage '{missing[0]}'")
        return [self.by_id[key] for key in passage_ids]

    def select(self, allowed: Filter) -> frozenset[PassageId]:
        return frozenset(key for key, passage in self.by_id.items() if _lets_through(allowed, passage))


def _lets_through(allowed: Filter, passage: Passage) -> bool:
    if allowed.doc_ids is not None and passage.doc_id not in allowed.doc_ids:
        return False
    if allowed.published is None:
        return True
    if passage.published is None:
        return allowed.undated
    return passage.published.overlaps(allowed.published)
