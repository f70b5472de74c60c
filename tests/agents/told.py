"""Short statements and hypothesis strategies for tests of timelines."""

from datetime import date, timedelta

from hypothesis import strategies as st

from agents.timeline import Source, Statement
from app.core.timespan import Granularity, TimeSpan
from app.core.types import DocId, NoteId, PassageId


def span(text: str) -> TimeSpan:
    """Return `2019`, `2019-03`, `2010..2014`, `2010..` and `..2014` as spans; `~2019` is approximate."""
    approximate, text = text.startswith("~"), text.lstrip("~")
    start, _, end = text.partition("..")
    if ".." not in text:
        end = start
    first = TimeSpan.parse(start) if start else None
    last = TimeSpan.parse(end) if end else None
    known = first or last
    assert known is not None
    return TimeSpan(
        start=first.start if first else None,
        end=last.end if last else None,
        granularity=known.granularity,
        approximate=approximate,
    )


def tells(
    value: str,
    when: str | TimeSpan | None,
    *,
    note: str = "",
    told: Source = "mention",
    published: str = "",
    superseded_by: str | None = None,
    lasts: bool = True,
) -> Statement:
    name = note or f"{value} {when}"
    return Statement(
        value=value,
        when=span(when) if isinstance(when, str) else when,
        told=told,
        note_id=NoteId(name),
        passage_id=PassageId(f"{name}@0#0"),
        doc_id=DocId(name),
        published=span(published) if published else None,
        superseded_by=DocId(superseded_by) if superseded_by else None,
        lasts=lasts,
    )


_DAYS = st.dates(date(1990, 1, 1), date(1993, 12, 31))
_GRANULARITIES: st.SearchStrategy[Granularity] = st.sampled_from(["day", "month", "year"])


@st.composite
def spans(draw: st.DrawFn) -> TimeSpan:
    first, days = draw(_DAYS), draw(st.integers(0, 500))
    is_open = draw(st.sampled_from([(), (), ("start",), ("end",)]))
    return TimeSpan(
        start=None if "start" in is_open else first,
        end=None if "end" in is_open else first + timedelta(days=days),
        granularity=draw(_GRANULARITIES),
        approximate=draw(st.booleans()),
    )


STATEMENTS = st.lists(
    st.builds(
        tells,
        st.sampled_from(["Ada", "Ada Byron", "Bob", "Cleo"]),
        st.none() | spans(),
        lasts=st.sampled_from([True] * 3 + [False]),
    ),
    max_size=7,
)
