import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.names import stem, words_of
from agents.standing_alone import is_agreement, stands_alone, without_opening

SPOKEN_OF = {stem(word) for word in words_of("Which rocket launched the Skylab station? Saturn V")}

STANDING = """Who was the Administrator of NASA on 1 July 2008?
When did the type of rocket that launched the Skylab station fly for the first time?
Who was the first woman in space?
How long does it take to fly to Mars?
What is the oldest probe in service and how far can it see?
When did Skylab fall and how long had it been in orbit?
How long did Skylab stay in its orbit?
In which year did Apollo 11 land?
and in which year did Apollo 11 land?
In 1969, who led NASA?
Who invented telescopes?
Apollo 12 crew
what is gravity?
who led nasa in 2004?
Name the crew of Apollo 8.
Is it true that Skylab fell on Australia?
Which of those who flew on Apollo 8 flew again?
Which events happened this year?
How many moons are there?
who was neil armstrong and when did he die?
What did Armstrong say when he stepped on the Moon?
no thanks
ok, what is gravity?""".split("\n")

LEANING = """and in 2019?
in 2019
yes
Yes, please.
who replaced him?
what about the second one?
How about ESA?
When was that?
Who led NASA at that time?
What happened in that year?
by whom?
why?
how many crews?
which rocket?
Apollo 12?
Who commanded it?
Did Armstrong know him?
What did Armstrong say about it?
How many people lived aboard it?
When was the rocket retired?
Who was president then?
can you tell me more?
who won?
and the Administrator before?
which one was heavier?
and who were the others aboard?
and what was the top speed?
ok, and what was the top speed?
No, in 2004
who lived there?""".split("\n")


@pytest.mark.parametrize("question", STANDING)
def test_a_question_that_stands_alone_is_seen(question: str) -> None:
    assert stands_alone(question)


@pytest.mark.parametrize("question", LEANING)
def test_a_question_that_leans_on_the_conversation_is_seen(question: str) -> None:
    assert not stands_alone(question, spoken_of=SPOKEN_OF)


def test_a_thing_without_a_name_leans_only_where_it_was_spoken_of() -> None:
    assert stands_alone("When was the rocket retired?")
    assert stands_alone("When was the telescope retired?", spoken_of=SPOKEN_OF)


@pytest.mark.parametrize("text", ["yes", "Yes please!", "ok, go on", "sure", "do it", "again?"])
def test_an_agreement_says_yes_and_nothing_else(text: str) -> None:
    assert is_agreement(text)
    assert not is_agreement(f"{text} who led NASA")


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("and in 2019?", "in 2019?"),
        ("What about Mir?", "Mir?"),
        ("Yes, and who replaced him?", "who replaced him?"),
        ("Android phones", "Android phones"),
        ("Who?", "Who?"),
    ],
)
def test_the_words_that_tie_a_question_to_the_last_one_are_taken_off(text: str, rest: str) -> None:
    assert without_opening(text) == rest


@given(st.text(max_size=80))
def test_any_text_is_judged(text: str) -> None:
    assert isinstance(stands_alone(text, spoken_of=SPOKEN_OF), bool)
    assert text.endswith(without_opening(text))
