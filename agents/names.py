"""Names in English text: runs of capitalised words, with the numbers that belong to them ('Apollo 8', 'STS-107')."""

import re

_PART = r"(?:[A-Z]\.\s?)*[A-Z][\w’-]*"
_NAME = re.compile(rf"{_PART}(?:\s+(?:(?:of|de|da|van|von|der|al)\s+)?{_PART})*(?:\s+\d+\b)?")
_NUMBERED = re.compile(r"\b[A-Z][\w’]*(?:\s\d{1,3}|-\d+\w*)\b")
_WORD = re.compile(r"\w+")
NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
).split()
_ROMAN = "- i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx".split()
_STEM = 5
# words that ask, bind or count and are looked up in no document
_EMPTY = frozenset(
    """a about after all also an and any are as at be became become been before being between both but by called
    came can come did do does doing done during each ever few first for from get had has have he her his how in into
    is it its kind last later latest least made make many more most much name named next no not of on once one only
    or other over own part same second she since so some still such than that the their them then there these they
    third this those through time times to two type under until up use used was way went were what when where which
    while who whom whose why will with within would year years""".split()
)
MONTHS = frozenset(
    """january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec""".split()
)
# capitalised at the head of a sentence, part of no name
_OPENERS = frozenset(
    """a according after all although an and as at because before both but by despite did do does during each for from
    had has have he her his how however if in into is it its later many most no of on once one only or she since so
    some that the their then there these they this those though to two until was were what when where which while who
    whom whose why with within""".split()
)


def names_in(text: str) -> list[str]:
    """Return the names of a text in order of appearance, each once; dates such as 'July 2008' are none."""
    found: dict[str, None] = {}
    for match in _NAME.finditer(text):
        words = match[0].split()
        while words and words[0].lower() in _OPENERS:
            words.pop(0)
        if words and words[0][0].isupper() and words[0].lower() not in MONTHS:
            found.setdefault(" ".join(words).strip(" .,’'"))
    return list(found)


def numbered_names_in(text: str) -> list[str]:
    """Return the names with a number, of which a near miss differs by that number alone ('Apollo 16', 'STS-107')."""
    names = dict.fromkeys(match[0] for match in _NUMBERED.finditer(text))
    return [name for name in names if name.split()[0].lower() not in _OPENERS | MONTHS]


def speaks_of(name: str, text: str) -> bool:
    """Tell whether a text has a numbered name: its words in a row, the number in digits, words or Roman."""
    *words, number = words_of(name)
    told = f" {' '.join(words_of(text))} "
    return any(f" {' '.join([*words, spelt])} " in told for spelt in _spellings(number))


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return _WORD.findall(text.lower())


def content_words(text: str) -> list[str]:
    """Return the words and numbers of a text that can be looked up, in order, each once."""
    words = [word for word in re.findall(r"[\w’'-]*\w", text) if word.lower() not in _EMPTY]
    return list(dict.fromkeys(words))


def lookup_words(question: str) -> list[str]:
    """Return the content words of a question but for its dates and numbers, which bound the answer in time."""
    return [word for word in content_words(question) if word.isalpha() and word.lower() not in MONTHS]


def _spellings(number: str) -> tuple[str, ...]:
    value = int(number) if number.isdigit() else 0
    if 0 < value < len(NUMBER_WORDS):
        return number, NUMBER_WORDS[value], _ROMAN[value]
    return (number,)


def stem(word: str) -> str:
    """Return the head of a word, by which 'launch' and 'launched' are one."""
    return word.lower().removesuffix("'s").removesuffix("’s")[:_STEM]
