import re
from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.sentences import sentence_spans
from app.core.types import DocId, Document
from app.ingest.records import Mark
from app.ingest.splitter import Draft, Splitter

PIECES = st.sampled_from(
    [
        "Dr. ",
        "word",
        " ",
        "\n",
        "\n\n",
        ". ",
        "U.S. ",
        "No. 5 ",
        '?" He ',
        "…",
        "。",
        "\u3000",
        "\t",
        "x" * 120,
        "The end. ",
        "\u2028",
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=8)), min_size=1, max_size=60).map("".join)


class WordCounter:
    max_tokens = 256

    def count(self, texts: Sequence[str]) -> list[int]:
        return [2 + len(re.findall(r"\w+|[^\w\s]", text)) for text in texts]


class GreedyCounter:
    """Has more tokens for a text than for its parts."""

    max_tokens = 64

    def count(self, texts: Sequence[str]) -> list[int]:
        return [2 + len(text) // 3 + (len(text) > 40) * 9 for text in texts]


@given(TEXTS)
def test_sentences_are_in_order_disjoint_and_cover_all_but_white_space(text: str) -> None:
    spans = sentence_spans(text)
    covered = set()
    last = 0
    for start, end in spans:
        assert last <= start < end
        assert text[start:end] == text[start:end].strip()
        covered.update(range(start, end))
        last = end
    assert all(place in covered or character.isspace() for place, character in enumerate(text))


@given(
    TEXTS,
    st.lists(st.integers(0, 400), max_size=5),
    st.integers(32, 60),
    st.sampled_from([WordCounter(), GreedyCounter()]),
)
@settings(max_examples=200)
def test_passages_cover_a_document_exactly_and_fit(
    text: str, cuts: list[int], tokens: int, counter: WordCounter
) -> None:
    if not text.strip():
        return
    marks = [
        Mark(start=cut, end=min(cut + 3, len(text)), name=str(cut)) for cut in sorted({c % len(text) for c in cuts})
    ]
    document = Document(
        doc_id=DocId("d"), version="v", title="Title", text=text, uri="u", ingested_at=datetime(2024, 1, 1, tzinfo=UTC)
    )
    (found,) = Splitter(counter, passage_tokens=tokens).split([Draft(document=document, sections=marks, pages=marks)])
    covered: set[int] = set()
    last = 0
    for passage in found.passages:
        assert passage.text == text[passage.start : passage.end] == passage.text.strip() != ""
        assert last <= passage.start
        assert counter.count([f"Title. {passage.text}"])[0] <= tokens
        covered.update(range(passage.start, passage.end))
        last = passage.end
    assert all(place in covered or character.isspace() for place, character in enumerate(text))
    assert len({passage.passage_id for passage in found.passages}) == len(found.passages)
