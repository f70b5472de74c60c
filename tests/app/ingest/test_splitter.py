from collections.abc import Sequence
from datetime import UTC, datetime

from app.core.types import DocId, Document, Passage
from app.ingest.records import Mark
from app.ingest.splitter import Draft, Splitter


class Words:
    """One token a word, none for anything else."""

    max_tokens = 256

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


def split(text: str, *, tokens: int = 12, title: str = "T", **marks: Sequence[Mark]) -> tuple[Passage, ...]:
    document = Document(
        doc_id=DocId("d"), version="v", title=title, text=text, uri="u", ingested_at=datetime(2024, 1, 1, tzinfo=UTC)
    )
    (found,) = Splitter(Words(), passage_tokens=tokens).split([Draft(document=document, **marks)])
    return found.passages


def heading(text: str, name: str) -> Mark:
    return Mark(start=text.index(name), end=text.index(name) + len(name), name=name)


def test_a_short_row_is_one_passage() -> None:
    text = "One short row.\n\nWith two paragraphs."
    assert [passage.text for passage in split(text)] == [text]


def test_whole_sentences_are_packed_greedily() -> None:
    text = "One two three four. Five six seven eight. Nine ten eleven twelve. The end."
    assert [passage.text for passage in split(text)] == [
        "One two three four. Five six seven eight.",
        "Nine ten eleven twelve. The end.",
    ]


def test_a_paragraph_that_fits_is_not_torn() -> None:
    first, second = "One two three four. Five six.", "Seven eight nine. Ten eleven twelve."
    assert [passage.text for passage in split(f"{first}\n\n{second}")] == [first, second]


def test_a_paragraph_that_fits_nowhere_fills_the_room() -> None:
    text = "One two three four. Five six.\n\n" + " ".join(f"Word {number} here." for number in range(5))
    assert split(text)[0].text.endswith("Word 0 here.")


def test_sections_are_kept_apart_and_lone_headings_go_with_the_next() -> None:
    text = "Intro.\n\nPart\n\nChapter\n\nText of it.\n\nNext\n\nMore."
    marks = [heading(text, name) for name in ("Part", "Chapter", "Next")]
    found = [(passage.section, passage.text) for passage in split(text, sections=marks)]
    assert found == [(None, "Intro."), ("Chapter", "Part\n\nChapter\n\nText of it."), ("Next", "Next\n\nMore.")]


def test_a_passage_is_on_the_page_where_it_begins() -> None:
    text = "One two three four five six seven. " * 4
    pages = [Mark(start=0, end=0, name="1"), Mark(start=50, end=50, name="2")]
    assert [(passage.start, passage.page) for passage in split(text, pages=pages)] == [
        (0, 1),
        (35, 1),
        (70, 2),
        (105, 2),
    ]


def test_a_sentence_beyond_the_room_is_split_between_words() -> None:
    text = " ".join(f"word{number}" for number in range(30)) + "."
    passages = split(text)
    assert [len(passage.text.split()) for passage in passages] == [10, 10, 10]
    assert " ".join(passage.text for passage in passages) == text


def test_a_word_without_end_is_cut() -> None:
    assert [len(passage.text) for passage in split("x" * 2500, tokens=42)] == [300] * 8 + [100]


def test_a_long_title_takes_at_most_half() -> None:
    passages = split("One two three four. " * 4, tokens=16, title="word " * 40)
    assert [passage.text for passage in passages] == ["One two three four. One two three four."] * 2


def test_a_passage_never_exceeds_what_the_embedder_reads() -> None:
    assert max(len(passage.text.split()) for passage in split("One two three. " * 300, tokens=999)) <= 256
