"""The agent's pure parts, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.bridging import new_names, next_query, uncovered_words
from agents.citing import bind_markers, needed
from agents.composing import full_date
from agents.names import names_in, numbered_names_in, speaks_of
from agents.nodes.answer import order_of_facts
from agents.notes import note_from_quote, notes_from_picks, write_note
from agents.reading import choose_sentences, headed, sentences_of
from agents.state import Claim, Draft, Sentence
from agents.verify import figures, verify
from app.core import registry
from app.core.run import Run
from app.core.timespan import TimeSpan
from fakes import a_hit, a_passage

SKYLAB = a_passage("Skylab was launched on 14 May 1973 by a Saturn V rocket. Three crews lived aboard.")
NOTE = write_note(SKYLAB, 0, 56, claim="Saturn V")


def test_names_are_runs_of_capitals_with_their_numbers_and_dates_are_none() -> None:
    assert names_in("Who commanded Apollo 8 in December 1968, and STS-107?") == ["Apollo 8", "STS-107"]
    assert names_in("On 1 July 2008 Michael D. Griffin headed NASA.") == ["Michael D. Griffin", "NASA"]
    assert names_in("When did the rocket fly?") == []


def test_numbered_names_leave_out_dates_and_what_follows_the_number() -> None:
    assert numbered_names_in("Was VP-42 Patrol Squadron named so on July 20 or in May 16?") == ["VP-42"]
    assert numbered_names_in("Did Chandrayaan-3 follow Apollo 16 in 1972? In 5 years?") == [
        "Chandrayaan-3",
        "Apollo 16",
    ]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("Apollo 16", "The crew of Apollo 16 landed.", True),
        ("Apollo 16", "Apollo 13 came down on 16 April.", False),
        ("Apollo 1", "Apollo 16", False),
        ("STS-107", "Mission STS 107 was lost.", True),
        ("World War 2", "After World War II it closed.", True),
        ("Formula 1", "He drove in Formula One.", True),
    ],
)
def test_a_text_speaks_of_a_numbered_name_or_not(name: str, text: str, told: bool) -> None:
    assert speaks_of(name, text) is told


def test_a_word_of_the_question_is_covered_by_a_quote_or_a_title() -> None:
    question = "When did the type of rocket that launched the Skylab station fly?"

    assert uncovered_words(question, [NOTE], ["Skylab"]) == ["station", "fly"]
    assert uncovered_words("Which rocket launched Skylab in May 1973?", [NOTE], []) == []


def test_the_next_query_joins_new_names_and_uncovered_words() -> None:
    question = "When did the rocket that launched Skylab fly?"

    assert new_names(question, [NOTE], ["Skylab"]) == ["Saturn V"]
    assert next_query(question, [NOTE], ["Skylab"]) == "Saturn V fly"
    assert next_query("Which rocket launched Skylab?", [NOTE], ["Skylab"]) is None
    assert next_query(question, [], []) is None


def test_a_pick_gives_the_sentence_word_for_word_and_wrong_picks_are_counted() -> None:
    sentences = sentences_of(a_hit(SKYLAB))

    notes, rejected = notes_from_picks([2, 2, 9, 0, 1], sentences, claim="c")

    assert [note.quote for note in notes] == ["Three crews lived aboard.", sentences[0].text]
    assert rejected == 3


def test_a_free_quote_is_a_note_only_when_a_passage_holds_it() -> None:
    found = note_from_quote(" by a Saturn V rocket ", [SKYLAB], claim="c")

    assert found is not None
    assert SKYLAB.text[found.start : found.end] == "by a Saturn V rocket"
    assert note_from_quote("by a Saturn IB rocket", [SKYLAB], claim="c") is None
    assert note_from_quote("  ", [SKYLAB], claim="c") is None


@pytest.mark.parametrize(
    ("text", "cited", "expected"),
    [
        ("It was a Saturn V.", (2,), ("It was a Saturn V [1].", (2,), 0)),
        ("It was a Saturn V [1], [3].", (), ("It was a Saturn V,  [1][2].", (1, 3), 0)),
        ("It was [7] a Saturn V", (1, 9), ("It was a Saturn V [1].", (1,), 2)),
        ("It was a Saturn V.", (9,), ("It was a Saturn V.", (), 1)),
    ],
)
def test_markers_point_at_notes_or_are_dropped_and_counted(
    text: str, cited: tuple[int, ...], expected: tuple[str, tuple[int, ...], int]
) -> None:
    bound, kept, dropped = bind_markers(text, cited, notes=3)

    assert (kept, dropped) == expected[1:]
    assert bound.replace(" ", "") == expected[0].replace(" ", "")


@given(st.text(alphabet="ab []123,."), st.lists(st.integers(-2, 9)), st.integers(0, 5))
def test_no_marker_ever_points_at_nothing(text: str, cited: list[int], notes: int) -> None:
    bound, kept, _ = bind_markers(text, cited, notes=notes)

    assert all(1 <= number <= notes for number in kept)
    assert len(set(kept)) == len(kept)
    for marker in range(1, len(kept) + 1):
        assert not bound.strip() or f"[{marker}]" in bound


def test_only_the_notes_that_an_answer_needs_are_cited() -> None:
    saturn = a_passage("The Saturn V first flew on 9 November 1967.", passage_id="saturn@0#0")
    notes = [
        NOTE,
        write_note(SKYLAB, 57, len(SKYLAB.text), claim="crews"),
        write_note(saturn, 0, len(saturn.text), claim="first flight"),
    ]
    titles = ["Skylab", "Skylab", "Saturn V"]

    def cited(*numbers: int, short: str, question: str = "Which rocket launched Skylab?") -> tuple[int, ...]:
        return needed(numbers, notes, titles, short=short, question=question)

    assert cited(1, 2, 3, short="9 November 1967") == (1, 3)
    assert cited(2, 1, short="Saturn V") == (1,)
    assert cited(3, short="9 November 1967", question="When did the rocket of Skylab first fly?") == (1, 3)
    assert cited(2, short="nothing of it", question="Who?") == (2,)


@pytest.mark.parametrize(
    ("short", "sentence", "question", "expected"),
    [
        ("1967", "It flew on 9 November 1967 [1].", "When did it fly?", "9 November 1967"),
        ("1967", "It flew on November 9, 1967.", "On what date?", "November 9, 1967"),
        ("1967", "It flew on 9 November 1967.", "In which year did it fly?", "1967"),
        ("1967", "From 1 May 1967 to 9 November 1967.", "When?", "1967"),
        ("1967", "It flew in 1967.", "When?", "1967"),
        ("Skylab", "On 14 May 1973 Skylab flew.", "When?", "Skylab"),
    ],
)
def test_a_bare_year_becomes_the_day_that_the_sentence_gives(
    short: str, sentence: str, question: str, expected: str
) -> None:
    assert full_date(short, sentence, question=question) == expected


def test_a_question_about_now_is_shown_the_latest_published_first() -> None:
    dated = [
        write_note(a_passage("Head of NASA.", passage_id=f"p{n}@0#0", published=when), 0, 13, claim="c")
        for n, when in enumerate([TimeSpan.parse("2008"), None, TimeSpan.parse("2010-03")])
    ]

    assert order_of_facts("Who heads NASA?", dated) == [2, 0, 1]
    assert order_of_facts("Who headed NASA first?", dated) == [0, 1, 2]
    assert order_of_facts("Who is named as head of NASA in 2008?", dated) == [0, 1, 2]


def check(short: str, text: str, question: str = "Which rocket launched Skylab?") -> str:
    draft = Draft(short=short, claims=(Claim(text=text, cited=(1,)),))
    return verify(draft, [NOTE], {SKYLAB.passage_id: SKYLAB}, question=question).verdict


def test_a_draft_is_supported_when_its_words_and_figures_stand_in_the_quotes() -> None:
    assert check("Saturn V", "A Saturn V launched Skylab on 14 May 1973.") == "supported"
    assert check("14 May 1973", "It was 14 May 1973.") == "supported"
    assert check("1973-05-14", "It was 1973-05-14.") == "supported"
    assert check("yes", "Yes.") == "supported"


def test_a_draft_with_a_figure_or_word_of_its_own_is_not_supported() -> None:
    assert check("Saturn IB", "A Saturn IB launched Skylab.") == "unsupported"
    assert check("15 May 1973", "It was 15 May 1973.") == "unsupported"
    assert check("Saturn V", "A Saturn V launched it in 1974.") == "partly"


def test_figures_are_read_as_numbers() -> None:
    assert figures("eight of 1,233 in May 2008-07") == {"8", "1233", "5", "2008", "7"}


def test_the_best_sentences_that_fit_are_shown_in_the_order_of_their_passages() -> None:
    embedder = registry.build("app.models", "hashing_embedder", {}, None)  # type: ignore[arg-type]
    mir = a_passage("Mir was launched by a Proton rocket.", passage_id="mir@0#0", title="Mir")
    hits = [a_hit(SKYLAB), a_hit(mir)]

    def shown(characters: int, query: str = "Which rocket launched Mir?") -> list[str]:
        chosen = choose_sentences(hits, query, characters=characters, embedder=embedder, run=Run())
        return [sentence.text for sentence in chosen]

    assert shown(1000) == [*(s.text for s in sentences_of(hits[0])), mir.text]
    assert shown(40) == [mir.text]
    assert shown(62) == ["Three crews lived aboard.", mir.text]
    assert len(shown(1)) == 1
    assert choose_sentences([], "Mir", characters=99, embedder=embedder, run=Run()) == []


def test_a_very_long_sentence_is_cut_at_a_word_and_still_quoted_exactly() -> None:
    long = a_passage("word " * 300 + "end.")

    sentence = sentences_of(a_hit(long))[0]

    assert len(sentence.text) <= 600
    assert sentence.text.endswith("word")
    assert Sentence(passage=long, start=sentence.start, end=sentence.end) == sentence


def test_a_shown_sentence_carries_its_title_and_date_on_one_safe_line() -> None:
    shown = headed("A\ntitle [1]", TimeSpan.parse("2008-06"), "Two\nlines <|im_end|>")

    assert shown == "(A title (1), published 2008-06) Two lines"
