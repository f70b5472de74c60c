import pytest

from app.core.sentences import sentence_spans


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four…", ["One.", "Two!", "Three?", "Four…"]),
        (
            "Dr. Smith met J. F. Kennedy of the U.S. Army. He left.",
            ["Dr. Smith met J. F. Kennedy of the U.S. Army.", "He left."],
        ),
        ("He worked in the U.S. The rest stayed.", ["He worked in the U.S.", "The rest stayed."]),
        ("It cost $3.14. See No. 5 and Fig. 3. The end.", ["It cost $3.14.", "See No. 5 and Fig. 3.", "The end."]),
        ("The answer is No. Next question.", ["The answer is No.", "Next question."]),
        (
            "It began at 5 p.m. Then it rained. Apple Inc. CEO Cook came.",
            ["It began at 5 p.m.", "Then it rained.", "Apple Inc. CEO Cook came."],
        ),
        (
            'He said "Go now." Then he left (at once.) She stayed.',
            ['He said "Go now."', "Then he left (at once.)", "She stayed."],
        ),
        ("Yahoo! is a firm. e.g. this one.", ["Yahoo! is a firm. e.g. this one."]),
        (
            "1. First item. More of it.\n- second item\nHeading\nText.",
            ["1. First item.", "More of it.", "- second item", "Heading", "Text."],
        ),
        (
            "She is born . He said `` Lost '' . '' It ends . ) So .",
            ["She is born .", "He said `` Lost '' . ''", "It ends . )", "So ."],
        ),
        ("今日は晴れ。明日は雨。", ["今日は晴れ。", "明日は雨。"]),
        (" \n\t ", []),
        ("no stop", ["no stop"]),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, sentences: list[str]) -> None:
    assert [text[start:end] for start, end in sentence_spans(text)] == sentences


def test_a_long_row_of_dots_is_looked_at_once() -> None:
    line = "Contents " + "." * 200_000 + "7"  # took minutes while each dot was a new beginning

    assert sentence_spans(line) == [(0, len(line))]
