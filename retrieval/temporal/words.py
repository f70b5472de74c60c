"""Words that bind a sentence together, and patterns written with plain spaces."""

import re

FUNCTION_WORDS = frozenset(
    """a an the this that these those which what who whom whose where when why how and or but nor yet so if than as
    at by for from in into of off on onto out over to up with within without about across after against along among
    around before behind below beneath beside between beyond despite down during except inside like near outside past
    since through throughout toward towards under until upon via versus is are am was were be been being do does did
    done has have had having can could may might must shall should will would not no never ever also still only just
    then there here now today i you he she it we they me him her us them my your his its our their again already
    because while although though whether onwards onward please""".split()
)
DETERMINERS = frozenset(
    "the a an this that these those his her its their our my your each every any which what".split()
)


def spaced(words: str) -> str:
    """Return a pattern in which each space stands for any amount of space: `prior to` also matches across a line."""
    return words.replace(" ", r"\s+")


def pattern(words: str) -> re.Pattern[str]:
    """Return the compiled pattern of `spaced` words, whatever their case."""
    return re.compile(spaced(words), re.IGNORECASE)
