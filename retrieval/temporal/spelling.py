"""Mends misspelt words that tell time, so that `untiil Septembr 2020` is read; offsets lead back to the text as it was.

A word is mended if one missing, needless or swapped letter parts it from a word of time, and it is no other word.
"""

import re
from bisect import bisect_right
from string import ascii_lowercase

_TIME_WORDS = tuple(
    """january february april august september october november december monday tuesday wednesday thursday friday
    saturday sunday before after until since during between following throughout previously first second third fourth
    fifth seventh eighth ninth twelfth sixteenth seventeenth eighteenth nineteenth twentieth latest earliest newest
    recent current currently today yesterday century centuries decade summer autumn winter spring quarter
    month""".split()
)
# English words that a slip could make of them
_OTHER_WORDS = frozenset(
    """fist fits sine sing currant recant resent decent wintery aril untie unite utter util alter hater later nest tried
    toady toda fried frida moth mont mouth quartier sparing eight forth furth""".split()
)
_LONG = 7  # letters from which a wrong vowel is mended too
_WORD = re.compile(r"[^\W\d_]{4,}")


def _misspellings(word: str) -> set[str]:
    places = range(len(word))
    missing = {word[:i] + word[i + 1 :] for i in places[1:]}
    needless = {word[:i] + letter + word[i:] for i in places[1:] for letter in ascii_lowercase}
    doubled = {word + word[-1]}
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in places[:-1]}
    hissed = {word.replace("c", "s"), word.replace("s", "c")}
    if len(word) < _LONG:
        return missing | needless | doubled | swapped | hissed
    wrong = {word[:i] + vowel + word[i + 1 :] for i in places[1:] for vowel in "aeiou" if word[i] in "aeiou"}
    return missing | needless | doubled | swapped | hissed | wrong


_MENDED = {
    wrong: word
    for word in reversed(_TIME_WORDS)
    for wrong in _misspellings(word)
    if wrong not in _OTHER_WORDS and wrong not in _TIME_WORDS
}


class Mended:
    """A text with its misspelt words of time mended; `where` leads from its characters to those of the original."""

    def __init__(self, original: str) -> None:
        self.original = original
        self._starts, self._shifts = [0], [0]
        parts: list[str] = []
        position = length = 0
        for match in _WORD.finditer(original):
            right = _MENDED.get(match[0].lower())
            if right is None:
                continue
            parts += [original[position : match.start()], right.capitalize() if match[0][0].isupper() else right]
            length += len(parts[-2]) + len(right)
            position = match.end()
            self._starts.append(length)
            self._shifts.append(position - length)
        self.text = "".join([*parts, original[position:]])

    def where(self, position: int) -> int:
        """Return the place in the original of a place in the mended text, exact outside of mended words."""
        return position + self._shifts[bisect_right(self._starts, position) - 1]
