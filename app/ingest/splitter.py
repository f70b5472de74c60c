"""Document → passages with exact character offsets: `passage.text == text[passage.start:passage.end]`.

A passage holds whole sentences of one section and as many as fit, and it ends early where a paragraph would be torn
that fits into the next. Passages do not overlap: a sentence would be found, read and cited twice, and its number in
the index would depend on its neighbours. What an overlap would give, context, the title gives that is embedded with
each passage, and the neighbours that can be read by their ordinals. Each passage comes with the times that it mentions.
"""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.core.protocols import TokenCounter
from app.core.sentences import sentence_spans
from app.core.types import DocId, Document, Offsets, Passage, PassageId
from app.ingest.records import Mark
from retrieval.temporal import expressions

VERSION = 1  # raised when the same text would be split otherwise, so that unchanged files are read again
_WORD = re.compile(r"\S{1,100}")  # a longer run of characters is data: it is cut, for its tokens are unpredictable
_LONG = 8  # characters a token; English has about 4
_STOP = 1  # token of the full stop between title and text


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A document to be split, with its headings and pages."""

    document: Document
    sections: Sequence[Mark] = ()
    pages: Sequence[Mark] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The passages of a document, in order; `impossible` counts the times in its text that no span can hold."""

    passages: tuple[Passage, ...]
    impossible: int = 0


class Splitter:
    """Splits documents into passages of at most `passage_tokens`, their document's title included.

    A title takes at most half of a passage; the tokens that a longer one has beyond that come on top.
    """

    def __init__(self, counter: TokenCounter, *, passage_tokens: int) -> None:
        self._counter = counter
        self._limit = min(passage_tokens, counter.max_tokens)

    @property
    def recipe(self) -> str:
        """What the passages of a text and their mentions depend on."""
        return f"{VERSION}/{self._limit}/{expressions.VERSION}"

    def split(self, drafts: Sequence[Draft]) -> list[Split]:
        """Return the passages of each document; texts are counted together, so give many at once."""
        blocks = [(place, block) for place, draft in enumerate(drafts) for block in _blocks(draft)]
        short = [(place, block) for place, block in blocks if not self._is_long(block)]
        counts = self._count([(drafts[place], block.span) for place, block in short])
        fitting = {item for item, tokens in zip(short, counts, strict=True) if tokens <= self._limit}
        pieces: list[list[_Block]] = [[] for _ in drafts]
        for place, block in blocks:
            pieces[place] += [block] if (place, block) in fitting else self._split_block(drafts[place], block)
        return [_split(draft, found) for draft, found in zip(drafts, pieces, strict=True)]

    def _is_long(self, block: "_Block") -> bool:
        """Tell whether a block is so long that counting all of it would be wasted: it is counted by its sentences."""
        return block.span[1] - block.span[0] > _LONG * self._limit

    def _split_block(self, draft: Draft, block: "_Block") -> list["_Block"]:
        text = draft.document.text
        special, title = self._counter.count(["", draft.document.title])
        room = max(self._limit - title - _STOP, self._limit // 2)
        atoms = self._atoms(text, block.span, room=room, special=special)
        spans = self._repaired(draft, _pack(text, atoms, room=room), limit=max(self._limit, title + _STOP + room))
        return [_Block(span=span, section=block.section) for span in spans]

    def _atoms(self, text: str, block: Offsets, *, room: int, special: int) -> list["_Atom"]:
        """Return sentences with their tokens; one that does not fit comes as its words."""
        start, end = block
        spans = [(start + a, start + b) for a, b in sentence_spans(text[start:end])]
        atoms: list[_Atom] = []
        for span, tokens in zip(spans, self._tokens(text, spans, special=special), strict=True):
            if tokens <= room:
                atoms.append(_Atom(span=span, tokens=tokens))
                continue
            words = [match.span() for match in _WORD.finditer(text, *span)]
            sizes = self._tokens(text, words, special=special)
            atoms += [_Atom(span=word, tokens=size) for word, size in zip(words, sizes, strict=True)]
        return atoms

    def _tokens(self, text: str, spans: Sequence[Offsets], *, special: int) -> list[int]:
        """Return the tokens of spans; data of few tokens (a key of a thousand digits is unknown: one) by its length."""
        counts = self._counter.count([text[start:end] for start, end in spans])
        return [max(count - special, (end - start) // _LONG) for count, (start, end) in zip(counts, spans, strict=True)]

    def _repaired(self, draft: Draft, spans: Sequence[Offsets], *, limit: int) -> list[Offsets]:
        """Return the spans, those halved that are too long because a text may have more tokens than its parts."""
        checked = []
        for span, tokens in zip(spans, self._count([(draft, span) for span in spans]), strict=True):
            halves = _halves(draft.document.text, span) if tokens > limit else []
            checked += self._repaired(draft, halves, limit=limit) if halves else [span]
        return checked

    def _count(self, pieces: Sequence[tuple[Draft, Offsets]]) -> list[int]:
        return self._counter.count([_embedded(draft.document, span) for draft, span in pieces])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Atom:
    span: Offsets
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    span: Offsets
    section: str | None


def _embedded(document: Document, span: Offsets) -> str:
    text = document.text[span[0] : span[1]]
    return f"{document.title}. {text}" if document.title else text


def _blocks(draft: Draft) -> Iterator[_Block]:
    """Yield the sections of a text; a heading without a text of its own goes with the next section, whose name wins."""
    text = draft.document.text
    opened: list[tuple[int, str | None]] = [(0, None)]
    written_from = 0
    for mark in draft.sections:
        if text[written_from : mark.start].strip():
            opened.append((mark.start, mark.name))
        else:
            opened[-1] = (opened[-1][0], mark.name)
        written_from = mark.end
    for (start, section), (end, _) in pairwise([*opened, (len(text), None)]):
        span = _trimmed(text, (start, end))
        if span[0] < span[1]:
            yield _Block(span=span, section=section)


def _pack(text: str, atoms: Sequence[_Atom], *, room: int) -> list[Offsets]:
    """Return runs of atoms that fit, filled greedily."""
    runs: list[list[_Atom]] = []
    used = 0
    for place, atom in enumerate(atoms):
        if not runs or used + atom.tokens > room or _better_apart(text, atoms, place, used=used, room=room):
            runs.append([])
            used = 0
        runs[-1].append(atom)
        used += atom.tokens
    return [(run[0].span[0], run[-1].span[1]) for run in runs]


def _better_apart(text: str, atoms: Sequence[_Atom], place: int, *, used: int, room: int) -> bool:
    """Tell whether a paragraph that begins here fits into a passage of its own but not into the half-full one."""
    if used < room / 2 or "\n\n" not in text[atoms[place - 1].span[1] : atoms[place].span[0]]:
        return False
    paragraph = 0
    for before, atom in zip([None, *atoms[place:]], atoms[place:], strict=False):
        if before is not None and "\n\n" in text[before.span[1] : atom.span[0]]:
            break
        paragraph += atom.tokens
        if paragraph > room:
            return False
    return used + paragraph > room


def _halves(text: str, span: Offsets) -> list[Offsets]:
    """Return a span cut near its middle, at a space where there is one; empty for a single character."""
    start, end = span
    if end - start <= 1:
        return []
    middle = (start + end) // 2
    space = max((text.rfind(blank, start + 1, middle + 1) for blank in " \n"), default=-1)
    cut = space if space > start else middle
    halves = [(start, cut), (cut, end)]
    return [bare for half in halves if (bare := _trimmed(text, half))[0] < bare[1]]


def _trimmed(text: str, span: Offsets) -> Offsets:
    piece = text[span[0] : span[1]]
    start = span[0] + len(piece) - len(piece.lstrip())
    return start, start + len(piece.strip())


def _split(draft: Draft, blocks: Sequence[_Block]) -> Split:
    found = list(_passages(draft, blocks))
    return Split(passages=tuple(passage for passage, _ in found), impossible=sum(times for _, times in found))


def _passages(draft: Draft, blocks: Sequence[_Block]) -> Iterator[tuple[Passage, int]]:
    """Yield passages, each with the number of its impossible times."""
    document = draft.document
    starts = [page.start for page in draft.pages]
    for ordinal, block in enumerate(blocks):
        start, end = block.span
        text = document.text[start:end]
        page = bisect_right(starts, start)
        times = expressions.read_expressions(text, published=document.published)
        passage = Passage(
            passage_id=passage_id(document.doc_id, text, ordinal),
            doc_id=document.doc_id,
            document_version=document.version,
            title=document.title,
            text=text,
            start=start,
            end=end,
            page=int(draft.pages[page - 1].name) if page else None,
            section=block.section,
            published=document.published,
            mentions=times.mentions,
        )
        yield passage, times.impossible


def passage_id(doc_id: DocId, text: str, ordinal: int) -> PassageId:
    """Return `<doc_id>@<first 8 of the text's SHA-256>#<ordinal>`; read from the right it has one meaning only."""
    return PassageId(f"{doc_id}@{hashlib.sha256(text.encode()).hexdigest()[:8]}#{ordinal}")
