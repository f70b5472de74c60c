import pytest

from agents.answer_kind import kind_asked


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who mapped Lake Orta?", "a name"),
        ("Whose map was it?", "a name"),
        ("When was Ada Brandt born?", "a date"),
        ("Where was she born?", "a place"),
        ("In which city was the man born who mapped Lake Iseo?", "a city"),
        ("Which artist drew it?", "an artist"),
        ("What kind of boat was the Vela?", "a boat"),
        ("How many boats crossed the lake?", "a number"),
        ("How deep is Lake Orta?", "an amount"),
        ("The Vela sank in which year?", "a year"),
        ("Was the Vela built before 1912?", "yes or no"),
        ("And did she return?", "yes or no"),
        ("Is Lake Orta or Lake Iseo deeper?", "a few words"),
        ("What is the Vela?", "a few words"),
        ("Name the ship.", "a few words"),
        ("When  did the\nman who drew it die?", "a date"),
    ],
)
def test_the_first_word_that_asks_tells_the_kind(question: str, kind: str) -> None:
    assert kind_asked(question) == kind
