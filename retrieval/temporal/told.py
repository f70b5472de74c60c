"""What a passage tells of time, its headings included."""

from dataclasses import replace
from functools import lru_cache

from app.core.timespan import TimeMention
from app.core.types import Passage
from retrieval.temporal.expressions import read_expressions
from retrieval.temporal.scoring import Times


def times_of(passage: Passage) -> Times:
    """Return the times of a passage's text, of the headings it stands under, and those it has as a whole.

    A time of a heading is true of all that stands below it; it begins before the text, at character -1.
    """
    above = (*_above(passage.title), *_above(passage.section or ""))
    return Times(mentions=(*above, *passage.mentions), holds=passage.holds, published=passage.published)


@lru_cache(maxsize=4096)
def _above(heading: str) -> tuple[TimeMention, ...]:
    found = read_expressions(heading, published=None).mentions if heading else ()
    return tuple(replace(mention, start=-1, end=-1) for mention in found)
