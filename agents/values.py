"""When two short answers are the same value: `Griffin`, `Michael D. Griffin` and `michael griffin` are."""

from collections import Counter
from collections.abc import Iterable, Sequence

from agents.names import NUMBER_WORDS, words_of

_SMALL = frozenset("a an and the of".split())


def key_of(value: str) -> tuple[str, ...]:
    """Return what tells a value from others: its numbers in order, then its words by the alphabet, without initials."""
    words = [str(NUMBER_WORDS.index(word)) if word in NUMBER_WORDS else word for word in words_of(value)]
    told = [word for word in words if word not in _SMALL and (len(word) > 1 or word.isdigit())] or words
    return (*(word for word in told if word[0].isdigit()), *sorted({word for word in told if not word[0].isdigit()}))


def spellings(values: Iterable[str]) -> dict[str, str]:
    """Return a name for each value, the same for those that are one; their order does not matter.

    A value whose words are all in one longer value, and in no other that is as long as can be, is that one: a bare
    'Griffin' beside two people of that name stays apart. Values with different numbers are never one.
    """
    keys = {value: key_of(value) for value in values}
    known = sorted(set(keys.values()))
    longest = {key: [other for other in known if _is_part(key, other)] for key in known}
    whole = {key: [o for o in others if not longest[o]] for key, others in longest.items()}
    return {value: " ".join(whole[key][0] if len(whole[key]) == 1 else key) for value, key in keys.items()}


def one_spelling(values: Sequence[str]) -> str:
    """Return the most frequent of some spellings of one value, of those the longest."""
    counts = Counter(values)
    return max(counts, key=lambda value: (counts[value], len(value), value))


def occurs_in(value: str, text: str) -> bool:
    """Tell whether the words of a value stand in a row in a text."""
    words = words_of(value)
    return bool(words) and f" {' '.join(words)} " in f" {' '.join(words_of(text))} "


def only_repeats(value: str, question: str) -> bool:
    """Tell whether a value brings no word that the question does not have."""
    return set(key_of(value)) <= set(key_of(question))


def _is_part(key: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return key != other and set(key) <= set(other) and _numbers(key) == _numbers(other)


def _numbers(key: tuple[str, ...]) -> list[str]:
    return [word for word in key if word[0].isdigit()]
